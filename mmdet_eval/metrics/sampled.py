"""Numbers that are made of sums over images, and what they are on samples of the images."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..coco.columns import Indices

Floats = NDArray[np.float64]
# (S, I) how often each image counts in each sample, in the order of the annotation file -> (S,)
# values of a number; NaN where a sample has nothing to measure it on.
Sampled = Callable[[Floats], Floats]


def ratio(over: NDArray[np.generic], under: NDArray[np.generic]) -> Sampled:
    """The sum of (I,) values over images by that of others.

    >>> ratio(np.array([1, 0, 3]), np.array([1, 0, 1]))(np.array([[1.0, 1.0, 1.0], [0, 2, 0]]))
    array([ 2., nan])
    """

    def values(weights: Floats) -> Floats:
        total = weights @ under.astype(np.float64)
        nothing = np.full(len(total), np.nan)
        sums = weights @ over.astype(np.float64)
        divided: Floats = np.divide(sums, total, out=nothing, where=total > 0)
        return divided

    return values


def mean_of(values: NDArray[np.generic], counted: NDArray[np.bool_] | None = None) -> Sampled:
    """The mean of (I,) values of images, of those that are counted; of all by default."""
    kept = np.ones(len(values), dtype=bool) if counted is None else counted
    return ratio(np.where(kept, values, 0), kept)


def mean_of_answers(values: NDArray[np.generic], image: Indices, images: int) -> Sampled:
    """The mean of (n,) values of answers about images: none, one or several about each.

    Args:
        image: (n,) place of each answer's image in the file.
        images: I.
    """
    sums = np.bincount(image, values.astype(np.float64), images)
    return ratio(sums, np.bincount(image, minlength=images))
