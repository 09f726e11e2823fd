"""What stands around an answer: the options that training has say it to the evaluator too."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import SIZES, TRUTHS
from .test_families import answers_of, evaluate


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)


def thinking(model_type: str) -> list[dict[str, Any]]:
    """Perfect answers behind thoughts."""
    rows = answers_of(model_type, TRUTHS, SIZES)
    return [{**row, "response": f"<think>\nA cat?\n</think>\n{row['response']}"} for row in rows]


@pytest.mark.parametrize(
    ("model_type", "options"),
    [
        pytest.param("qwen2_5_vl", ["--template", "mimo_vl"], id="MiMo-VL"),
        pytest.param("qwen3_vl", ["--enable-thinking", "true"], id="Qwen3-VL told to think"),
        pytest.param("minicpmo", ["--template", "minicpmo4_5"], id="MiniCPM-o 4.5"),
        pytest.param("qwen2_5_vl", ["--response-prefix", "<think>"], id="a response prefix"),
    ],
)
def test_thoughts_are_expected_where_training_expects_them(
    dataset: Any, write: Any, tmp_path: Path, model_type: str, options: list[str]
) -> None:
    rows, broken = thinking(model_type), []
    for more in ([], options):
        found = evaluate(write, tmp_path / "out", dataset, rows, "--model-type", model_type, *more)
        broken.append(found["counts"]["broken_format"])
        assert found["metrics"]["AR@100"] == 1
    assert broken == [3, 0]
