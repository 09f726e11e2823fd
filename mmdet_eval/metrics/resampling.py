"""AP and recall of one ranking on many samples of the images.

A right box at a threshold is an entry; only entries are visited. An entry with which recall passes
some of COCO's 101 levels adds to AP the highest precision at or beyond it, once for each of them,
so no curve has to be made. Entries are visited in blocks that stay in the processor's cache.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ranking import RECALLS, Floats, Ints, Ranking, needed

BLOCK = 1 << 14  # entries, unless one curve has more


@dataclass(frozen=True, eq=False)
class Resampled:
    """The numbers of one sample; NaN where a category has no truth.

    Attributes:
        ap: (T, K) COCOeval's average precision.
        recall: (T, K).
        truths: (K,) number of truths.
    """

    ap: Floats
    recall: Floats
    truths: Ints


class Resampler:
    """Gives the averages of `Ranking.precision`, and `Ranking.recall`, up to rounding.

    Args:
        ranking: T thresholds, p points, K categories.
    """

    def __init__(self, ranking: Ranking) -> None:
        matches, points = ranking.matches, ranking.points
        self._ranking, categories = ranking, len(ranking.bounds) - 1
        category = np.repeat(np.arange(categories), np.diff(ranking.bounds))
        ignored = matches.ignored[:, points]
        # Entries are sorted by threshold, then by category, then as ranked: a curve is a run.
        level, point = np.nonzero(matches.matched[:, points] & ~ignored)
        curve = level * categories + category[point]
        curves = np.arange(len(matches.iou_thresholds) * categories + 1)
        bounds = np.searchsorted(curve, curves)
        cuts = np.flatnonzero(np.diff(bounds // BLOCK)) + 1
        ends = np.append(cuts, curves[-1]).tolist()
        image = matches.image[points][point]
        self._ignored_image, before = _left_out(ranking, ignored, level, point)
        self._curves = [
            _Curves(first, bounds[first : last + 1], image, point, before)
            for first, last in zip([0, *ends], ends, strict=False)
            if bounds[last] > bounds[first]
        ]
        self._truth_category, self._truth_image = np.nonzero(matches.truths)
        self._truth_count = matches.truths[self._truth_category, self._truth_image]

    def __call__(self, weights: Ints) -> Resampled:
        """The numbers with each image counted as often as the (I,) weights say."""
        matches = self._ranking.matches
        shape = len(matches.iou_thresholds), len(self._ranking.bounds) - 1
        counted = self._truth_count * weights[self._truth_image]
        truths = np.bincount(self._truth_category, counted, shape[1]).astype(np.int64)
        begins, levels = _levels(truths)
        begins, boxes = np.tile(begins, shape[0]), self._ranking.ranks(weights, None)[0]
        left_out = _summed(weights[self._ignored_image])
        right, ap = np.zeros((2, shape[0] * shape[1]))
        for curves in self._curves:
            curves.add(right, ap, weights, begins, levels, boxes, left_out)
        recall, known = right.reshape(shape) / np.maximum(truths, 1), truths > 0
        recall, ap = (np.where(known, table, np.nan) for table in (recall, ap.reshape(shape)))
        return Resampled(ap, recall, truths)


class _Curves:
    """Some of the curves, one after the other.

    Args:
        first: number of the first one.
        bounds: (c + 1,) where the entries of each of c curves begin.
        image, point, left_out: of all entries; the last as of `_left_out`.
    """

    def __init__(
        self, first: int, bounds: Ints, image: Ints, point: Ints, left_out: tuple[Ints, Ints]
    ) -> None:
        entries, self._sizes = slice(bounds[0], bounds[-1]), np.diff(bounds)
        self._image, self._point = image[entries], point[entries]
        self._left_out = [part[entries] for part in left_out]
        self._places, self._bounds = slice(first, first + len(self._sizes)), bounds - bounds[0]
        used = self._sizes > 0
        self._used, self._starts = first + np.flatnonzero(used), self._bounds[:-1][used]
        self._ends = self._bounds[1:][used] - 1
        self._apart = 2.0 * np.repeat(np.arange(len(self._sizes), 0, -1), self._sizes)

    def add(
        self,
        right: Floats,
        ap: Floats,
        weights: Ints,
        begins: Ints,
        levels: Ints,
        boxes: Ints,
        left_out: Ints,
    ) -> None:
        """Put the numbers of right boxes and the APs of these curves in their places.

        Args:
            weights: (I,).
            begins: where `levels` begins for each of all curves.
            levels: see `_levels`.
            boxes: up to each of all points.
            left_out: sums of the weights of boxes that do not count.
        """
        summed = _summed(weights[self._image])
        hits = summed[1:] - np.repeat(summed[self._bounds[:-1]], self._sizes)
        right[self._places] = np.diff(summed[self._bounds])
        reached = levels[hits + np.repeat(begins[self._places], self._sizes)]
        gained = reached.copy()
        gained[1:] -= reached[:-1]
        gained[self._starts] = reached[self._starts]
        counted = boxes[self._point]
        if len(left_out) > 1:
            first, last = self._left_out
            counted -= left_out[last] - left_out[first]
        # Curves are put so far apart that one maximum from the last entry to the first does not
        # mix them. It is the highest precision at or beyond each entry.
        precision = hits / np.maximum(counted, 1)
        best = np.maximum.accumulate((precision + self._apart)[::-1])[::-1]
        sums = np.add.reduceat(best * gained, self._starts)
        ap[self._used] = (sums - self._apart[self._starts] * reached[self._ends]) / len(RECALLS)


def _levels(truths: Ints) -> tuple[Ints, Ints]:
    """How many of COCO's levels 0, 1, ... right boxes reach.

    Args:
        truths: (K,).

    Returns:
        (K,) where each category begins in the numbers, and the numbers.
    """
    sizes = np.maximum(truths, 1) + 1
    begins = np.cumsum(sizes) - sizes
    first = np.bincount((begins[:, None] + needed(truths)).ravel(), minlength=int(sizes.sum()))
    return begins, np.cumsum(first) - np.repeat(np.arange(len(truths)) * len(RECALLS), sizes)


def _left_out(
    ranking: Ranking, ignored: NDArray[np.bool_], level: Ints, point: Ints
) -> tuple[Ints, tuple[Ints, Ints]]:
    """The boxes that count neither as right nor as wrong.

    Args:
        ignored: (T, p) of points.
        level, point: (e,) of entries.

    Returns:
        the image of each, by threshold and as ranked; and how many of them come before each
        entry's curve, and up to each entry.
    """
    points = len(ranking.points)
    of_level, place = np.nonzero(ignored)
    where = of_level * points + place
    begins = np.repeat(ranking.bounds[:-1], np.diff(ranking.bounds))[point]
    return ranking.matches.image[ranking.points][place], (
        np.searchsorted(where, level * points + begins),
        np.searchsorted(where, level * points + point, side="right"),
    )


def _summed(values: Ints) -> Ints:
    """(n + 1,) sums of the first 0, 1, ... values."""
    sums = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=sums[1:])
    return sums
