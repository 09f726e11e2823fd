"""Equations 4-8 in one pass: a parsed completion and its ground truth in, the three rewards out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.ground_truth import GroundTruth
from ..formats import Format, ParsedCompletion
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
    """

    format: float
    recall: float
    precision: float
    predicted: int
    truths: int
    match: Match
    issues: tuple[str, ...]

    @property
    def total(self) -> float:
        """The sum of the three (Eq. 7), in [0, 3]."""
        return self.format + self.recall + self.precision

    @property
    def count(self) -> float:
        """Table 4's count reward: 1 when as many boxes were predicted as there are."""
        return float(self.predicted == self.truths)


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
    issues = parsed.issues + format.content_issues(parsed, view)
    format_reward = float(not issues)
    boxes, labels = parsed.boxes, parsed.labels
    if issues and not settings.salvage:
        boxes, labels = boxes[:0], ()
    if not len(truth.boxes):
        # Nothing to find: only the format's own empty answer is right. Unreadable text is no answer
        # at all.
        right = float(parsed.says_nothing and (settings.salvage or not issues))
        return RewardBreakdown(format_reward, right, right, len(boxes), 0, NO_MATCH, issues)
    wrong = labels_differ(labels, truth.labels) if settings.reads_labels else None
    own = format.frame.to_image(boxes, view)
    pairs = match(own, truth.boxes, truth.size, wrong if settings.matcher == "box_label" else None)
    ious = pairs.ious
    if wrong is not None and settings.wrong_label == "unmatched":
        ious = np.where(wrong[pairs.predictions, pairs.truths], 0.0, ious)
    recall, precision = _recall_and_precision(
        ious, len(boxes), len(truth.boxes), criteria, settings.precision_over
    )
    return RewardBreakdown(
        format_reward, recall, precision, len(boxes), len(truth.boxes), pairs, issues
    )


def _recall_and_precision(
    ious: NDArray[np.float64], predicted: int, truths: int, criteria: Criteria, precision_over: str
) -> tuple[float, float]:
    """Eq. 5 and 6, each through f of Eq. 8, for the (M,) IoUs of matched pairs."""
    valid = ious >= criteria.xi0
    found = int(np.count_nonzero(valid))
    recall = float(differentiate(np.float64(found / truths), criteria))
    over = {
        "matched": len(ious),
        "valid": found,
        "predicted": predicted,
        "larger": max(predicted, truths),
    }
    denominator = over[precision_over]
    precision = (
        float((valid * differentiate(ious, criteria)).sum() / denominator) if denominator else 0.0
    )
    return recall, precision
