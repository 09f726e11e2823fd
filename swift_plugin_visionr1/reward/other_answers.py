"""Rewards of pointing and counting rows, in the three parts of Eq. 7, so that all tasks of a mixed
run pay on one scale. They do not change with the stage: an answer is right or wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.ground_truth import GroundTruth
from ..data.row_tasks import CountTruth, PointTruth
from ..formats import Format, ParsedCompletion
from ..formats.base import MAX_BOXES
from ..formats.counts import parse_count
from ..formats.points import parse_points
from ..geometry.boxes import Boxes, as_boxes
from ..geometry.frames import View
from .equations import RewardBreakdown, dual_format_reward
from .matching import Match, labels_differ

NO_MATCH = Match(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))


@dataclass(frozen=True, eq=False)
class PointedBreakdown(RewardBreakdown):
    """Of a pointing row: `recall` is the share of annotated boxes with a point of their own,
    `precision` the share of points that are in a box; a point's box has no size."""

    @property
    def achieved(self) -> float | None:
        """None: no box overlaps anything."""
        return None


@dataclass(frozen=True, eq=False)
class CountedBreakdown(PointedBreakdown):
    """Of a counting row: `recall` and `precision` are 1 for the right number, else 0; `predicted`
    and `truths` are the numbers."""

    @property
    def count(self) -> float:
        """1 for the right number; an answer without a number is wrong even where there is
        nothing."""
        return self.recall


def score_points(
    text: str, target: PointTruth, format: Format, view: View, salvage: bool
) -> PointedBreakdown:
    """Points that lie in annotated boxes, one in each: Rex-Omni's point-in-box by the best
    assignment, so that the order of the answer does not matter.

    Args:
        text: the completion.
        target: the row's boxes; names have to agree where there are several names.
        format: how the model writes places.
        view: what it saw of the image.
        salvage: whether points of an answer count whose form is not right.
    """
    parsed, truth = parse_points(text, format), target.truth
    content = format.content_issues(ParsedCompletion(parsed.as_boxes, parsed.labels), view)
    issues = parsed.issues + content
    points_xyxy, labels = format.frame.to_image(parsed.as_boxes, view), parsed.labels
    if issues and not salvage:
        points_xyxy, labels = points_xyxy[:0], ()
    denies = parsed.says_nothing and (salvage or not issues)
    match = _assign(points_in_boxes(points_xyxy, labels, truth))
    recall = precision = float(denies)
    if len(truth.boxes):
        recall = len(match.truths) / len(truth.boxes)
        precision = len(match.truths) / max(len(points_xyxy), 1)
    return PointedBreakdown(
        dual_format_reward(not parsed.issues, not content),
        recall,
        precision,
        len(points_xyxy),
        len(truth.boxes),
        match,
        issues,
        points_xyxy,
        labels,
        match.ious,
    )


def points_in_boxes(
    points_xyxy: Boxes, labels: tuple[str, ...], truth: GroundTruth
) -> NDArray[np.bool_]:
    """(n, m) whether each point lies in each box, borders included, and has its name where boxes
    have several names."""
    x, y = points_xyxy[:, 0, None], points_xyxy[:, 1, None]
    x1, y1, x2, y2 = truth.boxes.T
    inside = (x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2)
    if len(set(truth.labels)) > 1 and len(labels):
        inside &= ~labels_differ(labels, truth.labels)
    return np.asarray(inside, dtype=np.bool_)


def _assign(inside: NDArray[np.bool_]) -> Match:
    """As many pairs of a point and a box around it as there can be, each used once."""
    # Here, because it takes longer to import than this whole package.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(inside, maximize=True)
    hit = inside[rows, columns]
    return Match(rows[hit], columns[hit], np.ones(int(hit.sum())))


def score_count(text: str, target: CountTruth, format: Format, salvage: bool) -> CountedBreakdown:
    """Whether the answer says the right number; arguments as in `score_points`."""
    parsed = parse_count(text, format)
    known = None if parsed.issues and not salvage else parsed.count
    right = float(known == target.count)
    return CountedBreakdown(
        float(not parsed.issues),
        right,
        right,
        min(known or 0, MAX_BOXES),
        target.count,
        NO_MATCH,
        parsed.issues,
        as_boxes([]),
        (),
        NO_MATCH.ious,
    )
