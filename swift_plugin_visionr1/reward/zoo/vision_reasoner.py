"""VisionReasoner's reward (Liu et al., arXiv:2505.12081) and Seg-Zero's, which came before it
(arXiv:2503.06520).

Read from dvlab-research/Seg-Zero@42a33455283b, verl/utils/reward_score: vision_reasoner.py, seg.py.
Coordinates are pixels of the image resized to 840 x 840.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.boxes import Boxes
from .overlap import pairwise_iou

SIDE = 840  # pixels
MOST = 120  # objects on each side
Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DescribedObjects:
    """Objects as VisionReasoner describes them: (n, 4) `boxes` xyxy and (n, 2) `points`."""

    boxes: Boxes
    points: Points


def accuracy(predicted: DescribedObjects, truths: DescribedObjects) -> float:
    """Best assignment's sum of pair rewards / max(n, m), in [0, 3]; 0 with nothing on either side.

    A pair earns 1 for an IoU above .5 (the last pixel belongs to a box), 1 for a mean difference of
    the coordinates below 10, and 1 for points less than 30 apart, of which the predicted one lies
    in the predicted box.

    >>> box, point = np.array([[0, 0, 20, 20.0]]), np.array([[10, 10.0]])
    >>> accuracy(DescribedObjects(box, point), DescribedObjects(box, point + 50))
    2.0
    """
    # Here, because it takes longer to import than this whole package.
    from scipy.optimize import linear_sum_assignment

    boxes, points = predicted.boxes[:MOST], predicted.points[:MOST]
    truth_boxes, truth_points = truths.boxes[:MOST], truths.points[:MOST]
    if not len(boxes) or not len(truth_boxes):
        return 0.0
    inside = _are_inside(points, boxes)[:, None]
    near = np.linalg.norm(points[:, None] - truth_points, axis=2) < 30
    close = np.abs(boxes[:, None] - truth_boxes).mean(axis=2) < 10
    overlap = pairwise_iou(boxes, truth_boxes, pixel=1) > 0.5
    pairs = overlap.astype(np.float64) + close + (near & inside)
    rows, columns = linear_sum_assignment(pairs, maximize=True)
    return float(pairs[rows, columns].sum() / max(len(boxes), len(truth_boxes)))


def non_repeat(text: str) -> float:
    """1, or 0 if two sentences of the text came before.

    >>> non_repeat("I look. I look."), non_repeat("I look. I look. I look.")
    (1.0, 0.0)
    """
    sentences = [sentence.strip() for sentence in text.split(".") if sentence.strip()]
    return float(len(sentences) - len(set(sentences)) < 2)


def seg_zero(box: Boxes, points: Points, truth: Boxes, truth_points: Points) -> dict[str, float]:
    """Seg-Zero's three rewards of one object, 0 or 1 each.

    Args:
        box: (1, 4) xyxy, or (0, 4): then all are 0.
        points: (2, 2) its two points.
        truth: (1, 4) the annotated box.
        truth_points: (2, 2) its points.

    >>> box, points = np.array([[0, 0, 20, 20.0]]), np.array([[5, 5], [9, 9.0]])
    >>> seg_zero(box, points, box + 12, points)
    {'iou': 0.0, 'box_l1': 0.0, 'point': 1.0}
    """
    if not len(box):
        return {"iou": 0.0, "box_l1": 0.0, "point": 0.0}
    overlap = pairwise_iou(box, truth, pixel=1, least=1)[0, 0]
    pairings = (truth_points, truth_points[::-1])
    distance = min(np.linalg.norm(points - each, axis=1).mean() for each in pairings)
    inside = _are_inside(points, np.repeat(box, len(points), axis=0)).all()
    return {
        "iou": float(overlap > 0.5),
        "box_l1": float(np.abs(box - truth).mean() < 10),
        "point": float(inside and distance < 100),
    }


def _are_inside(points: Points, boxes: Boxes) -> NDArray[np.bool_]:
    """(n,) whether each point lies in its box, borders included."""
    return np.asarray(
        ((points >= boxes[:, :2]) & (points <= boxes[:, 2:])).all(axis=1), dtype=np.bool_
    )
