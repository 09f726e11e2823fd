"""Overlaps of boxes as the published rewards take them: their boxes may be reversed or empty."""

import numpy as np
from numpy.typing import NDArray

from ...geometry.boxes import Boxes

Overlaps = NDArray[np.float64]


def pairwise_iou(a: Boxes, b: Boxes, pixel: float = 0.0, least: float = 0.0) -> Overlaps:
    """(n, m) IoU of every pair of (n, 4) and (m, 4) xyxy boxes in the same frame; 0 where the union
    is empty.

    Args:
        a: boxes whose corners may be in the wrong order; their areas are taken as they come.
        b: the same.
        pixel: what is added to each side: 1 where the last pixel belongs to a box.
        least: a pair overlaps only by more than this in both directions, in pixels.

    Two boxes of 4 x 4 that share a strip of 1 x 4 overlap; by VLM-R1's rule they do not:

    >>> a, b = np.array([[0, 0, 4, 4.0]]), np.array([[3, 0, 7, 4.0]])
    >>> round(float(pairwise_iou(a, b)[0, 0]), 3), float(pairwise_iou(a, b, least=1)[0, 0])
    (0.143, 0.0)
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - low
    both = np.where((sides > least - pixel).all(axis=2), (sides + pixel).prod(axis=2), 0.0)
    union = _areas(a, pixel)[:, None] + _areas(b, pixel) - both
    return np.divide(both, union, out=np.zeros_like(both), where=union != 0)


def first_distinct(boxes: Boxes) -> NDArray[np.intp]:
    """Indices of the boxes that equal no earlier one, ascending."""
    places: dict[tuple[float, ...], int] = {}
    for place, box in enumerate(boxes.tolist()):
        places.setdefault(tuple(box), place)
    return np.array(list(places.values()), np.intp)


def match_greedily(ious: Overlaps, threshold: float) -> list[tuple[int, int]]:
    """Pairs (row, column) by falling IoU, each row and column once, as long as it reaches the
    threshold; of equal ones the first in reading order.

    >>> match_greedily(np.array([[0.9, 0.8], [0.95, 0.3]]), 0.5)
    [(1, 0), (0, 1)]
    """
    rest, pairs = ious.copy(), []
    while rest.size and rest.max() >= threshold:
        row, column = divmod(int(rest.argmax()), rest.shape[1])
        pairs.append((row, column))
        rest[row], rest[:, column] = -np.inf, -np.inf
    return pairs


def _areas(boxes: Boxes, pixel: float) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2] + pixel).prod(axis=1), np.float64)
