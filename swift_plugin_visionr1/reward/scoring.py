"""A completion on its way to its rewards: read, matched, scored at a stage.

Reading and matching do not depend on the stage, so one match serves all stages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.ground_truth import GroundTruth
from ..formats import Format, ParsedCompletion
from ..geometry.boxes import Boxes
from ..geometry.frames import View
from .equations import RewardBreakdown, dual_format_reward, precision_reward, recall_reward
from .matching import (
    LABEL_WEIGHT,
    Match,
    MatchProblem,
    canonical_order,
    label_key,
    labels_differ,
    match_all,
)
from .schedule import Criteria

if TYPE_CHECKING:
    from .settings import Settings

Orders = tuple[NDArray[np.intp], NDArray[np.intp]]  # of predicted boxes, of annotated boxes


@dataclass(frozen=True, eq=False)
class Reading:
    """A completion that was read, beside its ground truth.

    Attributes:
        truth: the annotations, in the original frame.
        issues: what breaks the format.
        format_reward: 0 or 1 (Eq. 4).
        denies: the answer says that there is nothing to find, in a form that counts.
        boxes_xyxy: (n, 4) the boxes that count, in pixels of the original image.
        labels: of each of them, "" if it has none.
    """

    truth: GroundTruth
    issues: tuple[str, ...]
    format_reward: float
    denies: bool
    boxes_xyxy: Boxes
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MatchedReading:
    """A reading with its matched pairs; `wrong_label`: (M,) whether the labels of a pair differ,
    all false where the settings do not read labels."""

    reading: Reading
    pairs: Match
    wrong_label: NDArray[np.bool_]


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
    reading = read_completion(parsed, format, truth, view, settings)
    return score_matched(match_readings([reading], settings)[0], criteria, settings)


def read_completion(
    parsed: ParsedCompletion, format: Format, truth: GroundTruth, view: View, settings: "Settings"
) -> Reading:
    """The part of a completion that counts, and whether its form is right. Arguments as in
    `score`."""
    content = format.content_issues(parsed, view)
    issues = parsed.issues + content
    boxes, labels = parsed.boxes, parsed.labels
    if issues and not settings.salvage:
        boxes, labels = boxes[:0], ()
    return Reading(
        truth,
        issues,
        dual_format_reward(not parsed.issues, not content),
        parsed.says_nothing and (settings.salvage or not issues),
        format.frame.to_image(boxes, view),
        labels,
    )


def match_readings(readings: Sequence[Reading], settings: "Settings") -> list[MatchedReading]:
    """Match the boxes of each reading to its annotated boxes, many readings at a time."""
    truths = {id(reading.truth): reading.truth for reading in readings}
    columns = {key: _order(truth.boxes, truth.labels, settings) for key, truth in truths.items()}
    orders = [
        (_order(reading.boxes_xyxy, reading.labels, settings), columns[id(reading.truth)])
        for reading in readings
    ]
    problems = [_problem(*each, settings) for each in zip(readings, orders, strict=True)]
    return [
        _in_written_order(*each)
        for each in zip(readings, problems, orders, match_all(problems), strict=True)
    ]


def _order(boxes: Boxes, labels: Sequence[str], settings: "Settings") -> NDArray[np.intp]:
    return canonical_order(boxes, labels if settings.reads_labels else (), label_key)


def _problem(reading: Reading, order: Orders, settings: "Settings") -> MatchProblem:
    (rows, columns), truth, wrong = order, reading.truth, None
    if settings.reads_labels:
        wrong = labels_differ(reading.labels, truth.labels)[rows][:, columns]
    weight = LABEL_WEIGHT if settings.matcher == "box_label" else 0.0
    return MatchProblem(reading.boxes_xyxy[rows], truth.boxes[columns], truth.size, wrong, weight)


def _in_written_order(
    reading: Reading, problem: MatchProblem, order: Orders, pairs: Match
) -> MatchedReading:
    """The pairs as indices of the boxes as they were written."""
    predictions = order[0][pairs.predictions]
    ascending = np.argsort(predictions)
    wrong = np.zeros(len(predictions), np.bool_)
    if problem.wrong_label is not None:
        wrong = problem.wrong_label[pairs.predictions, pairs.truths][ascending]
    truths = order[1][pairs.truths[ascending]]
    in_order = Match(predictions[ascending], truths, pairs.ious[ascending])
    return MatchedReading(reading, in_order, wrong)


def score_matched(
    matched: MatchedReading, criteria: Criteria, settings: "Settings"
) -> RewardBreakdown:
    """The rewards under one stage's criteria."""
    reading, pairs = matched.reading, matched.pairs
    predicted, truths = len(reading.boxes_xyxy), len(reading.truth.boxes)
    ious = (
        np.where(matched.wrong_label, 0.0, pairs.ious)
        if settings.wrong_label == "unmatched"
        else pairs.ious
    )
    if not truths:
        # Only an answer that says "nothing" is right. Text that cannot be read is not an answer.
        recall = precision = float(reading.denies)
    else:
        over = _denominator(ious, predicted, truths, criteria, settings.precision_over)
        recall = recall_reward(ious, truths, criteria)
        precision = precision_reward(ious, criteria, over)
    return RewardBreakdown(
        reading.format_reward,
        recall,
        precision,
        predicted,
        truths,
        pairs,
        reading.issues,
        reading.boxes_xyxy,
        reading.labels,
        ious,
    )


def _denominator(
    ious: NDArray[np.float64], predicted: int, truths: int, criteria: Criteria, over: str
) -> int:
    """What Eq. 6 is divided by, as the setting `precision_over` says."""
    if over == "valid":
        return int(np.count_nonzero(ious >= criteria.xi0))
    return {"matched": len(ious), "predicted": predicted, "larger": max(predicted, truths)}[over]
