"""Precision at COCO's 101 recalls from `Matches`: COCOeval's numbers, also with weights and other
orders of the images.

Between two right boxes precision only falls, so only boxes that are right or ignored at some
threshold ("points") need to be visited. All others merely push later points back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .matches import Matches

RECALLS = np.linspace(0.0, 1.0, 101)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The boxes of `Matches` in COCOeval's order: by category, by descending score, by image, then
    in the given order.

    Boxes of one category, score and image form a unit (U of them), boxes of one category and score
    a group.

    Attributes:
        matches: the boxes.
        unit_image, unit_group, unit_size: (U,) its image, its group (ascending) and its number of
            boxes.
        unit_bounds: (K + 1,) where each category's units begin.
        points: (p,) index into the boxes of `matches`, in COCOeval's order.
        point_unit: (p,) its unit.
        point_place: (p,) its place in the unit, from 1.
        bounds: (K + 1,) where each category's points begin.
    """

    matches: Matches
    unit_image: Ints
    unit_group: Ints
    unit_size: Ints
    unit_bounds: Ints
    points: Ints
    point_unit: Ints
    point_place: Ints
    bounds: Ints

    @property
    def ties(self) -> bool:
        """Whether the order of the images decides how some boxes rank."""
        return bool((self.unit_group[1:] == self.unit_group[:-1]).any())

    @cached_property
    def reported(self) -> Floats:
        """`precision` of every image once, in the order of the ids: what COCOeval reports."""
        return self.precision()

    def precision(self, weights: Ints | None = None, places: Ints | None = None) -> Floats:
        """COCOeval's interpolated precision for area "all" and 100 boxes.

        Args:
            weights: (I,) how often each image counts (a bootstrap sample's counts); once by
                default. Copies of an image rank next to each other.
            places: (I,) rank of each image among equal scores; by default the order of the ids.

        Returns:
            (T, R, K); -1 where a category has no truth.
        """
        matches = self.matches
        weights = np.ones(len(matches.image_ids), dtype=np.int64) if weights is None else weights
        rank, order = self.ranks(weights, places)
        points, rank = self.points[order], rank[order]
        times, ignored = weights[matches.image[points]], matches.ignored[:, points]
        right = np.where(matches.matched[:, points] & ~ignored, times, 0)
        boxes = rank - _within(np.cumsum(np.where(ignored, times, 0), axis=1), self.bounds)
        return interpolate(right, boxes, self.bounds, matches.truths @ weights)

    def recall(self, weights: Ints | None = None) -> Floats:
        """COCOeval's recall for area "all" and 100 boxes: (T, K); -1 where a category has no
        truth."""
        matches = self.matches
        weights = np.ones(len(matches.image_ids), dtype=np.int64) if weights is None else weights
        hits = matches.matched[:, self.points] & ~matches.ignored[:, self.points]
        true_positives = np.cumsum(np.where(hits, weights[matches.image[self.points]], 0), axis=1)
        truths = matches.truths @ weights
        return np.where(
            truths > 0,
            np.diff(_from_zero(true_positives)[:, self.bounds], axis=1) / np.maximum(truths, 1),
            -1.0,
        )

    def tie_aware_precision(self) -> Floats:
        """Like `precision`, but all boxes of one category and score enter at once, so that no order
        matters."""
        matches, ones = self.matches, np.ones(len(self.matches.image_ids), dtype=np.int64)
        group, at = np.unique(self.unit_group[self.point_unit], return_index=True)
        ignored = matches.ignored[:, self.points]
        right = np.add.reduceat(
            matches.matched[:, self.points] & ~ignored, at, axis=1, dtype=np.int64
        )
        left_out = np.add.reduceat(ignored, at, axis=1, dtype=np.int64)
        last = np.searchsorted(self.unit_group, group, side="right") - 1
        bounds = np.searchsorted(at, self.bounds)
        rank = (
            np.cumsum(self.unit_size)[last] - self._boxes_before(self.unit_size)[_category(bounds)]
        )
        return interpolate(
            right,
            rank - _within(np.cumsum(left_out, axis=1), bounds),
            bounds,
            matches.truths @ ones,
        )

    def ranks(self, weights: Ints, places: Ints | None) -> tuple[Ints, Ints | slice]:
        """(p,) weighted number of boxes of the category up to and including each point, and the
        points' order by it."""
        sizes = self.unit_size * weights[self.unit_image]
        if places is None:
            before = np.cumsum(sizes) - sizes
        else:
            key = self.unit_group * len(self.matches.image_ids) + places[self.unit_image]
            units = np.argsort(key, kind="stable")
            before = np.empty_like(sizes)
            before[units] = np.cumsum(sizes[units]) - sizes[units]
        rank = before[self.point_unit] + self.point_place * weights[self.matches.image[self.points]]
        order = slice(None) if places is None else np.argsort(rank, kind="stable")
        return rank - self._boxes_before(sizes)[_category(self.bounds)], order

    def _boxes_before(self, sizes: Ints) -> Ints:
        """(K,) number of boxes in the categories before each."""
        return np.concatenate([[0], np.cumsum(sizes)])[self.unit_bounds[:-1]]


