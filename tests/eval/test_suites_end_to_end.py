"""Whole suites: prompts written, answered, evaluated and averaged, by the commands."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main
from mmdet_eval.data.suite_files import read_suite
from swift_plugin_visionr1 import QwenResize

from .odinw import answer_rows, make_odinw

RESIZE = QwenResize(max_pixels=401408)
FEWER = 0.6  # mAP of a data set whose answers are worse: see odinw.WORSE


@pytest.fixture(autouse=True)
def _no_frame_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odinw")
    make_odinw(folder, ["odinw13", "odinw35", "vision_r1_ood"])
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def answered(root: Path, suite: str, out: Path, worse: Sequence[str], *options: str) -> list[dict[str, Any]]:
    """Write the prompts of a suite by the command; returns perfect answers to them, worse ones for `worse`."""
    prompts = out / "prompts.jsonl"
    assert main(["prompts", "--suite", suite, "--root", str(root), "--out", str(prompts), *options]) == 0
    return answer_rows(lines(prompts), read_suite(suite, root).datasets, RESIZE, worse)


def evaluated(root: Path, suite: str, out: Path, rows: list[dict[str, Any]], *options: str) -> dict[str, Any]:
    """Evaluate answers by the command; returns what metrics.json says."""
    pred = out / "infer.jsonl"
    pred.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["--suite", suite, "--root", str(root), "--pred", str(pred), "--max-pixels", "401408"]
    assert main([*arguments, "--out", str(out / "eval"), *options]) == 0
    found: dict[str, Any] = json.loads((out / "eval" / "metrics.json").read_text())
    return found


@pytest.mark.parametrize(
    ("suite", "sets", "protocol", "engine"),
    [
        pytest.param("odinw13", 13, "vision_r1_odinw", "mmdet", id="odinw13"),
        pytest.param("odinw13", 13, "qwen_odinw", "hotcoco", id="odinw13-captions"),
        pytest.param("odinw35", 35, "qwen3_odinw", "hotcoco", id="odinw35-all-categories"),
        pytest.param("vision_r1_ood", 4, "vision_r1_odinw", "hotcoco", id="vision_r1_ood"),
    ],
)
def test_a_suite_averages_its_sets(
    root: Path, tmp_path: Path, suite: str, sets: int, protocol: str, engine: str, capsys: Any
) -> None:
    worse = [read_suite(suite, root).datasets[0].name]
    rows = answered(root, suite, tmp_path, worse, "--protocol", protocol)
    record = evaluated(root, suite, tmp_path, rows, "--protocol", protocol, "--engine", engine)
    by_set = {name: entry["metrics"]["mAP"] for name, entry in record["datasets"].items()}
    assert len(by_set) == sets
    assert by_set.pop(worse[0]) == pytest.approx(FEWER)
    assert by_set == pytest.approx(dict.fromkeys(by_set, 1.0), abs=1e-12)
    assert record["metrics"]["mAP"] == pytest.approx((FEWER + sets - 1) / sets, abs=1e-12)
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1].split()[:2] == ["Avg.", f"{(FEWER + sets - 1) / sets:.3f}"]


def test_rows_without_our_columns_are_shared_out_by_image_and_question(root: Path, tmp_path: Path) -> None:
    """What `swift infer` leaves of a row with the transformers backend, in whatever order."""
    kept = ("response", "labels", "logprobs", "messages", "images")
    rows = answered(root, "vision_r1_ood", tmp_path, ["vector"])
    bare = [{name: row[name] for name in kept} for row in rows][::-1]
    whole, left = (evaluated(root, "vision_r1_ood", tmp_path, some, "--engine", "hotcoco") for some in (rows, bare))
    assert left["metrics"] == whole["metrics"]
    assert left["datasets"]["vector"]["metrics"]["mAP"] == pytest.approx(FEWER)


def test_a_missing_set_is_named_or_left_out_and_said(root: Path, tmp_path: Path, capsys: Any) -> None:
    rows = answered(root, "vision_r1_ood", tmp_path, [])
    spec = read_suite("vision_r1_ood", root).datasets[0]
    hidden = spec.ann.with_suffix(".hidden")
    spec.ann.rename(hidden)
    try:
        pred = tmp_path / "infer.jsonl"
        pred.write_text("".join(json.dumps(row) + "\n" for row in rows if row["dataset"] != spec.name))
        arguments = ["--suite", "vision_r1_ood", "--root", str(root), "--pred", str(pred), "--engine", "hotcoco"]
        assert main(arguments) == 2
        assert str(spec.ann) in capsys.readouterr().err
        assert main([*arguments, "--allow-missing", "--max-pixels", "401408", "--out", str(tmp_path / "eval")]) == 0
    finally:
        hidden.rename(spec.ann)
    assert f"left out            {spec.name}" in capsys.readouterr().out
    record = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert record["left_out"] == [spec.name]
    assert record["metrics"]["mAP"] == pytest.approx(1.0, abs=1e-12)


def test_answers_to_another_protocol_are_refused(root: Path, tmp_path: Path, capsys: Any) -> None:
    rows = answered(root, "vision_r1_ood", tmp_path, [])
    pred = tmp_path / "infer.jsonl"
    pred.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["--suite", "vision_r1_ood", "--root", str(root), "--pred", str(pred), "--engine", "hotcoco"]
    assert main([*arguments, "--protocol", "qwen3_odinw"]) == 2
    assert "is this the protocol that the model was asked by?" in capsys.readouterr().err
