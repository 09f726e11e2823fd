"""Scores from all answers at once: by rank, and by a function of the user's own."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import Answer, InputError, to_coco_results
from mmdet_eval.answers.scorers import BoxScorer, find_scorer
from mmdet_eval.cli import main
from mmdet_eval.coco.annotations import Image
from mmdet_eval.suites.queries import Query
from swift_plugin_visionr1 import Settings, model_io

NAMES = {1: "cat", 2: "dog"}
IMAGES = [Image(key, f"{key}.png", (560, 280)) for key in (4, 7)]
OWN = """
import numpy as np

def by_width(answers, images):
    assert images.is_dir()
    return [(one.boxes[:, 2] - one.boxes[:, 0]) / one.answer.image.size[0] for one in answers]

def too_few(answers, images):
    return [[1.0] for _ in answers]

def odd(answers, images):
    return [[float("nan"), 2.0, *[0.25] * 9][: len(one.boxes)] for one in answers]
"""


def boxes(*labels: str) -> str:
    return json.dumps(
        [{"bbox_2d": [n, 1, n + 30, 40], "label": label} for n, label in enumerate(labels)]
    )


def scores(answers: list[Answer], scorer: BoxScorer | None) -> list[float]:
    io = model_io(Settings())
    found = to_coco_results(answers, io, NAMES, 2, scorer=scorer, folder=Path("."))
    return [result["score"] for result in found.results]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param([(4, ["cat"])], [1.0], id="one box"),
        pytest.param([(4, ["cat", "dog", "cat", "cat"])], [1.0, 0.7, 0.4, 0.1], id="one answer"),
        pytest.param([(4, ["cat", "dog"]), (7, ["cat"])], [1.0, 0.1, 1.0], id="two images"),
        pytest.param([(4, ["cat", "cat"]), (4, ["dog"])], [1.0, 0.55, 0.1], id="answers joined"),
        pytest.param([(4, ["tree", "cat", "dog"])], [1.0, 0.1], id="unknown labels have no rank"),
        pytest.param([(4, [])], [], id="no box"),
    ],
)
def test_ranks(texts: list[tuple[int, list[str]]], expected: list[float]) -> None:
    by_id = {image.id: image for image in IMAGES}
    answers = [
        Answer(by_id[key], boxes(*labels), False, line, Query(str(line)))
        for line, (key, labels) in enumerate(texts, 1)
    ]
    assert scores(answers, find_scorer("rank")) == pytest.approx(expected)


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module in the current folder."""
    (tmp_path / "my_scorer.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("my_scorer", None)


@pytest.mark.usefixtures("own_module")
def test_ones_own_scorer_in_the_command(
    dataset: Any, rows: Any, write: Any, tmp_path: Path
) -> None:
    files = ["--ann", write("ann.json", dataset), "--pred", write("infer.jsonl", rows)]
    options = ["--score", "my_scorer:by_width", "--engine", "hotcoco", "--out", tmp_path / "out"]
    limits = ["--max-pixels", "401408"]
    assert main([str(word) for word in (*files, *options, *limits)]) == 0
    results = json.loads((tmp_path / "out" / "ann" / "coco_results.json").read_text())
    width = {3: 641, 0: 1333, 12: 97}
    for result in results:
        share = result["bbox"][2] / width[result["image_id"]]
        assert result["score"] == pytest.approx(share)
    entry = json.loads((tmp_path / "out" / "metrics.json").read_text())["datasets"]["ann"]
    assert entry["conditions"]["confidence"].startswith("my_scorer:by_width")
    assert "sha256" in entry["conditions"]["confidence"]


@pytest.mark.usefixtures("own_module")
def test_scores_outside_0_to_1_count_as_none() -> None:
    answer = Answer(IMAGES[0], boxes("cat", "dog", "cat"), False, 1)
    io = model_io(Settings())
    found = to_coco_results([answer], io, NAMES, 1, scorer=find_scorer("my_scorer:odd"))
    assert [result["score"] for result in found.results] == [0.0, 0.0, 0.25]
    assert found.counts.without_confidence == 2


@pytest.mark.usefixtures("own_module")
def test_a_scorer_that_forgets_boxes() -> None:
    answer = Answer(IMAGES[0], boxes("cat", "dog"), False, 1)
    with pytest.raises(InputError, match="2 scores"):
        scores([answer], find_scorer("my_scorer:too_few"))


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    "score", ["best", "my_scorer:", ":by_width", "my_scorer:none", "not_a_module:f", "my_scorer:np"]
)
def test_a_scorer_that_does_not_exist(score: str) -> None:
    with pytest.raises(InputError):
        find_scorer(score)
