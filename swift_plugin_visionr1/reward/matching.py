"""Box-prioritised Hungarian matching of predictions to ground truth (section 3.2, Table 3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes, overlaps
from ..geometry.frames import Size

L1_WEIGHT, GIOU_WEIGHT, LABEL_WEIGHT = 5.0, 2.0, 1.0  # DETR's, Carion et al., ECCV 2020
BLOCK = 4096  # pairs whose overlaps are computed at a time, so that their arrays stay in the cache
TIE_WEIGHT = 1e-9  # decides between assignments of equal cost and never against a lower one


Label = TypeVar("Label")


def label_key(label: str) -> tuple[str, str]:
    """What labels are sorted by: first as they are compared, then as they are written."""
    return _name(label), label


@dataclass(frozen=True)
class Match:
    """M = min(#predictions, #ground truth) pairs (Eq. 3).

    Attributes:
        predictions: (M,) indices of the matched predictions, ascending.
        truths: (M,) indices of their ground-truth boxes.
        ious: (M,) IoU of each pair.
    """

    predictions: NDArray[np.intp]
    truths: NDArray[np.intp]
    ious: NDArray[np.float64]


NO_MATCH = Match(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))


@dataclass(frozen=True, eq=False)
class MatchProblem:
    """One completion's boxes and the annotated boxes that they are to be assigned to.

    Attributes:
        boxes: (n, 4) valid predicted boxes, xyxy in pixels of the original image.
        truths: (m, 4) ground-truth boxes in the same frame.
        size: (width, height) of that image; L1 is taken of coordinates divided by it.
        wrong_label: (n, m) whether the labels of a pair differ; None ignores labels. Among
            assignments of equal cost the one with more overlap under right labels is taken.
        label_weight: what a wrong label costs: 1 with `box_label` of Table 3, 0 with `box`.
    """

    boxes: Boxes
    truths: Boxes
    size: Size
    wrong_label: NDArray[np.bool_] | None = None
    label_weight: float = LABEL_WEIGHT


def match(problem: MatchProblem) -> Match:
    """Eq. 3: {P_m} = extract_match(o), with the least total cost 5 L1 + 2 (1 - GIoU).

    The second prediction lies on the first truth:

    >>> predicted_xyxy = np.array([[60, 60, 90, 90], [0, 0, 50, 50.0]])
    >>> truths_xyxy = np.array([[0, 0, 50, 50], [60, 60, 90, 100.0]])
    >>> pairs = match(MatchProblem(predicted_xyxy, truths_xyxy, size=(100, 100)))
    >>> pairs.truths.tolist(), pairs.ious.tolist()
    ([1, 0], [0.75, 1.0])
    """
    return match_all([problem])[0]


def match_all(problems: Sequence[MatchProblem]) -> list[Match]:
    """`match` for many completions, whose overlaps and costs are computed some at a time."""
    matches = [NO_MATCH] * len(problems)
    block: list[int] = []
    pairs = 0
    for place, problem in enumerate(problems):
        count = len(problem.boxes) * len(problem.truths)
        if pairs + count > BLOCK and block:
            _solve(problems, block, matches)
            block, pairs = [], 0
        if count:
            block.append(place)
            pairs += count
    if block:
        _solve(problems, block, matches)
    return matches


def _solve(problems: Sequence[MatchProblem], block: Sequence[int], matches: list[Match]) -> None:
    """Put the matches of a block of problems in their places."""
    # Here, because it takes longer to import than this whole package.
    from scipy.optimize import linear_sum_assignment

    overlaps, costs = _overlaps_and_costs([problems[place] for place in block])
    start = 0
    for place in block:
        problem = problems[place]
        shape = len(problem.boxes), len(problem.truths)
        end = start + shape[0] * shape[1]
        overlap, cost = overlaps[start:end].reshape(shape), costs[start:end].reshape(shape)
        start = end
        if problem.wrong_label is not None:
            right = TIE_WEIGHT * overlap * ~problem.wrong_label
            cost = cost + (problem.label_weight * problem.wrong_label - right)
        rows, columns = linear_sum_assignment(cost)
        matches[place] = Match(rows, columns, overlap[rows, columns])


def _overlaps_and_costs(
    problems: Sequence[MatchProblem],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """IoU and 5 L1 - 2 GIoU of all pairs of all problems, one after the other, row by row."""
    rows, columns = _pair_places([(len(each.boxes), len(each.truths)) for each in problems])
    boxes = np.concatenate([each.boxes for each in problems])
    truths = np.concatenate([each.truths for each in problems])
    overlap, generalised = overlaps(_columns(boxes, rows), _columns(truths, columns))
    sides = np.array([each.size * 2 for each in problems], np.float64)
    boxes /= np.repeat(sides, [len(each.boxes) for each in problems], axis=0)
    truths /= np.repeat(sides, [len(each.truths) for each in problems], axis=0)
    x1, y1, x2, y2 = np.abs(_columns(boxes, rows) - _columns(truths, columns))
    return overlap, L1_WEIGHT * (x1 + y1 + x2 + y2) - GIOU_WEIGHT * generalised


def _pair_places(counts: Sequence[tuple[int, int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each pair of each problem, the place of its box among all boxes, of its truth among all
    truths."""
    ns, ms = np.array(counts).T
    rows = np.repeat(np.arange(ns.sum()), np.repeat(ms, ns))
    starts = np.repeat(np.cumsum(ns * ms) - ns * ms, ns * ms)
    within = (np.arange(len(rows)) - starts) % np.repeat(ms, ns * ms)
    return rows, np.repeat(np.cumsum(ms) - ms, ns * ms) + within


def _columns(boxes: Boxes, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """(4, P) the columns of the boxes at `places`."""
    return np.ascontiguousarray(boxes.T).take(places, axis=1)


def canonical_order(
    boxes: Boxes, labels: Sequence[Label] = (), key: Callable[[Label], Any] | None = None
) -> NDArray[np.intp]:
    """(n,) indices that sort boxes by their corners, and equal boxes by the `key` of their label.

    Boxes in this order get the same assignment, and so the same reward, in whatever order they are
    written, even if several assignments cost the same. Without labels, equal boxes stay in the
    order in which they are written, which is enough if labels do not change the reward.
    """
    corners = boxes.T[::-1]
    order = np.lexsort(corners)
    if not labels or len({*map(tuple, boxes.tolist())}) == len(boxes):
        return order
    keys: list[Any] = [key(label) if key else label for label in labels]
    rank = {each: place for place, each in enumerate(sorted(set(keys)))}
    return np.lexsort(([rank[each] for each in keys], *corners))


def labels_differ(labels: Sequence[str], truths: Sequence[str]) -> NDArray[np.bool_]:
    """(n, m) whether two labels differ, ignoring case and surrounding space."""
    numbers: dict[str, int] = {}
    rows, columns = (
        np.array([numbers.setdefault(_name(label), len(numbers)) for label in each], np.intp)
        for each in (labels, truths)
    )
    return np.asarray(rows[:, None] != columns, dtype=bool)


def _name(label: str) -> str:
    return label.strip().casefold()
