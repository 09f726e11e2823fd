"""Equations 4 to 7 of the paper, one function each, and `score`, which goes through all of them.

Eq. 3, the matching, is `matching.match`; Eq. 8 and STEP are in `schedule`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.ground_truth import GroundTruth
from ..formats import Format, ParsedCompletion
from ..geometry.boxes import Boxes
from ..geometry.frames import View
from .matching import NO_MATCH, Match, labels_differ, match
from .schedule import Criteria, differentiate

if TYPE_CHECKING:
    from .settings import Settings


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
        labels: of each of them, "" where it has none.
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

    @property
    def total(self) -> float:
        """The sum of the three (Eq. 7), in [0, 3]."""
        return total_reward(self.format, self.recall, self.precision)

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
    return float((valid * differentiate(ious, criteria)).sum() / over) if over else 0.0


def total_reward(dual_format: float, recall: float, precision: float) -> float:
    """Eq. 7: reward = reward_DF + reward_recall + reward_prec, in [0, 3].

    >>> total_reward(1.0, 0.5, 0.75)
    2.25
    """
    return dual_format + recall + precision


def score(
    parsed: ParsedCompletion,
    format: Format,
    truth: GroundTruth,
    view: View,
    criteria: Criteria,
    settings: "Settings",
) -> RewardBreakdown:
    """Score one completion.

    Args:
        parsed: the completion; boxes in the format's own frame.
        format: the format it was parsed with.
        truth: annotations in the original frame.
        view: what the model saw of the image.
        criteria: the stage's thresholds.
        settings: matcher, denominator and the rest of the rules.
    """
    content = format.content_issues(parsed, view)
    issues = parsed.issues + content
    format_reward = dual_format_reward(not parsed.issues, not content)
    boxes, labels = parsed.boxes, parsed.labels
    if issues and not settings.salvage:
        boxes, labels = boxes[:0], ()
    original_xyxy = format.frame.to_image(boxes, view)
    read = issues, original_xyxy, labels
    if not len(truth.boxes):
        # Only an answer that says "nothing" is right. Text that cannot be read is not an answer.
        right = float(parsed.says_nothing and (settings.salvage or not issues))
        return RewardBreakdown(format_reward, right, right, len(boxes), 0, NO_MATCH, *read)
    wrong = labels_differ(labels, truth.labels) if settings.reads_labels else None
    by_label = wrong if settings.matcher == "box_label" else None
    pairs = match(original_xyxy, truth.boxes, truth.size, by_label)
    ious = pairs.ious
    if wrong is not None and settings.wrong_label == "unmatched":
        ious = np.where(wrong[pairs.predictions, pairs.truths], 0.0, ious)
    truths = len(truth.boxes)
    over = _denominator(ious, len(boxes), truths, criteria, settings.precision_over)
    return RewardBreakdown(
        format_reward,
        recall_reward(ious, truths, criteria),
        precision_reward(ious, criteria, over),
        len(boxes),
        truths,
        pairs,
        *read,
    )


def _denominator(
    ious: NDArray[np.float64], predicted: int, truths: int, criteria: Criteria, over: str
) -> int:
    """What Eq. 6 is divided by, as the setting `precision_over` says."""
    if over == "valid":
        return int(np.count_nonzero(ious >= criteria.xi0))
    return {"matched": len(ious), "predicted": predicted, "larger": max(predicted, truths)}[over]
