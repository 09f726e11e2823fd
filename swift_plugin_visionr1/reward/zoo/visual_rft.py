"""Visual-RFT's rewards (Liu et al., arXiv:2503.01785).

Read from Liuziyu77/Visual-RFT@94866331ff38, src/virft/src/open_r1/grpo.py. The published functions
first ask math-verify whether the whole text equals the annotation, and pay 1 if it says so, also
where boxes are wrong. That step is left out here.
"""

import numpy as np
from numpy.typing import NDArray

from .answer import PeerAnswer
from .overlap import first_distinct

THRESHOLD = 0.5  # a box is matched above it
FARTHEST = 1e9  # of a confidence; any number may be written


def iou_reward(answer: PeerAnswer) -> float:
    """Sum of the IoU of matched boxes / max(m, n without repeated boxes); 0 without
    predicted boxes, and where nothing is annotated.

    Boxes choose in the order of their confidence, falling, the free annotated box of highest IoU,
    whatever the label, and are matched if it exceeds .5.

    >>> box = np.array([[0, 0, 20, 20.0]])
    >>> truths = np.array([[0, 0, 20, 20], [50, 50, 80, 80.0]])
    >>> iou_reward(PeerAnswer(box, ("a",), truths, ("a", "a"), (100, 100)))
    0.5
    """
    return rewards(answer)[0]


def confidence_reward(answer: PeerAnswer) -> float:
    """Mean over the boxes of c if the box is matched, else 1 - c, in [0, 1]; 0 without boxes.

    >>> box = np.array([[0, 0, 20, 20.0]])
    >>> confidence_reward(PeerAnswer(box, ("a",), box, ("a",), (100, 100), confidences=(0.75,)))
    0.75
    """
    return rewards(answer)[1]


def rewards(answer: PeerAnswer) -> tuple[float, float]:
    """`iou_reward` and `confidence_reward`, of one match."""
    confidences, ious = _matched(answer)
    if not len(ious):
        return 0.0, 0.0
    sure = np.clip(np.where(ious > 0, confidences, 1 - confidences).mean(), 0.0, 1.0)
    over = max(len(answer.truths), len(ious))
    return min(1.0, float(ious.sum()) / over), float(sure)


def _matched(answer: PeerAnswer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) confidence and IoU of each distinct box, by falling confidence; IoU 0 is unmatched.

    A box without a confidence is taken to be certain.
    """
    stated = np.array(answer.confidences or [1.0] * len(answer.boxes))
    stated = np.nan_to_num(stated, nan=1.0, posinf=FARTHEST, neginf=-FARTHEST)
    distinct = first_distinct(answer.boxes)
    order = distinct[np.argsort(-stated[distinct], kind="stable")]
    ious = np.zeros(len(order))
    free = np.ones(len(answer.truths), np.bool_)
    for place, row in enumerate(order):
        masked = np.where(free, answer.ious[row], 0.0)
        best = int(masked.argmax()) if len(masked) else 0
        if len(masked) and masked[best] > THRESHOLD:
            ious[place], free[best] = masked[best], False
    return stated[order], ious
