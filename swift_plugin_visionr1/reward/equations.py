"""Equations 4 to 7 of the paper, one function each.

Eq. 3, the matching, is `matching.match`; Eq. 8 and STEP are in `schedule`. `scoring` takes a
completion through all of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes
from .matching import Match
from .moving import achieved_iou
from .schedule import Criteria, differentiate


@dataclass(frozen=True, eq=False)
class RewardBreakdown:
    """The rewards of one completion and what they were made from.

    Attributes:
        format: dual-format reward, 0 or 1 (Eq. 4).
        recall: recall reward in [0, 1] (Eq. 5, then Eq. 8).
        precision: precision reward in [0, 1] (Eq. 6 with Eq. 8 per instance).
        predicted: number of boxes read.
        truths: number of ground-truth boxes.
        match: the matched pairs with their overlaps.
        issues: what breaks the format.
        boxes_xyxy: (predicted, 4) the boxes read, in pixels of the original image.
        labels: of each of them, "" if it has none.
        overlaps: (M,) of each matched pair, by which it is judged: IoU, 0 where the rules refuse
            the label; the released code's is GIoU.
        terms: what the rules of another work pay, by name; None by the paper's and the released
            code's.
    """

    format: float
    recall: float
    precision: float
    predicted: int
    truths: int
    match: Match
    issues: tuple[str, ...]
    boxes_xyxy: Boxes
    labels: tuple[str, ...]
    overlaps: NDArray[np.float64]
    terms: Mapping[str, float] | None = None

    @property
    def paid(self) -> Mapping[str, float]:
        """What the total is the sum of, by name."""
        if self.terms is not None:
            return self.terms
        return {"format": self.format, "recall": self.recall, "precision": self.precision}

    @property
    def total(self) -> float:
        """The sum of the three (Eq. 7), in [0, 3]; by other works' rules the sum of their terms."""
        if self.terms is not None:
            return float(sum(self.terms.values()))
        return total_reward(self.format, self.recall, self.precision)

    @property
    def achieved(self) -> float | None:
        """Mean overlap over the annotated boxes, whatever the thresholds (`achieved_iou`); None
        without annotated boxes."""
        return achieved_iou(self.overlaps, self.truths)

    @property
    def count(self) -> float:
        """Table 4's count reward: 1 when as many boxes were predicted as there are."""
        return float(self.predicted == self.truths)


def dual_format_reward(template_is_right: bool, content_is_right: bool) -> float:
    """Eq. 4: reward_DF(o) = 1 if f_tem = 1 and f_cont = 1, else 0.

    >>> dual_format_reward(template_is_right=True, content_is_right=False)
    0.0
    """
    return float(template_is_right and content_is_right)


def recall_reward(ious: NDArray[np.float64], truths: int, criteria: Criteria) -> float:
    """Eq. 5, then Eq. 8: reward_recall(o) = f(num(valid predictions) / num(GT)).

    Args:
        ious: (M,) IoU of each matched pair; a prediction is valid from xi0 on.
        truths: number of annotated boxes, at least 1.
        criteria: the stage's xi0, xi1, xi2.

    Two of the three boxes were found at xi0 = 0.5, and 2/3 lies between xi1 and xi2:

    >>> round(recall_reward(np.array([0.9, 0.6, 0.3]), 3, Criteria(0.5, 0.5, 0.75)), 3)
    0.667
    """
    valid = int(np.count_nonzero(ious >= criteria.xi0))
    return float(differentiate(np.float64(valid / truths), criteria))


def precision_reward(ious: NDArray[np.float64], criteria: Criteria, over: int) -> float:
    """Eq. 6 with Eq. 8 on each pair: reward_prec(o) = sum_m [(IoU_m >= xi0) f(IoU_m)] / M.

    Args:
        ious: (M,) IoU of each matched pair.
        criteria: the stage's xi0, xi1, xi2.
        over: the denominator, the paper's M or another one of `precision_over`; 0 gives 0.

    f makes 0.9 a full 1, leaves 0.6 as it is, and 0.3 is not valid:

    >>> round(precision_reward(np.array([0.9, 0.6, 0.3]), Criteria(0.5, 0.5, 0.75), over=3), 3)
    0.533
    """
    valid = ious >= criteria.xi0
    # fsum: the same to the last digit in whatever order the boxes were written
    return math.fsum(valid * differentiate(ious, criteria)) / over if over else 0.0


def total_reward(dual_format: float, recall: float, precision: float) -> float:
    """Eq. 7: reward = reward_DF + reward_recall + reward_prec, in [0, 3].

    >>> total_reward(1.0, 0.5, 0.75)
    2.25
    """
    return dual_format + recall + precision
