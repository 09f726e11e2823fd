"""The table of matches: the same as pycocotools', and the same after a file."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import InputError
from mmdet_eval.coco.detections import to_detections
from mmdet_eval.metrics import matching
from mmdet_eval.metrics.matches import Matches
from mmdet_eval.metrics.matching import match_boxes

from .random_sets import coarse_set, random_set
from .references import pycocotools_matches
from .test_engines import REAL, real_set


def assert_equal(one: Matches, other: Matches) -> None:
    for field in fields(Matches):
        ours, theirs = np.asarray(getattr(one, field.name)), np.asarray(getattr(other, field.name))
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs, err_msg=field.name)


@pytest.mark.parametrize("scores", [None, (1.0,)], ids=["distinct", "constant"])
@pytest.mark.parametrize("strings", [False, True], ids=["integer-ids", "text-ids"])
def test_boxes_are_matched_like_pycocotools_does(
    tmp_path: Path, scores: Any, strings: bool
) -> None:
    annotations, results = random_set(tmp_path, 5, scores, strings=strings)
    reference = pycocotools_matches(annotations, results, 100)
    assert reference.ignored.any()
    assert reference.matched.any()
    matches, others = match_boxes(annotations, to_detections(annotations, results))
    assert_equal(reference, matches)
    assert others is None


@pytest.mark.parametrize("seed", range(40))
def test_much_that_is_equal_is_matched_like_pycocotools_does(
    dataset: Any, write: Any, seed: int
) -> None:
    """Overlaps that are equal or exactly a threshold, twins, crowds, areas of 0, equal scores."""
    annotations, results = coarse_set(dataset, write, seed)
    reference = pycocotools_matches(annotations, results, 100)
    assert_equal(reference, match_boxes(annotations, to_detections(annotations, results))[0])


@pytest.mark.parametrize("name", REAL)
def test_real_boxes_are_matched_like_pycocotools_does(shared_data: Path, name: str) -> None:
    annotations, results = real_set(shared_data, name)
    reference = pycocotools_matches(annotations, results, 100)
    assert_equal(reference, match_boxes(annotations, to_detections(annotations, results))[0])


def test_the_size_of_a_block_of_pairs_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations, results = random_set(tmp_path, 5)
    expected = match_boxes(annotations, to_detections(annotations, results))[0]
    monkeypatch.setattr(matching, "BLOCK", 7)
    assert_equal(expected, match_boxes(annotations, to_detections(annotations, results))[0])


def test_counts_are_of_what_counts(tmp_path: Path) -> None:
    annotations, results = random_set(tmp_path, 5)
    matches = match_boxes(annotations, to_detections(annotations, results))[0]
    assert matches.image_ids == tuple(range(15))
    assert matches.category_ids == (2, 5, 7, 11)
    assert matches.truths.sum() == sum(not a["iscrowd"] for a in annotations.data["annotations"])
    assert len(matches.score) == len(results)
    right = (matches.matched & ~matches.ignored).sum(axis=1)
    assert (right[0] > 0) & (np.diff(right) <= 0).all(), "a higher threshold matches no more"


def test_at_most_100_boxes_of_a_category_and_image(tmp_path: Path) -> None:
    annotations, _ = random_set(tmp_path, 5)
    box = {"image_id": 1, "category_id": 7, "bbox": [1, 1, 5, 5]}
    results = [{**box, "score": n / 1000} for n in range(130)] + [
        {**box, "category_id": 5, "score": 0.5}
    ]
    matches = match_boxes(annotations, to_detections(annotations, results))[0]
    assert len(matches.score) == 101
    assert matches.score[1:].min() == 0.03, "the best ones"


@pytest.mark.parametrize("strings", [False, True], ids=["integer-ids", "text-ids"])
@pytest.mark.parametrize("empty", [False, True], ids=["boxes", "no-boxes"])
def test_a_file_gives_back_what_was_saved(tmp_path: Path, strings: bool, empty: bool) -> None:
    annotations, results = random_set(tmp_path, 2, strings=strings)
    boxes = to_detections(annotations, [] if empty else results)
    matches = match_boxes(annotations, boxes)[0]
    matches.save(tmp_path / "matches.npz")
    again = Matches.load(tmp_path / "matches.npz")
    assert_equal(matches, again)
    assert (again.image_ids, again.category_ids) == (matches.image_ids, matches.category_ids)
    assert type(again.image_ids[0]) is (str if strings else int)


@pytest.mark.parametrize(
    "content", [None, b"no zip", b"PK\x03\x04 broken"], ids=["missing", "text", "broken"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "matches.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="matches.npz of an evaluation"):
        Matches.load(path)


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "matches.npz", score=np.zeros(3))
    with pytest.raises(InputError, match="matches.npz of an evaluation"):
        Matches.load(tmp_path / "matches.npz")