def rank(matches: Matches) -> Ranking:
    """Sort the boxes as COCOeval does."""
    order = np.lexsort(
        (-matches.score, matches.category)
    )  # stable: equal scores stay in the order of the images
    category, score, image = matches.category[order], matches.score[order], matches.image[order]
    new_group = _changes(category, score)
    new_unit = new_group | _changes(image)
    units = np.flatnonzero(new_unit)
    unit_of_box = np.cumsum(new_unit) - 1
    active = np.flatnonzero(np.logical_or.reduce(matches.matched | matches.ignored)[order])
    categories = np.arange(len(matches.category_ids) + 1)
    return Ranking(
        matches,
        unit_image=image[units],
        unit_group=(np.cumsum(new_group) - 1)[units],
        unit_size=np.diff(np.append(units, len(order))),
        unit_bounds=np.searchsorted(category[units], categories),
        points=order[active],
        point_unit=unit_of_box[active],
        point_place=active - units[unit_of_box[active]] + 1,
        bounds=np.searchsorted(category[active], categories),
    )


def interpolate(right: Ints, boxes: Ints, bounds: Ints, truths: Ints) -> Floats:
    """COCOeval's precision at 101 recalls, for all thresholds and categories at once.

    Args:
        right: (T, p) true positives that each of p points adds.
        boxes: (T, p) boxes of its category that count, up to and including the point.
        bounds: (K + 1,) where each category's points begin.
        truths: (K,) number of truths.

    Returns:
        (T, R, K); -1 where a category has no truth.
    """
    true_positives = _from_zero(np.cumsum(right, axis=1))
    precision = _within(true_positives[:, 1:], bounds) / (boxes + np.spacing(1))
    start, end = (true_positives[:, b] for b in (bounds[:-1], bounds[1:]))
    least = needed(truths)
    reached = least <= (end - start)[..., None]  # (T, K, R)
    # The rows are concatenated, so that one search and one reduction serve all.
    rows = np.arange(len(true_positives))[:, None]
    step = int(true_positives.max(initial=0)) + int(least.max(initial=0)) + 1
    shifted = true_positives[:, 1:] + rows * step
    first = np.searchsorted(shifted.ravel(), (start + rows * step)[..., None] + least)
    first = np.minimum(first, (rows * shifted.shape[1] + bounds[1:])[..., None])
    # One extra entry, for a reduction that begins after the last point.
    padded = np.append(precision.ravel(), 0.0)
    best = np.maximum.reduceat(padded, first.ravel()).reshape(first.shape)
    best = np.where(reached, best, 0.0)
    highest = np.maximum.accumulate(best[..., ::-1], axis=-1)[..., ::-1].transpose(0, 2, 1)
    return np.where(truths > 0, highest, -1.0)


def average(values: Floats) -> float | None:
    """The mean of all values but -1, as in COCOeval's summary; None if all are -1."""
    measured = values[values > -1]
    return float(measured.mean()) if measured.size else None


def needed(truths: Ints) -> Ints:
    """(K, R) least number of true positives, at least 1, that gives each recall in COCOeval's
    arithmetic."""
    total = np.maximum(truths, 1)[:, None]
    least = np.ceil(RECALLS * total).astype(np.int64)  # off by one if the product is rounded
    least = np.where((least - 1) / total >= RECALLS, least - 1, least)
    least = np.where(least / total < RECALLS, least + 1, least)
    return np.maximum(least, 1)


def _within(cumulative: Ints, bounds: Ints) -> Ints:
    """(T, p) cumulative sums that restart in each category."""
    return cumulative - _from_zero(cumulative)[:, bounds[:-1]][:, _category(bounds)]


def _from_zero(cumulative: Ints) -> Ints:
    """(T, p + 1) with a leading column of zeros."""
    return np.pad(cumulative, ((0, 0), (1, 0)))


def _category(bounds: Ints) -> Ints:
    """(p,) the category of each point."""
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))


def _changes(*columns: NDArray[np.generic]) -> NDArray[np.bool_]:
    """(n,) whether an entry differs from the previous one in any column; the first always does."""
    differs: Sequence[NDArray[np.bool_]] = [column[1:] != column[:-1] for column in columns]
    changed = np.ones(len(columns[0]), dtype=bool)
    changed[1:] = np.logical_or.reduce(differs)
    return changed
