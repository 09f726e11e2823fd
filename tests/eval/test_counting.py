"""Counting from boxes: what is counted, and against what."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main
from mmdet_eval.metrics.counting import PUBLISHED, counting

from .conftest import perfect


def test_without_questions_there_is_nothing_to_measure() -> None:
    assert counting([], []) is None


@pytest.mark.parametrize("text", ["9" * 9999, "", "-", "1" * 400 + ".5", "²"])
def test_no_answer_breaks_a_published_rule(text: str) -> None:
    assert not any(is_exact(text, 3) for is_exact in PUBLISHED.values())


@pytest.mark.parametrize("protocol", ["vision_r1_coco", "vision_r1_odinw"])
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        pytest.param(lambda text: text, (1.0, 0.0, 0.0), id="all right"),
        pytest.param(lambda text: "[]", (0.0, 4 / 3, 2**0.5), id="nothing counted"),
    ],
)
def test_boxes_are_counted_by_question(
    dataset: Any, write: Any, tmp_path: Path, protocol: str, spoil: Any, expected: Any
) -> None:
    """Image 3 has two objects of two categories, the others one each."""
    one_by_one = protocol == "vision_r1_odinw"
    rows = [
        {"response": spoil(perfect(image)), "image_id": image, "category_id": category}
        for image, category in [(3, 7), (3, 2), (0, 5), (12, 7)]
    ]
    if not one_by_one:
        rows = [{k: v for k, v in row.items() if k != "category_id"} for row in rows[1:]]
    files = ["--ann", write("ann.json", dataset), "--pred", write("infer.jsonl", rows)]
    options = ["--protocol", protocol, "--max-pixels", "401408", "--engine", "hotcoco"]
    out = ["--out", tmp_path / "out"]
    assert main([str(word) for word in (*files, *options, *out)]) == 0
    entry = json.loads((tmp_path / "out" / "metrics.json").read_text())["datasets"]["ann"]
    found = entry["counting"]
    if one_by_one and expected[0] == 0:
        expected = (0.0, 1.0, 1.0)
    assert found["questions"] == len(rows)
    assert (found["exact"], found["mae"], found["rmse"]) == pytest.approx(expected)
    rows_shown = (tmp_path / "out" / "summary.md").read_text()
    assert "exact count" in rows_shown
    assert "calibration error: not defined" in rows_shown


def test_a_file_of_boxes_does_not_count(dataset: Any, write: Any, tmp_path: Path) -> None:
    keys = ("image_id", "category_id", "bbox")
    results = [{k: one[k] for k in keys} | {"score": 0.5} for one in dataset["annotations"]]
    files = ["--ann", write("ann.json", dataset), "--pred", write("results.json", results)]
    options = ["--engine", "hotcoco", "--out", tmp_path / "out"]
    assert main([str(word) for word in (*files, *options)]) == 0
    entry = json.loads((tmp_path / "out" / "metrics.json").read_text())["datasets"]["ann"]
    assert entry["counting"] is None
