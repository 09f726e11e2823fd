"""The bootstrap: weights are copies of images, samples are paired, intervals hold what they
should."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval.metrics import resampling
from mmdet_eval.metrics.bootstrap import HEADLINE, bootstrap, interval
from mmdet_eval.metrics.matches import Matches
from mmdet_eval.metrics.ranking import rank
from mmdet_eval.metrics.resampling import Resampler

from .random_sets import random_set
from .references import by_pycocotools, measured


def copies(annotations: Any, results: Any, weights: Any) -> tuple[Any, Any]:
    """The set in which image i is there weights[i] times, copies next to each other."""
    numbers = {i: [100 * i + copy for copy in range(weights[i])] for i in range(len(weights))}
    truths = [
        {**a, "image_id": n}
        for a in annotations.data["annotations"]
        for n in numbers[a["image_id"]]
    ]
    truths = [{**a, "id": number} for number, a in enumerate(truths, start=1)]
    images = [replace(image, id=n) for image in annotations.images for n in numbers[image.id]]
    data = {
        **annotations.data,
        "annotations": truths,
        "images": [{"id": image.id} for image in images],
    }
    found = [{**r, "image_id": n} for r in results for n in numbers[r["image_id"]]]
    return replace(annotations, images=tuple(images), data=data), found


@pytest.mark.parametrize("seed", range(8))
def test_weights_are_copies_of_images(tmp_path: Path, seed: int) -> None:
    annotations, results = random_set(tmp_path, seed)
    weights = np.random.default_rng(seed).multinomial(15, np.full(15, 1 / 15))
    ranking = rank(by_pycocotools(annotations, results)[1])
    expected = by_pycocotools(*copies(annotations, results, weights))[0]
    np.testing.assert_allclose(ranking.precision(weights), expected.precision, atol=1e-12)
    recall = ranking.recall(weights)
    assert recall[recall > -1].mean() == pytest.approx(expected.metrics["AR@100"])


def test_samples_are_evaluations_of_resampled_images(tmp_path: Path) -> None:
    annotations, results = random_set(tmp_path, 1)
    found = bootstrap([by_pycocotools(annotations, results)[1]], samples=5, seed=9)
    assert found.shape == (5, 1, 9)
    drawn = np.random.default_rng(9).multinomial(15, np.full(15, 1 / 15), 5)
    for weights, numbers in zip(drawn, found[:, 0], strict=True):
        metrics = by_pycocotools(*copies(annotations, results, weights))[0].metrics
        assert numbers[1:5] == pytest.approx(
            [metrics[name] for name in ("mAP", "AP50", "AP75", "AR@100")]
        )
        assert np.nanmean(numbers[5:]) == pytest.approx(metrics["mAP"])
        assert np.isnan(numbers[-1]), "category 11 has no truth"


def test_all_models_see_the_same_samples(tmp_path: Path) -> None:
    matches = by_pycocotools(*random_set(tmp_path, 1))[1]
    found = bootstrap([matches, matches], samples=20, seed=0)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    assert found[:, 0, 0].std() > 0


def test_recall_spreads_as_the_theory_of_shares_says() -> None:
    """200 images with one object each, found in half of them: the standard error is sqrt(.25 /
    200)."""
    right = np.arange(200) % 2 == 0
    matched = np.tile(right, (10, 1))
    matches = Matches(
        tuple(range(200)),
        (1,),
        np.linspace(0.5, 0.95, 10),
        np.arange(200),
        np.zeros(200, dtype=np.int64),
        np.ones(200),
        matched,
        np.zeros_like(matched),
        np.ones((1, 200), dtype=np.int64),
    )
    drawn = bootstrap([matches], samples=2000, seed=0)[:, 0, HEADLINE.index("AR@100")]
    assert drawn.mean() == pytest.approx(0.5, abs=0.005)
    low, high = interval(drawn)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 200), rel=0.08)


def test_interval_leaves_out_what_could_not_be_measured() -> None:
    assert interval(np.array([0.0, np.nan, 1.0]), level=1.0) == (0.0, 1.0)
    assert interval(np.array([np.nan])) is None


@pytest.mark.parametrize("crowds", [False, True], ids=["no crowds", "crowds"])
@pytest.mark.parametrize("block", [1, 1 << 14], ids=["many blocks", "one block"])
def test_samples_have_the_averages_of_the_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crowds: bool, block: int
) -> None:
    annotations, results = random_set(tmp_path, 3, images=30)
    matches = measured(annotations, results, engine="hotcoco").matches
    if not crowds:
        right, nothing = matches.matched & ~matches.ignored, np.zeros_like(matches.ignored)
        matches = replace(matches, matched=right, ignored=nothing)
    ranking = rank(matches)
    monkeypatch.setattr(resampling, "BLOCK", block)
    resampler, random = Resampler(ranking), np.random.default_rng(0)
    for weights in random.multinomial(30, np.full(30, 1 / 30), 20):
        sample = resampler(weights)
        known = sample.truths > 0
        precision, recall = ranking.precision(weights), ranking.recall(weights)
        np.testing.assert_array_equal(known, recall[0] >= 0)
        expected = precision[..., known].mean(axis=1)
        np.testing.assert_allclose(sample.ap[:, known], expected, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(sample.recall[:, known], recall[:, known])
        assert np.isnan(sample.ap[:, ~known]).all()
