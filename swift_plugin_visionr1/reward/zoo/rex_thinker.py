"""Rex-Thinker's reward (Jiang et al., arXiv:2506.04034): boxes are chosen from given ones, so they
are equal or not.

Read from IDEA-Research/Rex-Thinker@5038b4719494, rexthinker/scripts/reward_func.py.
"""

from ...geometry.boxes import Boxes


def choice_f1(boxes: Boxes, truths: Boxes) -> float:
    """F1 of exactly equal boxes; 0 if a box is written twice; 1 if neither side has a box.

    >>> import numpy as np
    >>> truths = np.array([[0, 0, 20, 20], [50, 50, 80, 80.0]])
    >>> round(choice_f1(truths[:1], truths), 3)
    0.667
    """
    chosen, right = ({tuple(box) for box in each.tolist()} for each in (boxes, truths))
    if not len(boxes) or not len(truths):
        return float(len(boxes) == len(truths))
    if len(chosen) < len(boxes):
        return 0.0
    return 2 * len(chosen & right) / (len(boxes) + len(truths))
