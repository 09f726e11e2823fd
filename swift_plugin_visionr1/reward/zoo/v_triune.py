"""V-Triune's detection reward, which Orsta was trained with (Ma et al., arXiv:2505.18129).

Read from MiniMax-AI/One-RL-to-See-Them-All@39bcf0d0537d, `DetectionVerifier` of
reward_server/verify.py.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .answer import PeerAnswer
from .average_precision import COCO_THRESHOLDS, average_precision
from .overlap import Overlaps, first_distinct, match_greedily

AVERAGED = (*COCO_THRESHOLDS, 0.99)  # with the threshold `average`
SIZE_BASE = 0.6  # to the power of the difference in number
FORMAT_WEIGHT = 0.1
Same = NDArray[np.bool_]  # (n, m) whether labels agree
Pairs = Sequence[tuple[float, bool]]  # IoU of each pair, and whether it counts
Strategy = Callable[[Overlaps, Same, float], Pairs]


def match_label_first(ious: Overlaps, same: Same, threshold: float) -> Pairs:
    """`iou_max_label_first`: each annotated box in turn takes the free box of its label of highest
    IoU, if that reaches the threshold."""
    free = np.ones(len(ious), np.bool_)
    pairs = []
    for column in range(ious.shape[1]):
        masked = np.where(free & same[:, column], ious[:, column], -1.0)
        best = int(masked.argmax())
        if masked[best] >= threshold:
            pairs.append((float(masked[best]), True))
            free[best] = False
    return pairs


def match_iou_first(ious: Overlaps, same: Same, threshold: float) -> Pairs:
    """`iou_max_iou_first` as it is meant: pairs by falling IoU, which count if their labels agree.

    As published, an inner variable hides the pair: the last free boxes are taken off instead.
    """
    return [(float(ious[pair]), bool(same[pair])) for pair in match_greedily(ious, threshold)]


STRATEGIES: dict[str, Strategy] = {
    "iou_max_label_first": match_label_first,
    "iou_max_iou_first": match_iou_first,
}
AVERAGE_PRECISIONS: dict[str, Sequence[float]] = {
    "map": COCO_THRESHOLDS,
    "map50": (0.5,),
    "map75": (0.75,),
}


@dataclass(frozen=True)
class DetectionScore:
    """V-Triune's terms of one answer: `final` = `size_penalty` times the mean of the `strategies`,
    weighted by their ratios."""

    final: float
    size_penalty: float
    strategies: Mapping[str, float]


def detection_score(
    answer: PeerAnswer,
    ratios: Mapping[str, float],
    thresholds: Sequence[float] = AVERAGED,
    matchers: Mapping[str, Strategy] = STRATEGIES,
    also: Sequence[str] = (),
) -> DetectionScore:
    """size_penalty · sum_k ratio_k score_k / sum_k ratio_k, in [0, 1].

    All are 0 if nothing is predicted or nothing annotated, also both.

    Args:
        answer: one answer; labels are compared in lower case, repeated boxes dropped on both sides.
        ratios: of the strategies and of `map`, `map50`, `map75`, which each row of the published
            data brings along; `iou_completeness` in [0, 1] blends the mean IoU with the share of
            matched boxes.
        thresholds: scores are averaged over them: a fixed one, or `average`'s eleven.
        matchers: the strategies.
        also: names that are scored even if their ratio is 0.

    One of two objects is found exactly, and the number is wrong by one:

    >>> truths = np.array([[0, 0, 20, 20], [50, 50, 80, 80.0]])
    >>> one = PeerAnswer(truths[:1], ("a",), truths, ("a", "a"), (100, 100))
    >>> detection_score(one, {"iou_max_label_first": 1.0}, (0.5,)).final
    0.3
    """
    distinct = _distinct(answer)
    known = (*matchers, *AVERAGE_PRECISIONS)
    names = [name for name in known if ratios.get(name) or name in also]
    if not len(distinct.boxes) or not len(distinct.truths):
        return DetectionScore(0.0, 0.0, dict.fromkeys(names, 0.0))
    blend = ratios.get("iou_completeness", 0.0)
    scores = {
        name: _average_precision(distinct, AVERAGE_PRECISIONS[name])
        if name in AVERAGE_PRECISIONS
        else _strategy_score(distinct, matchers[name], thresholds, blend)
        for name in names
    }
    penalty = float(SIZE_BASE ** abs(len(distinct.boxes) - len(distinct.truths)))
    weight = sum(ratios.get(name, 0.0) for name in names)
    total = sum(ratios.get(name, 0.0) * score for name, score in scores.items())
    return DetectionScore(penalty * total / weight if weight else 0.0, penalty, scores)


def dynamic_threshold(progress: float) -> float:
    """The threshold `dynamic`: .85 up to a tenth of the run, .95 up to a quarter, then .99.

    >>> [dynamic_threshold(progress) for progress in (0.1, 0.2, 0.6)]
    [0.85, 0.95, 0.99]
    """
    return 0.85 if progress <= 0.1 else 0.95 if progress <= 0.25 else 0.99


def _distinct(answer: PeerAnswer) -> PeerAnswer:
    """The answer and its annotations without repeated boxes, labels in lower case."""
    rows, columns = first_distinct(answer.boxes), first_distinct(answer.truths)
    return replace(
        answer,
        boxes=answer.boxes[rows],
        labels=tuple(answer.labels[row].lower() for row in rows),
        truths=answer.truths[columns],
        truth_labels=tuple(answer.truth_labels[column].lower() for column in columns),
    )


def _average_precision(answer: PeerAnswer, thresholds: Sequence[float]) -> float:
    return average_precision(
        answer.boxes, answer.labels, answer.truths, answer.truth_labels, thresholds
    )


def _strategy_score(
    answer: PeerAnswer, match: Strategy, thresholds: Sequence[float], blend: float
) -> float:
    """meanIoU (1 - c) + completeness c over the annotated boxes, its mean over the thresholds."""
    boxes, truths = answer.ious.shape
    labels, named = (np.array(each, object) for each in (answer.labels, answer.truth_labels))
    same = labels[:, None] == named
    scores = []
    for threshold in thresholds:
        pairs = match(answer.ious, same, threshold)
        overlap = math.fsum(iou for iou, counts in pairs if counts) / truths
        number = len(pairs)
        complete = 1 - ((truths - number) / truths + (boxes - number) / boxes) / 2
        scores.append(overlap * (1 - blend) + complete * blend)
    return float(np.mean(scores))
