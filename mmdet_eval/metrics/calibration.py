"""Whether scores are probabilities: the reliability curve and the expected calibration error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .matches import Matches

BINS = 10  # equally wide, over [0, 1]
IOU = 0.5  # from which a box is right


@dataclass(frozen=True)
class Bin:
    """The boxes whose score lies in [low, high), in the last bin also at `high`.

    Attributes:
        boxes: their number.
        score: their mean score; None without boxes.
        right: the share of them that is right; None without boxes.
    """

    low: float
    high: float
    boxes: int
    score: float | None
    right: float | None


@dataclass(frozen=True)
class Calibration:
    """How scores relate to precision.

    Attributes:
        ece: expected calibration error at IoU .5; None if it is not defined.
        bins: the reliability curve, ten bins of equal width; empty if it is not defined.
        undefined: why it is not defined, in words; "" if it is.
    """

    ece: float | None
    bins: tuple[Bin, ...]
    undefined: str = ""


def calibration(parts: Sequence[Matches]) -> Calibration:
    """Calibration of all boxes that count as right or wrong.

    ECE = sum over bins of n_b / n |right_b - score_b| (Guo et al. 2017), with a box being right if
    COCOeval matches it at IoU .5. It is not defined for equal scores, which say nothing, and for
    scores outside [0, 1], which are not probabilities.

    Args:
        parts: the boxes within a limit, and those beyond it.
    """
    place = int(np.argmin(np.abs(parts[0].iou_thresholds - IOU)))
    counts = [~part.ignored[place] for part in parts]
    score = np.concatenate([part.score[use] for part, use in zip(parts, counts, strict=True)])
    right = np.concatenate(
        [part.matched[place][use] for part, use in zip(parts, counts, strict=True)]
    )
    if reason := _undefined(score):
        return Calibration(None, (), reason)
    bins = reliability(score, right)
    gaps = [abs(one.right - one.score) * one.boxes for one in bins if one.boxes]  # type: ignore[operator]
    return Calibration(sum(gaps) / len(score), bins)


def _undefined(score: NDArray[np.float64]) -> str:
    if not len(score):
        return "there are no boxes"
    if score.min() == score.max():
        return f"all scores are {score[0]:g}"
    if score.min() < 0 or score.max() > 1:
        return f"scores range from {score.min():g} to {score.max():g}, not from 0 to 1"
    return ""


def reliability(score: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """The bins of (n,) scores in [0, 1] and whether each box is right.

    >>> reliability(np.array([0.9375, 1.0, 0.05]), np.array([True, False, False]))[9]
    Bin(low=0.9, high=1.0, boxes=2, score=0.96875, right=0.5)
    """
    places = np.minimum((score * BINS).astype(np.int64), BINS - 1)
    boxes = np.bincount(places, minlength=BINS)
    sums = np.bincount(places, score, BINS), np.bincount(places, right, BINS)
    return tuple(
        Bin(
            k / BINS,
            (k + 1) / BINS,
            int(boxes[k]),
            *(float(some[k] / boxes[k]) if boxes[k] else None for some in sums),
        )
        for k in range(BINS)
    )
