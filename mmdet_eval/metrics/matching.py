"""Matches boxes to annotations as COCOeval does, for all images and categories at once.

COCOeval visits the boxes of an image and category by descending score. Each takes, at every IoU
threshold, the free annotation that it overlaps most. Few boxes overlap an annotation enough, so
first those pairs are found, and then the first such box of every image and category chooses at the
same time, then the second, and so on. The evaluators do the same one by one, and the result is
checked against theirs (`measure`). Boxes beyond the limit come after all others and are matched
to what those leave over.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.geometry.boxes import Boxes

from ..coco.annotations import Annotations
from ..coco.columns import Indices, rank_of_each
from ..coco.detections import Detections
from .matches import Matches

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
LARGEST_AREA = 1e10  # COCOeval's area "all" ends there
LIMIT = 100  # COCO's: boxes of an image and category that AP and AR see
BLOCK = 1 << 20  # pairs whose overlaps are computed at a time


@dataclass(frozen=True, eq=False)
class Pairs:
    """p pairs of a box and an annotation of its image and category that overlap enough.

    Attributes:
        box, truth: (p,) index into the sorted boxes and the sorted annotations.
        overlap: (p,) IoU; of a crowd, the share of the box that lies in it.
    """

    box: Indices
    truth: Indices
    overlap: NDArray[np.float64]

    def take(self, chosen: NDArray[np.generic]) -> "Pairs":
        """The pairs chosen by a mask or by indices."""
        return Pairs(self.box[chosen], self.truth[chosen], self.overlap[chosen])


@dataclass(frozen=True, eq=False)
class SortedTruths:
    """m annotations by category, then by ascending image id, then in the file's order.

    Attributes:
        cell: (m,) number of the image and category.
        boxes_xywh: (m, 4).
        crowd: (m,) whether it may be matched more than once.
        ignored: (m,) whether a box matched to it counts neither as right nor as wrong.
    """

    cell: Indices
    boxes_xywh: Boxes
    crowd: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


def match_boxes(
    annotations: Annotations,
    detections: Detections,
    limit: int = LIMIT,
    within: NDArray[np.bool_] | None = None,
) -> tuple[Matches, Matches | None]:
    """Match every box.

    Args:
        within: (n,) which boxes are within another limit, whose boxes come first by score.

    Returns:
        the matches of at most `limit` boxes per image and category, the best by score, and those
        of the others; None if there are no others.
    """
    image, category = _ranks(annotations)
    images = len(image)
    cells = category[detections.category] * images + image[detections.image]
    order = np.lexsort((-detections.score, cells))
    cell, boxes_xywh = cells[order], detections.boxes_xywh[order]
    truths = _sorted_truths(annotations)
    matched, ignored = choose(find_pairs(cell, boxes_xywh, truths), truths, len(cell))
    area = boxes_xywh[:, 2] * boxes_xywh[:, 3]
    ignored |= ~matched & ((area < 0) | (area > LARGEST_AREA))
    first = np.arange(len(cell)) - np.searchsorted(cell, cell) < limit
    within = first if within is None else within[order]
    score, counts = detections.score[order], _counts(truths, images, len(category))

    def part(chosen: NDArray[np.bool_]) -> Matches:
        return Matches(
            tuple(sorted(annotations.image_ids)),
            tuple(sorted(annotations.category_ids)),
            IOU_THRESHOLDS,
            cell[chosen] % images,
            cell[chosen] // images,
            score[chosen],
            matched[:, chosen],
            ignored[:, chosen],
            counts,
        )

    return part(within), None if within.all() else part(~within)


def _ranks(annotations: Annotations) -> tuple[Indices, Indices]:
    """The places of images and categories in ascending order of their ids."""
    return rank_of_each(annotations.image_ids), rank_of_each(annotations.category_ids)


def _sorted_truths(annotations: Annotations) -> SortedTruths:
    image, category = _ranks(annotations)
    truths = annotations.truths
    cell = category[truths.category] * len(image) + image[truths.image]
    order = np.argsort(cell, kind="stable")
    ignored = truths.crowd | (truths.area < 0) | (truths.area > LARGEST_AREA)
    return SortedTruths(cell[order], truths.boxes_xywh[order], truths.crowd[order], ignored[order])


def _counts(truths: SortedTruths, images: int, categories: int) -> Indices:
    """(K, I) number of annotations that count."""
    counted = truths.cell[~truths.ignored]
    return np.bincount(counted, minlength=images * categories).reshape(categories, images)


def find_pairs(cell: Indices, boxes_xywh: Boxes, truths: SortedTruths) -> Pairs:
    """The pairs that overlap enough for the lowest threshold."""
    first = np.searchsorted(truths.cell, cell)
    count = np.searchsorted(truths.cell, cell, side="right") - first
    boxes = np.flatnonzero(count)
    block = np.cumsum(count[boxes]) // BLOCK
    parts = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for some in np.split(boxes, np.flatnonzero(np.diff(block)) + 1):
        box, end = np.repeat(some, count[some]), np.cumsum(count[some])
        truth = np.arange(len(box)) + np.repeat(first[some] - end + count[some], count[some])
        overlap = _overlaps(boxes_xywh[box].T, truths.boxes_xywh[truth].T, truths.crowd[truth])
        parts.append(Pairs(box, truth, overlap).take(overlap >= IOU_THRESHOLDS[0]))
    return Pairs(
        np.concatenate([part.box for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.overlap for part in parts]),
    )


def _overlaps(
    boxes: NDArray[np.float64], truths: NDArray[np.float64], crowd: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(p,) overlaps of columns x, y, width, height, in pycocotools' arithmetic to the last bit."""
    (x, y, width, height), (tx, ty, twidth, theight) = boxes, truths
    across = np.minimum(width + x, twidth + tx) - np.maximum(x, tx)
    down = np.minimum(height + y, theight + ty) - np.maximum(y, ty)
    inside = np.where((across > 0) & (down > 0), across * down, 0.0)
    area = width * height
    union = np.where(crowd, area, area + twidth * theight - inside)
    return np.asarray(np.divide(inside, union, out=np.zeros_like(inside), where=inside > 0))


