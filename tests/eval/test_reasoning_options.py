"""How a model answers: the options that training has say it to the evaluator too, and what training
recorded."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.asking.reading_record import HELD_OUT, ReadingRecord, find_training_record
from mmdet_eval.cli import main
from mmdet_eval.commands.reading import add_reading_arguments, io_of
from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.console import Parser
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.model_io import Limits
from swift_plugin_visionr1.runs.run_record import keep_record, record_of

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


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """The output folder of a run that trained a Qwen3-VL to think."""
    chat = ChatOptions(enable_thinking=True)
    settings = Settings(reasoning="think")
    limits = Limits({"MAX_PIXELS": "200704"})
    keep_record(tmp_path / "run", record_of(settings, "qwen3_vl", chat, limits))
    return tmp_path / "run"


def test_answers_during_training_are_read_as_training_read_them(
    dataset: Any, write: Any, tmp_path: Path, training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (training / HELD_OUT).mkdir()
    rows = write("infer.jsonl", thinking("qwen3_vl")).rename(training / HELD_OUT / "step-1.jsonl")
    out = tmp_path / "out"
    command = ["--ann", str(write("ann.json", dataset)), "--pred", str(rows), "--out", str(out)]
    assert main([*command, "--engine", "hotcoco", "--orders", "0"]) == 0
    found = json.loads((out / "metrics.json").read_text())["datasets"]["ann"]
    assert found["metrics"]["AR@100"] == 1
    assert found["counts"]["broken_format"] == 0
    assert "model type qwen3_vl" in capsys.readouterr().err
    (training / "vision_r1.json").write_text('{"records": [{}]}')
    assert main(command) == 2


def test_a_trained_checkpoint_is_read_as_its_training_read_it(
    training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = training / "checkpoint-9"
    checkpoint.mkdir()
    record = ReadingRecord(str(checkpoint), "qwen3_vl", 100_352)
    arguments = Parser()
    add_reading_arguments(arguments)
    trained = find_training_record(training.parent, record)
    io = io_of(arguments.parse_args([]), record, trained)
    assert getattr(io.format, "reasoning", "") == "think"
    assert "--max_pixels 100352" in io.resize.describe(), "inference had its own limits"
    assert "no --max_pixels" in capsys.readouterr().err
    told = io_of(arguments.parse_args(["--reasoning", "none"]), record, trained)
    assert getattr(told.format, "reasoning", "") == "none"
