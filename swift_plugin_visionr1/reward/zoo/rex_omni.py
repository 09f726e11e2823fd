"""Rex-Omni's rewards (Jiang et al., arXiv:2510.12798).

Read from IDEA-Research/Rex-Omni@478e44f86e7e, finetuning/verl/configs/reward_func.py. Its decoder
divides bins by 999 and its reward by 1000; here boxes come in pixels, read as the decoder reads
them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...geometry.boxes import Boxes
from .answer import PeerAnswer
from .overlap import pairwise_iou


def box_iou(answer: PeerAnswer) -> float:
    """F1 = 2 P R / (P + R) of the best IoU each way, among boxes of the same name.

    R is the mean over the annotated boxes of their best IoU with a predicted one, P the mean over
    the predicted boxes. Nothing is assigned one to one: a box may stand in for several. Boxes
    without area are dropped; case counts. Nothing annotated: 1 if nothing is predicted, else 0.

    Both objects are found, one of them twice, which costs nothing:

    >>> truths = np.array([[0, 0, 20, 20], [50, 50, 80, 80.0]])
    >>> box_iou(PeerAnswer(truths[[0, 0, 1]], ("a",) * 3, truths, ("a", "a"), (100, 100)))
    1.0
    """
    keep, kept = _have_area(answer.boxes), _have_area(answer.truths)
    boxes, truths = answer.boxes[keep], answer.truths[kept]
    if not len(boxes) or not len(truths):
        return float(len(boxes) == len(truths))
    names, truth_names = (
        np.array([label.strip() for label in labels], object)[where]
        for labels, where in ((answer.labels, keep), (answer.truth_labels, kept))
    )
    ious = np.where(names[:, None] == truth_names, pairwise_iou(boxes, truths), 0.0)
    return _f1(float(ious.max(axis=1).mean()), float(ious.max(axis=0).mean()))


def point_in_box(
    points: NDArray[np.float64], labels: Sequence[str], truths: Boxes, truth_labels: Sequence[str]
) -> float:
    """F1 of points that lie in annotated boxes: each box takes the first free point of its name.

    Args:
        points: (n, 2) x, y in the order of the answer.
        labels: of each of them.
        truths: (m, 4) xyxy in the same frame, borders included.
        truth_labels: of each of them; names are served in the order in which they first appear.

    >>> box = np.array([[0, 0, 20, 20.0]])
    >>> round(point_in_box(np.array([[5, 5], [90, 90.0]]), ("a", "a"), box, ("a",)), 3)
    0.667
    """
    if not len(points) or not len(truths):
        return float(len(points) == len(truths))
    names = [label.strip() for label in labels]
    free = np.ones(len(points), np.bool_)
    for box, label in zip(truths, truth_labels, strict=True):
        same = np.array([name == label.strip() for name in names])
        inside = ((points >= box[:2]) & (points <= box[2:])).all(axis=1)
        fitting = np.flatnonzero(free & same & inside)
        free[fitting[:1]] = False
    taken = int(np.count_nonzero(~free))
    return _f1(taken / len(points), taken / len(truths))


def _have_area(boxes: Boxes) -> NDArray[np.bool_]:
    return np.asarray((boxes[:, :2] != boxes[:, 2:]).all(axis=1), dtype=np.bool_)


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