def choose(
    pairs: Pairs, truths: SortedTruths, boxes: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(T, n) whether each box is matched, and whether that makes it count neither way."""
    levels = IOU_THRESHOLDS[:, None]
    matched = np.zeros((len(levels), boxes), dtype=bool)
    ignored = np.zeros_like(matched)
    taken = np.zeros((len(levels), len(truths.cell)), dtype=bool)
    pairs, rounds = _in_rounds(pairs, truths)
    for start, end in pairwise(rounds):
        box, truth = pairs.box[start:end], pairs.truth[start:end]
        free = (pairs.overlap[start:end] >= levels) & (~taken[:, truth] | truths.crowd[truth])
        # The last free pair of a box is the best one.
        begins = np.flatnonzero(np.diff(box, prepend=-1))
        best = np.maximum.reduceat(np.where(free, np.arange(len(box)), -1), begins, axis=1)
        level, which = np.nonzero(best >= 0)
        chosen = truth[best[level, which]]
        matched[level, box[begins][which]] = True
        ignored[level, box[begins][which]] = truths.ignored[chosen]
        taken[level, chosen] = True
    return matched, ignored


def _in_rounds(pairs: Pairs, truths: SortedTruths) -> tuple[Pairs, list[int]]:
    """The pairs by round, then by box, its best one last, and where each round begins.

    COCOeval prefers annotations that count, then more overlap, then later ones. In each round
    there is one box of an image and category, so that no two choose the same annotation.
    """
    box, which = np.unique(pairs.box, return_inverse=True)
    if not len(box):
        return pairs, [0]
    cell = truths.cell[pairs.truth[np.flatnonzero(np.diff(which, prepend=-1))]]
    turn = (np.arange(len(box)) - np.searchsorted(cell, cell))[which]
    counts = ~truths.ignored[pairs.truth]
    order = np.lexsort((pairs.truth, pairs.overlap, counts, pairs.box, turn))
    ends = np.cumsum(np.bincount(turn)).tolist()
    return pairs.take(order), [0, *ends]
