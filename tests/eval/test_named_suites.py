"""Every suite on a small root, from its files to its numbers, by the commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main
from mmdet_eval.suites.files import read_suite
from swift_plugin_visionr1 import QwenResize

from .odinw import answer_rows
from .suite_roots import ROOTS

RESIZE = QwenResize()
NOTHING = "[]"
# What perfect answers get, beside 1.0 for everything that a suite shows first.
SETS = {"grefcoco": 3}
# A number that the suite shows first, and its value if the model says that there is nothing.
ALL_REFUSED = {
    "referring": {"Pr@(F1=1)": 1 / 4, "N-acc": 1.0, "T-acc": 0.0},
    "grefcoco": {"Pr@(F1=1)": 1 / 5, "N-acc": 1.0, "T-acc": 0.0},
}


@pytest.fixture(autouse=True)
def _no_frame_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)


def asked(root: Path, suite: str, out: Path, *options: str) -> list[dict[str, Any]]:
    """The rows of the prompts that the command writes."""
    prompts = out / "prompts.jsonl"
    place = ["--suite", suite, "--root", str(root), "--out", str(prompts)]
    assert main(["prompts", *place, *options]) == 0
    return [json.loads(line) for line in prompts.read_text().splitlines()]


def evaluated(
    root: Path, suite: str, out: Path, rows: list[dict[str, Any]], *options: str
) -> dict[str, Any]:
    """What metrics.json says about the answers."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "pred.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    place = ["--suite", suite, "--root", str(root), "--engine", "hotcoco"]
    files = ["--pred", str(out / "pred.jsonl"), "--out", str(out / "eval")]
    assert main([*place, *files, *options]) == 0
    found: dict[str, Any] = json.loads((out / "eval" / "metrics.json").read_text())
    return found


@pytest.mark.parametrize("suite", sorted(ROOTS))
def test_a_suite_end_to_end(suite: str, tmp_path: Path, capsys: Any) -> None:
    root = tmp_path / "root"
    ROOTS[suite](root)
    prompts = asked(root, suite, tmp_path)
    right = answer_rows(prompts, read_suite(suite, root).datasets, RESIZE)
    record = evaluated(root, suite, tmp_path / "right", right)
    names = ALL_REFUSED[suite]
    first = {name: record["metrics"][name] for name in names}
    assert first == pytest.approx(dict.fromkeys(names, 1.0))
    assert len(record["datasets"]) == SETS.get(suite, 1)
    for entry in record["datasets"].values():
        beside = entry["beside"]
        assert (beside["refused where absent"], beside["refused where present"]) in (
            (1.0, 0.0),
            (None, 0.0),
        )
    table = (tmp_path / "right" / "eval" / "summary.md").read_text()
    assert all(name in table for name in names)
    refused = [{**row, "response": NOTHING} for row in right]
    record = evaluated(root, suite, tmp_path / "refused", refused)
    assert {name: record["metrics"][name] for name in names} == pytest.approx(names)
    for entry in record["datasets"].values():
        assert entry["beside"]["refused where present"] == 1.0


@pytest.mark.parametrize("suite", sorted(ROOTS))
def test_a_missing_set_is_named_with_where_to_get_it(
    suite: str, tmp_path: Path, capsys: Any
) -> None:
    place = ["--suite", suite, "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    told, read = capsys.readouterr().err, read_suite(suite, tmp_path)
    assert str(read.datasets[0].ann) in told
    assert read.download in told


def test_every_file_that_a_set_needs_is_missed(tmp_path: Path, capsys: Any) -> None:
    ROOTS["grefcoco"](tmp_path)
    (tmp_path / "grefcoco" / "instances.json").unlink()
    place = ["--suite", "grefcoco", "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    assert "instances.json" in capsys.readouterr().err
