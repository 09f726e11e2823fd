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
    values = []
    for name in dict.fromkeys(truth_labels):
        columns = [place for place, label in enumerate(truth_labels) if label == name]
        rows = [place for place, label in enumerate(labels) if label == name][:MOST]
        ious = pairwise_iou(boxes[rows], truths[columns])
        values += [_precision_over_recall(_hits(ious, t), len(columns)) for t in thresholds]
    return float(np.mean(values))


def _hits(ious: Overlaps, threshold: float) -> NDArray[np.bool_]:
    """(n,) whether each box takes a free annotated one; of equal overlaps COCOeval takes the
    last."""
    free = np.ones(ious.shape[1], np.bool_)
    hits = np.zeros(len(ious), np.bool_)
    for row, overlaps in enumerate(ious):
        masked = np.where(free, overlaps, -1.0)
        best = len(masked) - 1 - int(masked[::-1].argmax())
        if masked[best] >= min(threshold, 1 - 1e-10):
            hits[row], free[best] = True, False
    return hits


def _precision_over_recall(hits: NDArray[np.bool_], truths: int) -> float:
    """The mean of the precision envelope at the 101 recalls."""
    right = np.cumsum(hits).astype(np.float64)
    precision = right / (np.arange(1, len(hits) + 1) + np.spacing(1))
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(right / truths, RECALLS, side="left")
    return float(np.append(envelope, 0.0)[np.minimum(places, len(hits))].mean())
