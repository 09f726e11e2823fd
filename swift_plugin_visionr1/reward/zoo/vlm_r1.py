"""VLM-R1's rewards (Shen et al., arXiv:2504.07615).

Read from om-ai-lab/VLM-R1@90052f478646, src/open-r1-multimodal/src/open_r1: `grpo_jsonl.py` for
detection, `vlm_modules/*_module.py` for one referred object.
"""

import math
from collections.abc import Hashable, Sequence

from ...geometry.boxes import Boxes
from .answer import PeerAnswer
from .average_precision import COCO_THRESHOLDS, average_precision
from .overlap import match_greedily, pairwise_iou

PIXEL = 1.0  # its overlap counts only beyond one pixel in both directions
THRESHOLD = 0.5
PERIOD = 1024  # tokens after which the reward for the length is at its lowest


def weighted_sum(answer: PeerAnswer) -> float:
    """`weighted_sum`: 0.7 S / m + 0.3 (1 - (missed + false) / 2), in [0, 1].

    Pairs are formed by falling IoU, from .5 on, whatever the labels. S sums the IoU of pairs whose
    labels agree, ignoring case; `missed` and `false` are the shares of annotated and predicted
    boxes without a pair. Nothing annotated: 1 if nothing is predicted, else 0.

    One of two objects is found exactly, and nothing else is said:

    >>> import numpy as np
    >>> truths = np.array([[0, 0, 20, 20], [50, 50, 80, 80.0]])
    >>> one = PeerAnswer(truths[:1], ("a",), truths, ("a", "a"), (100, 100))
    >>> round(weighted_sum(one), 3)
    0.575
    """
    boxes, truths = len(answer.boxes), len(answer.truths)
    if not boxes or not truths:
        return float(boxes == truths)
    ious = pairwise_iou(answer.boxes, answer.truths, least=PIXEL)
    pairs = match_greedily(ious, THRESHOLD)
    labels, named = (
        [label.lower() for label in each] for each in (answer.labels, answer.truth_labels)
    )
    overlap = sum(ious[row, column] for row, column in pairs if labels[row] == named[column])
    unmatched = (truths - len(pairs)) / truths + (boxes - len(pairs)) / boxes
    return float(0.7 * overlap / truths + 0.3 * (1 - unmatched / 2))


def od_ap(answer: PeerAnswer, thresholds: Sequence[float] = COCO_THRESHOLDS) -> float:
    """`od_ap` and `map`: COCO's AP of the image; `od_ap50` with the threshold .5 alone.

    1 if nothing is annotated and nothing predicted, 0 if only one of them.

    >>> import numpy as np
    >>> box = np.array([[0, 0, 20, 20.0]])
    >>> od_ap(PeerAnswer(box, ("cat",), box, ("dog",), (100, 100)))
    0.0
    """
    if not len(answer.boxes) or not len(answer.truths):
        return float(len(answer.boxes) == len(answer.truths))
    return average_precision(
        answer.boxes, answer.labels, answer.truths, answer.truth_labels, thresholds
    )


def od_length(answer: PeerAnswer) -> float:
    """`odLength`: od_ap min(1, m / n), which makes every box beyond the annotated number cost.

    >>> import numpy as np
    >>> twice = np.array([[0, 0, 20, 20.0]] * 2)
    >>> round(od_length(PeerAnswer(twice, ("a", "a"), twice[:1], ("a",), (100, 100))), 3)
    0.5
    """
    boxes, truths = len(answer.boxes), len(answer.truths)
    return od_ap(answer) * (min(1.0, truths / boxes) if boxes else 1.0)


def rec_iou(box: Boxes, truth: Boxes, least: float = PIXEL) -> float:
    """`iou_reward` for one referred object: the IoU of the answer's first box, which counts only
    where the boxes overlap by more than one pixel in both directions (GLM's module: `least=0`).

    Args:
        box: (n, 4) xyxy; the first counts, and without any the reward is 0.
        truth: (m, 4) the annotated box; of several the one that overlaps most.
        least: pixels by which they have to overlap.

    >>> import numpy as np
    >>> round(rec_iou(np.array([[0, 0, 10, 10.0]]), np.array([[0, 0, 10, 8.0]])), 3)
    0.8
    """
    return float(pairwise_iou(box[:1], truth, least=least).max(initial=0.0))


def cosine_length(tokens: int) -> float:
    """`cosine_reward`: 1 - (1 - cos(pi n / 1024)) / 4 for n tokens; not bounded, so it rises again.

    The published function overwrites the correctness by 1.0, so that only the length counts.

    >>> cosine_length(0), cosine_length(1024)
    (1.0, 0.5)
    """
    return 1 - (1 - math.cos(math.pi * tokens / PERIOD)) / 4


def repetition(items: Sequence[Hashable]) -> float:
    """`repetition_reward`: -(1 - distinct / all) of what was answered; 0 for nothing.

    Args:
        items: pairs of box and label.

    >>> repetition(["a", "b", "a", "a"])
    -0.5
    """
    return -(1 - len(set(items)) / len(items)) if items else 0.0
