"""The command from end to end."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.answers.scorers import describe_score
from mmdet_eval.cli import main
from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES


@pytest.fixture(autouse=True)
def _no_frame_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FRAME_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def command(dataset: Any, rows: Any, write: Any, tmp_path: Path) -> list[str]:
    """The arguments of an evaluation of perfect answers."""
    files = ["--ann", str(write("ann.json", dataset)), "--pred", str(write("infer.jsonl", rows))]
    return [*files, "--max-pixels", "401408", "--out", str(tmp_path / "out")]


def metrics_of(arguments: list[str]) -> dict[str, Any]:
    assert main(arguments) == 0
    out = Path(arguments[arguments.index("--out") + 1])
    found: dict[str, Any] = json.loads((out / "metrics.json").read_text())
    assert found["metrics"] == found["datasets"]["ann"]["metrics"]
    return found["datasets"]["ann"] | {"versions": found["versions"]}


def test_perfect_answers_in_the_processed_frame_reach_1(command: list[str], capsys: Any) -> None:
    record = metrics_of(command)
    assert record["metrics"]["mAP"] == pytest.approx(1.0, abs=1e-12)
    assert record["metrics"]["AR@100"] == 1.0
    assert record["counts"] == {
        "images": 3,
        "answers": 3,
        "missing": 0,
        "unparsed": 0,
        "broken_format": 0,
        "truncated": 0,
        "boxes_read": 4,
        "unknown_labels": 0,
        "outside": 0,
        "nothing_left": 0,
        "boxes_kept": 4,
        "queries": 3,
        "duplicates": 0,
        "without_confidence": 0,
        "whole_answer_scores": 0,
    }
    printed = capsys.readouterr().out
    conditions = record["conditions"]
    assert conditions["confidence"] == describe_score("const")
    assert "--max_pixels 401408, 4 to 16384 visual tokens of 28 x 28" in conditions["frame"]
    assert len(record["annotations"]["repairs"]) == 1, "the data set has annotation id 0"
    assert conditions["frame"] in printed
    assert printed.splitlines()[-1].split() == ["1.000"] * 4


def test_the_wrong_frame_gives_less(command: list[str]) -> None:
    assert metrics_of([*command, "--max-pixels", "100352"])["metrics"]["mAP"] < 0.9


def test_max_pixels_of_the_environment_is_the_frame_too(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_PIXELS", "100352")
    record = metrics_of(command)
    assert record["metrics"]["mAP"] < 0.9
    assert "--max_pixels 401408, 4 to 128 visual tokens of 28 x 28" in record["conditions"]["frame"]


def test_the_order_of_the_rows_does_not_matter(command: list[str], rows: Any, write: Any) -> None:
    rows[0]["response"] = rows[0]["response"].replace("red circle", "blue square")
    write("infer.jsonl", rows)
    first = metrics_of(command)
    write("infer.jsonl", rows[::-1])
    assert metrics_of(command)["metrics"] == first["metrics"]


def test_no_detections_at_all_are_zeros(
    command: list[str], rows: Any, write: Any, capsys: Any
) -> None:
    write("infer.jsonl", [{**row, "response": "[]"} for row in rows])
    record = metrics_of(command)
    assert {name for name, value in record["metrics"].items() if value is None} == {
        "APs",
        "APm",
        "ARs@100",
        "ARm@100",
    }
    assert set(record["metrics"].values()) == {0.0, None}, "only large objects are annotated"
    assert (record["counts"]["answers"], record["counts"]["unparsed"]) == (3, 0)
    assert capsys.readouterr().out.splitlines()[-1].split() == ["0.000"] * 4


def test_missing_images_count_as_empty_when_allowed(
    command: list[str], rows: Any, write: Any, capsys: Any
) -> None:
    write("infer.jsonl", rows[:1])
    assert main(command) == 2
    assert "--allow-missing" in capsys.readouterr().err, "the remedy"
    record = metrics_of([*command, "--allow-missing"])
    assert record["counts"]["missing"] == 2
    assert record["metrics"]["AR@100"] == pytest.approx((0.5 + 1 + 0) / 3, abs=1e-3)


def test_labels_and_truncation_show_in_the_table(
    command: list[str], rows: Any, write: Any, capsys: Any
) -> None:
    rows[0]["response"] = rows[0]["response"].replace("red circle", "re\nd\udce9")
    rows[1]["finish_reason"] = "length"
    write("infer.jsonl", rows)
    record = metrics_of(command)
    printed = capsys.readouterr().out
    assert (record["counts"]["truncated"], record["counts"]["unknown_labels"]) == (1, 1)
    assert "dropped: " in printed
    assert "\n" not in printed.split("dropped: ")[1].split(" 1")[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"--ann": "nowhere.json"}, "nowhere.json", id="no-annotations"),
        pytest.param({"--pred": "nowhere.jsonl"}, "nowhere.jsonl", id="no-predictions"),
        pytest.param({"--out": __file__}, "got the file", id="out-is-a-file"),
    ],
)
def test_bad_arguments_exit_with_2(
    command: list[str], change: dict[str, str], message: str, capsys: Any
) -> None:
    assert main([*command, *(part for pair in change.items() for part in pair)]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


def test_answers_that_are_cut_off_are_a_warning(
    command: list[str], rows: Any, write: Any, capsys: Any
) -> None:
    rows[1]["finish_reason"] = "length"
    write("infer.jsonl", rows)
    (warning,) = metrics_of(command)["warnings"]
    assert "1 of 3" in warning
    assert "--max_new_tokens" in warning
    printed = capsys.readouterr()
    assert warning in printed.out
    assert "report.html" in printed.err, "where the result is"


def test_a_bad_environment_exits_with_2(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("MAX_PIXELS", "many")
    assert main(command) == 2
    assert "MAX_PIXELS" in capsys.readouterr().err


def test_a_missing_backend_exits_with_2(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("mmdet", "mmcv")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mmcv", None)
    assert main(command) == 2
    assert "swift-plugin-visionr1[eval]" in capsys.readouterr().err


def run(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mmdet_eval", *arguments], capture_output=True, text=True, **options
    )


def test_the_module_runs_from_end_to_end(command: list[str], tmp_path: Path) -> None:
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPROFILEIMPORTTIME": "1"}
    done = run(command, cwd=tmp_path, env=environ)
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert any(name.startswith("mmdet.evaluation.") for name in imported)
    slow = [name for name in imported if name.startswith(("transformers.", "peft."))]
    assert not slow, "mmengine and mmdet import them where they can"
    assert done.stdout.splitlines()[0].split() == ["images", "3"], (
        "nothing of the frameworks is on stdout"
    )
    assert done.stdout.splitlines()[-2].split() == ["mAP", "AP50", "AP75", "AR@100"]
    whole = json.loads((tmp_path / "out" / "metrics.json").read_text())
    record = whole["datasets"]["ann"]
    assert (
        record["annotations"]["sha256"]
        == hashlib.sha256((tmp_path / "ann.json").read_bytes()).hexdigest()
    )
    assert whole["versions"]["mmdet"].startswith("3.")
    assert record["conditions"]["arguments"]["max_pixels"] == 401408
    results = json.loads((tmp_path / "out" / "ann" / "coco_results.json").read_text())
    assert len(results) == 4
    assert results[0].keys() == {"image_id", "category_id", "bbox", "score"}


def test_an_input_error_is_one_line_and_2(
    command: list[str], rows: Any, write: Any, tmp_path: Path
) -> None:
    write("infer.jsonl", rows * 2)  # what a second `swift infer` into the same file leaves
    done = run(command, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "lines 1 and 4: `swift infer` appends" in done.stderr
