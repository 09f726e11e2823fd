"""Paired bootstrap over images: how much the numbers of several models would vary on other images
of the same kind.

Each sample draws as many images as there are, with replacement, and the same ones for all models. A
COCO-size set (5,000 images, 80 categories) costs about 5 ms per sample and model, hence 10 seconds
for 1,000 samples of two models; 300 images of a few categories take a second.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .matches import Matches
from .matching import IOU_THRESHOLDS
from .ranking import rank
from .resampling import Resampler
from .scores import HEADLINE

Floats = NDArray[np.float64]
AT_75 = int(np.argmin(np.abs(IOU_THRESHOLDS - 0.75)))


def bootstrap(models: Sequence[Matches], samples: int, seed: int) -> Floats:
    """The numbers of each model on each sample.

    Args:
        models: the matches of N models on the same images and categories.
        samples: S, number of samples.
        seed: seed of the draws. Draws for different sets of images are independent.

    Returns:
        (S, N, 5 + K): `HEADLINE`, then AP of each category; NaN if a sample has no truth to measure
        it on.
    """
    return measure_samples(models, draw(len(models[0].image_ids), samples, seed))


def draw(images: int, samples: int, seed: int) -> NDArray[np.int64]:
    """(S, I) how often each image counts in each sample."""
    share = np.full(images, 1 / images)
    return np.random.default_rng(seed).multinomial(images, share, samples)


def measure_samples(models: Sequence[Matches], drawn: NDArray[np.int64]) -> Floats:
    """`bootstrap` on samples that were drawn."""
    resamplers = [Resampler(rank(matches)) for matches in models]
    return np.array(
        [[numbers(resampler, weights) for resampler in resamplers] for weights in drawn]
    )


def interval(differences: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """The middle `level` of (S,) sampled differences; None if no sample could be measured."""
    known = differences[~np.isnan(differences)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def numbers(resampler: Resampler, weights: NDArray[np.int64]) -> Floats:
    """(5 + K,) numbers, as in `bootstrap`."""
    sample = resampler(weights)
    known = sample.truths > 0
    aps = sample.ap.mean(axis=0)
    if not known.any():
        return np.full(len(HEADLINE) + len(aps), np.nan)
    accuracy = np.average(sample.recall[0, known], weights=sample.truths[known])
    rows = (sample.ap, sample.ap[0], sample.ap[AT_75], sample.recall)
    return np.concatenate([[accuracy, *(row[..., known].mean() for row in rows)], aps])
