"""Perception-R1's grounding reward (Yu et al., arXiv:2504.07954).

Read from linkangheng/PR1@48d5558ee3f9, src/open_r1/rewards.py. The detection reward that the paper
describes is not in the repository.
"""

from ...geometry.boxes import Boxes
from .overlap import pairwise_iou


def grounding_reward(boxes: Boxes, truths: Boxes) -> float:
    """The square of the IoU of the answer's first box; 0 without one.

    Args:
        boxes: (n, 4) xyxy; the first counts.
        truths: (m, 4) the annotated box; of several the one that overlaps most.

    >>> import numpy as np
    >>> round(grounding_reward(np.array([[0, 0, 10, 10.0]]), np.array([[0, 0, 10, 8.0]])), 3)
    0.64
    """
    return float(pairwise_iou(boxes[:1], truths).max(initial=0.0)) ** 2
