"""The numbers beside AP, all from the matches: COCOeval's AP again, then without and with other
orders of ties."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import InputError
from mmdet_eval.metrics import engines
from mmdet_eval.metrics.beyond_ap import beside, class_scores, spread
from mmdet_eval.metrics.matches import Matches
from mmdet_eval.metrics.matching import IOU_THRESHOLDS
from mmdet_eval.metrics.ranking import Ranking, average, rank
from mmdet_eval.reports.phrases import spread_in_words

from .random_sets import random_set
from .references import by_pycocotools, measured
from .test_engines import REAL, real_set

SCORES = pytest.mark.parametrize(
    "scores", [None, (1.0,), (0.2, 0.5, 0.9)], ids=["distinct", "constant", "three-scores"]
)


def reference(annotations: Any, results: Any) -> tuple[engines.EngineRun, Ranking]:
    run, matches = by_pycocotools(annotations, results)
    return run, rank(matches)


def assert_coco_eval(annotations: Any, results: Any) -> None:
    run, ranking = reference(annotations, results)
    precision = ranking.precision()
    np.testing.assert_array_equal(precision, run.precision)
    assert average(precision) == run.metrics["mAP"]
    assert average(ranking.recall()) == pytest.approx(run.metrics["AR@100"], abs=1e-15)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("constant", [False, True], ids=["scores", "no-scores"])
def test_precision_is_coco_evals_to_the_last_bit(
    shared_data: Path, name: str, constant: bool
) -> None:
    annotations, results = real_set(shared_data, name)
    assert_coco_eval(annotations, [{**r, "score": 1.0} for r in results] if constant else results)


@pytest.mark.parametrize("seed", range(10))
@SCORES
def test_precision_is_coco_evals_on_random_data(tmp_path: Path, seed: int, scores: Any) -> None:
    assert_coco_eval(*random_set(tmp_path, seed, scores))


@SCORES
def test_order_of_images_is_coco_evals_with_other_ids(tmp_path: Path, scores: Any) -> None:
    """COCOeval ranks ties by image id, so renumbered images are another order."""
    annotations, results = random_set(tmp_path, 4, scores)
    places = np.random.default_rng(0).permutation(15)  # the ids are 0 to 14
    found = reference(annotations, results)[1].precision(places=places)
    for record in (*annotations.data["annotations"], *results):
        record["image_id"] = int(places[record["image_id"]])
    images = tuple(replace(image, id=int(places[image.id])) for image in annotations.images)
    renumbered = replace(annotations, images=images)
    renumbered.data["images"] = [
        {**record, "id": int(places[record["id"]])} for record in annotations.data["images"]
    ]
    np.testing.assert_array_equal(found, reference(renumbered, results)[0].precision)


def boxes(*rows: tuple[int, float, int], truths: int, images: int = 4) -> Matches:
    """Boxes of one category as (image, score, right at .5), none of them right at higher
    thresholds."""
    image, score, right = (np.array(column) for column in zip(*rows, strict=True))
    matched = np.zeros((10, len(rows)), dtype=bool)
    matched[0] = right
    counts = np.zeros((1, images), dtype=np.int64)
    counts[0, 0] = truths
    nothing = np.zeros_like(image)
    return Matches(
        tuple(range(images)),
        (1,),
        IOU_THRESHOLDS,
        image,
        nothing,
        score.astype(float),
        matched,
        np.zeros_like(matched),
        counts,
    )


def test_one_group_of_equal_scores_is_one_operating_point() -> None:
    found = beside(rank(boxes((0, 1, 1), (1, 1, 0), (2, 1, 1), (3, 1, 0), truths=4)))
    assert found["tie-aware AP50"] == pytest.approx(0.5 * 51 / 101)  # precision .5 up to recall .5
    assert (found["precision@.5"], found["recall@.5"], found["F1@.5"]) == (0.5, 0.5, 0.5)
    assert (found["precision"], found["recall"], found["F1"]) == (0.05, 0.05, 0.05)


def test_groups_enter_by_score() -> None:
    found = beside(rank(boxes((2, 0.9, 1), (0, 0.5, 0), (1, 0.5, 1), truths=2)))
    assert found["tie-aware AP50"] == pytest.approx((51 + 50 * 2 / 3) / 101)


@pytest.mark.parametrize("seed", range(8))
@SCORES
def test_tie_aware_ap_depends_on_no_order(tmp_path: Path, seed: int, scores: Any) -> None:
    matches = reference(*random_set(tmp_path, seed, scores))[1].matches
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(matches.score))
    shuffled = replace(
        matches,
        image=rng.permutation(15)[matches.image[order]],
        category=matches.category[order],
        score=matches.score[order],
        matched=matches.matched[:, order],
        ignored=matches.ignored[:, order],
    )
    found = rank(matches).tie_aware_precision()
    np.testing.assert_array_equal(rank(shuffled).tie_aware_precision(), found)


@pytest.mark.parametrize("seed", range(8))
def test_tie_aware_ap_is_ap_without_ties(tmp_path: Path, seed: int) -> None:
    run, ranking = reference(*random_set(tmp_path, seed))
    assert not ranking.ties
    np.testing.assert_array_equal(ranking.tie_aware_precision(), run.precision)


def test_spread_is_over_the_orders_of_equal_scores() -> None:
    ranking = rank(boxes((0, 1, 1), (1, 1, 0), truths=1))
    found = spread(ranking, orders=20, seed=0)
    # AP50 is 1 or .5 as the right box comes first or second; the other nine thresholds are 0.
    assert (found.low, found.high, found.orders) == pytest.approx((0.05, 0.1, 20))


@pytest.mark.parametrize(
    "rows",
    [[(0, 0.9, 1), (1, 0.8, 0)], [(0, 0.9, 1), (0, 0.9, 0)]],
    ids=["no-ties", "ties-within-an-image"],
)
def test_no_spread_without_ties_between_images(rows: Any) -> None:
    found = spread(rank(boxes(*rows, truths=1)), orders=20, seed=0)
    assert (found.low, found.high, found.orders) == pytest.approx((0.1, 0.1, 0))


def test_a_range_that_was_not_tried_is_not_known() -> None:
    found = spread(rank(boxes((0, 1, 1), (1, 1, 0), truths=1)), orders=0, seed=0)
    assert (found.low, found.high, found.orders) == (None, None, 0)


def test_fewer_than_no_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--orders to be a number .* got -1"):
        measured(*random_set(tmp_path, 0), engine="hotcoco", orders=-1)


@pytest.mark.parametrize(
    ("rows", "orders", "words"),
    [
        ([(0, 1, 1), (1, 1, 0)], 20, "5.00 to 10.00 over 20 random orders"),
        ([(0, 1, 1), (1, 1, 0)], 0, "not measured"),
        ([(0, 0.9, 1), (1, 0.8, 0)], 0, "the same for every order"),
    ],
    ids=["tried", "not-tried", "no-ties"],
)
def test_the_range_in_words(rows: Any, orders: int, words: str) -> None:
    assert words in spread_in_words(spread(rank(boxes(*rows, truths=1)), orders, seed=0))


def test_spread_holds_the_reported_number_and_repeats(tmp_path: Path) -> None:
    run, ranking = reference(*random_set(tmp_path, 6, (1.0,)))
    found = spread(ranking, orders=20, seed=3)
    assert found.low <= run.metrics["mAP"] <= found.high
    assert found.low < found.high
    assert spread(ranking, orders=20, seed=3) == found


@SCORES
def test_class_scores_are_those_of_the_category_by_itself(tmp_path: Path, scores: Any) -> None:
    annotations, results = random_set(tmp_path, 7, scores)
    run, ranking = reference(annotations, results)
    found = class_scores(ranking, annotations.categories)
    assert [entry.category for entry in found] == [7, 2, 5, 11], "the file's order"
    aps = [entry.metrics["AP"] for entry in found if entry.metrics["AP"] is not None]
    assert np.mean(aps) == pytest.approx(run.metrics["mAP"])
    for entry in found:
        own = [a for a in annotations.data["annotations"] if a["category_id"] == entry.category]
        alone = replace(annotations, data={**annotations.data, "annotations": own})
        metrics = reference(alone, [r for r in results if r["category_id"] == entry.category])[
            0
        ].metrics
        expected = {"AP": "mAP", "AP50": "AP50", "AP75": "AP75", "AR@100": "AR@100"}
        assert {name: entry.metrics[name] for name in expected} == pytest.approx(
            {name: metrics[key] for name, key in expected.items()}
        )
        assert entry.truths == sum(not a["iscrowd"] for a in own)


def test_a_category_without_truths_has_boxes_that_are_all_wrong(tmp_path: Path) -> None:
    annotations, results = random_set(tmp_path, 7)
    entry = class_scores(reference(annotations, results)[1], annotations.categories)[-1]
    assert (entry.metrics["AP"], entry.metrics["recall@.5"], entry.metrics["precision@.5"]) == (
        None,
        None,
        0.0,
    )
    assert entry.boxes == sum(result["category_id"] == 11 for result in results) > 0
