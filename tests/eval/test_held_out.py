"""What `vision_r1_eval` logs about refusals, from answers to rows with and without boxes."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mmdet_eval.during_training.held_out import held_out
from swift_plugin_visionr1 import Settings, model_io

BOX = '[{"bbox_2d": [10, 10, 50, 50], "label": "cat"}]'
BROKEN = "[{"
WITH = [[10, 10, 50, 50]]
WITHOUT: list[list[int]] = []


@pytest.mark.parametrize(
    ("rows", "answers", "expected"),
    [
        pytest.param([WITH, WITHOUT], [BOX, "[]"], (1.0, 0.0), id="always right"),
        pytest.param([WITH, WITHOUT], ["[]", BOX], (0.0, 1.0), id="always wrong"),
        pytest.param([WITH, WITHOUT], ["[]", "There are none."], (1.0, 1.0), id="always refuses"),
        pytest.param(
            [WITH, WITHOUT], [BROKEN, BROKEN], (0.0, 0.0), id="unreadable is not a refusal"
        ),
        pytest.param([WITH] * 4 + [WITHOUT], ["[]", BOX, BOX, BOX, "[]"], (1.0, 0.25), id="shares"),
        pytest.param([WITH, WITH], [BOX, "[]"], (None, 0.5), id="nothing absent"),
    ],
)
def test_refusals(
    tmp_path: Path,
    rows: Sequence[list[list[int]]],
    answers: Sequence[str],
    expected: tuple[float | None, float],
) -> None:
    solutions = [
        {"width": 112, "height": 112, "boxes": boxes, "labels": ["cat"] * len(boxes)}
        for boxes in rows
    ]
    given = [{"solution": json.dumps(one), "images": ["a.png"]} for one in solutions]
    against = held_out(given, tmp_path / "annotations.json", model_io(Settings()), "hotcoco")
    scores = against.scores([(text, False) for text in answers])
    names = ("refused_where_absent", "refused_where_present")
    assert tuple(scores.get(name) for name in names) == expected
    assert all(name in scores or value is None for name, value in zip(names, expected, strict=True))
