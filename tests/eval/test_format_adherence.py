"""The share of answers that are fully right in form, in the files of an evaluation of text."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main

from .conftest import SIZES, perfect

ROW = "format adherence"
UNREADABLE = "[{"
EXTRA_WORDS = "Sure: " + perfect(3)  # its boxes are read all the same


def evaluated(
    write: Any, dataset: Any, tmp_path: Path, pred: Path, *options: str
) -> dict[str, Any]:
    out = tmp_path / "out"
    files = ["--ann", str(write("ann.json", dataset)), "--pred", str(pred), "--out", str(out)]
    assert main([*files, "--engine", "hotcoco", "--max-pixels", "401408", *options]) == 0
    return dict(json.loads((out / "metrics.json").read_text())["datasets"]["ann"])


@pytest.mark.parametrize(
    ("changed", "broken", "share", "words"),
    [
        pytest.param({}, 0, 1.0, "100.0", id="all right"),
        pytest.param({3: UNREADABLE}, 1, 2 / 3, "66.7", id="one not read"),
        pytest.param({3: EXTRA_WORDS}, 1, 2 / 3, "66.7", id="one read but broken"),
        pytest.param({3: EXTRA_WORDS, 12: UNREADABLE}, 2, 1 / 3, "33.3", id="one of each"),
        pytest.param(dict.fromkeys(SIZES, UNREADABLE), 3, 0.0, "0.0", id="all broken"),
    ],
)
def test_the_share_of_answers_without_issues(
    dataset: Any,
    write: Any,
    tmp_path: Path,
    changed: dict[int, str],
    broken: int,
    share: float,
    words: str,
) -> None:
    rows = [{"image_id": n, "response": changed.get(n, perfect(n))} for n in SIZES]
    entry = evaluated(write, dataset, tmp_path, write("answers.jsonl", rows))
    assert entry["counts"]["broken_format"] == broken
    assert entry["beside"][ROW] == pytest.approx(share)
    assert f"{ROW}: {words}" in (tmp_path / "out" / "summary.md").read_text()
    assert ROW in (tmp_path / "out" / "report.html").read_text()


def test_missing_answers_are_not_part_of_it(dataset: Any, write: Any, tmp_path: Path) -> None:
    rows = [{"image_id": n, "response": perfect(n)} for n in list(SIZES)[:2]]
    pred = write("answers.jsonl", rows)
    entry = evaluated(write, dataset, tmp_path, pred, "--allow-missing")
    assert (entry["counts"]["missing"], entry["beside"][ROW]) == (1, 1.0)


def test_boxes_have_no_form(dataset: Any, write: Any, tmp_path: Path) -> None:
    boxes = [{"image_id": 3, "category_id": 7, "bbox": [1, 1, 5, 5], "score": 1.0}]
    entry = evaluated(write, dataset, tmp_path, write("boxes.json", boxes))
    assert ROW not in entry["beside"]
