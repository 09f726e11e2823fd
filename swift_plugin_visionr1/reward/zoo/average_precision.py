"""COCO's average precision of a single image, as rewards use it: all scores are equal, so boxes
count in the order in which they are written."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...geometry.boxes import Boxes
from .overlap import Overlaps, pairwise_iou

COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 100  # boxes of a category that count


def average_precision(
    boxes: Boxes,
    labels: Sequence[str],
    truths: Boxes,
    truth_labels: Sequence[str],
    thresholds: Sequence[float] = COCO_THRESHOLDS,
) -> float:
    """Mean over the annotated categories and the thresholds of the precision at 101 recalls.

    Boxes of other categories are left out and cost nothing. pycocotools' COCOeval, area `all`.

    Args:
        boxes: (n, 4) xyxy as written, in the annotations' frame.
        labels: of each of them, compared as they are.
        truths: (m, 4) annotated boxes, at least one.
        truth_labels: of each of them.
        thresholds: of the IoU.

    The second box is wrong, but it comes after the last right one:

    >>> truths = np.array([[0, 0, 9, 9.0]])
    >>> boxes = np.array([[0, 0, 9, 9.0], [50, 50, 60, 60]])
    >>> round(average_precision(boxes, ["a", "a"], truths, ["a"]), 3)
    1.0
    """
    values: list[float] = []
    for name in dict.fromkeys(truth_labels):
        columns = [place for place, label in enumerate(truth_labels) if label == name]
        rows = [place for place, label in enumerate(labels) if label == name][:MOST]
        hits = _hits(pairwise_iou(boxes[rows], truths[columns]), np.array(thresholds))
        values += _precisions(hits, len(columns))
    return float(np.mean(values))


def _hits(ious: Overlaps, thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(thresholds, n) whether each box takes a free annotated one; of equal overlaps COCOeval takes
    the last."""
    least = np.minimum(thresholds, 1 - 1e-10)
    free = np.ones((len(least), ious.shape[1]), np.bool_)
    hits = np.zeros((len(least), len(ious)), np.bool_)
    levels = np.arange(len(least))
    for row, overlaps in enumerate(ious[:, ::-1]):
        masked = np.where(free, overlaps, -1.0)
        best = masked.argmax(axis=1)
        hits[:, row] = masked[levels, best] >= least
        free[levels, best] &= ~hits[:, row]
    return hits


def _precisions(hits: NDArray[np.bool_], truths: int) -> list[float]:
    """The mean of the precision envelope at the 101 recalls, for each threshold."""
    count = hits.shape[1]
    right = np.cumsum(hits, axis=1).astype(np.float64)
    precision = right / (np.arange(1, count + 1) + np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # The number of boxes after which each recall is reached; beyond the last the precision is 0.
    places = [np.searchsorted(recall, RECALLS, side="left") for recall in right / truths]
    padded = np.concatenate([envelope, np.zeros((len(hits), 1))], axis=1)
    return [float(row[place].mean()) for row, place in zip(padded, places, strict=True)]
