"""Precision and recall of one ranking on many samples of the images. Memory is reused: allocating
megabytes for each sample would take as long as the computation."""

import numpy as np
from numpy.typing import NDArray

from .ranking import Floats, Ints, Ranking, envelope


class Resampler:
    """Gives the same results as `Ranking.precision` and `Ranking.recall`, to the last bit.

    Args:
        ranking: T thresholds, p points, K categories.
    """

    def __init__(self, ranking: Ranking) -> None:
        matches, points = ranking.matches, ranking.points
        ignored = matches.ignored[:, points]
        self.ranking = ranking
        self._image = matches.image[points]
        self._right = matches.matched[:, points] & ~ignored
        self._ignored = ignored if ignored.any() else None
        self._category = np.repeat(np.arange(len(ranking.bounds) - 1), np.diff(ranking.bounds))
        thresholds, count = self._right.shape
        self._times = np.empty(count, dtype=np.int64)
        self._true_positives, self._left_out = np.zeros((2, thresholds, count + 1), dtype=np.int64)
        self._work, self._boxes = np.empty((2, thresholds, count), dtype=np.int64)
        # One extra entry, for a reduction that begins after the last point.
        self._padded = np.zeros(thresholds * count + 1)

    def __call__(self, weights: Ints) -> tuple[Floats, Floats]:
        """Precision (T, R, K) and recall (T, K), with each image counted as often as the (I,)
        weights say; -1 if a category has no truth."""
        ranking, bounds = self.ranking, self.ranking.bounds
        np.take(weights, self._image, out=self._times, mode="clip")
        precision = self._padded[:-1].reshape(self._right.shape)
        np.add(self._ranks(weights), np.spacing(1), out=precision)
        true_positives = self._summed(self._right, self._true_positives)
        right = self._within(true_positives, self._work)
        np.divide(right, precision, out=precision)
        truths = ranking.matches.truths @ weights
        recall = np.diff(true_positives[:, bounds], axis=1) / np.maximum(truths, 1)
        best = envelope(true_positives, self._padded, bounds, truths, self._work)
        return best, np.where(truths > 0, recall, -1.0)

    def _ranks(self, weights: Ints) -> Ints:
        """(p,) or (T, p) number of boxes that count, up to and including each point."""
        ranks, _ = self.ranking.ranks(weights, None)
        if self._ignored is None:
            return ranks
        left_out = self._within(self._summed(self._ignored, self._left_out), self._boxes)
        np.subtract(ranks, left_out, out=self._boxes)
        return self._boxes

    def _summed(self, mask: NDArray[np.bool_], out: Ints) -> Ints:
        """(T, p + 1) how often the points of the mask count, up to each."""
        np.multiply(mask, self._times, out=self._work)
        np.cumsum(self._work, axis=1, out=out[:, 1:])
        return out

    def _within(self, summed: Ints, out: Ints) -> Ints:
        """(T, p) the sums, restarted in each category."""
        before = summed[:, self.ranking.bounds[:-1]]
        np.take(before, self._category, axis=1, out=out, mode="clip")
        np.subtract(summed[:, 1:], out, out=out)
        return out
