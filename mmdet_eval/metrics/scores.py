"""The numbers of one data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import Id
from .calibration import Calibration
from .matches import Matches
from .matching import LIMIT
from .sampled import Sampled

ACCURACY = "accuracy@.5"  # of referring expressions: the fraction of them whose one box is found
EXACT_COUNT = "exact count"  # the share of questions whose number is right
HEADLINE = (ACCURACY, "mAP", "AP50", "AP75", "AR@100")  # at COCO's limit
Metrics = dict[
    str, float | None
]  # fractions in [0, 1], unrounded; None if there is nothing to measure


def headline_at(limit: int) -> tuple[str, ...]:
    """`HEADLINE` at a limit of boxes per image and category."""
    return (*HEADLINE[:-1], f"AR@{limit}")


@dataclass(frozen=True)
class Spread:
    """AP over random orders of the images, which decide how equal scores rank.

    Attributes:
        low, high: least and greatest mAP of the reported order and the random ones, in [0, 1]. The
            reported number if the order does not matter, because equal scores are in one image
            only. None if there is nothing to measure, or if the order matters but none was tried.
        orders: number of random orders tried.
        seed: seed of the orders.
    """

    low: float | None
    high: float | None
    orders: int
    seed: int


@dataclass(frozen=True)
class LeftOut:
    """What the limit of boxes per image and category leaves out of AP and AR: the number of boxes,
    and of images they are in."""

    images: int
    boxes: int


@dataclass(frozen=True)
class ClassScores:
    """One category: `metrics` has AP, AP50, AP75, AR at the limit, precision@.5, recall@.5, F1@.5;
    counts cover all boxes, including those beyond the limit."""

    category: Id
    name: str
    metrics: Metrics
    truths: int
    boxes: int


@dataclass(frozen=True)
class SuiteScores:
    """What a metric that a suite names found: what tables show first, and what stands beside;
    `sampled` and `groups` as in `Scores`."""

    first: Metrics
    beside: Metrics = field(default_factory=dict)
    sampled: Mapping[str, Sampled] = field(default_factory=dict)
    groups: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Scores:
    """All measurements on one data set.

    Attributes:
        metrics: COCO's twelve, by the engine (`engines.names_at` the limit).
        beside: metrics beyond AP: "tie-aware mAP", "tie-aware AP50", "precision@.5",
            "recall@.5", "F1@.5" and the three as "precision", "recall", "F1" averaged over .5:.95;
            micro-averaged over all boxes, including those beyond the limit; "macro F1@.5",
            "macro F1@.95" and "macro F1" over .5:.95, each "by class" (`by_class`) and "by sample"
            (`by_sample`); "duplicate rate"; of text answers "refused where absent" and
            "refused where present" (`refusal`) and "format adherence" (`Counts.format_adherence`).
        spread: mAP's range over image orders.
        classes: per category, in the annotation file's order.
        precision: (T, R, K) COCOeval's interpolated precision at 101 recalls, area all, at the
            limit; -1 without a truth.
        matches: how boxes were matched.
        engine: what computed `metrics`, with its version.
        checked_by: what recomputed `metrics` and agreed, with its version; or "not checked".
        left_out: what the limit leaves out of `metrics`, `precision` and `matches`.
        max_dets: the limit: boxes of an image and category that AP and AR see.
        calibration: of the scores of all boxes, including those beyond the limit.
        first: the metrics that tables show, if not `headline_at`: those that the suite names.
        sampled: the numbers that are made of sums over images, for their intervals.
        groups: the numbers that are a mean of AP over some categories: (K,) which, in the order of
            `matches`.
    """

    metrics: Metrics
    beside: Metrics
    spread: Spread
    classes: tuple[ClassScores, ...]
    precision: NDArray[np.float64]
    matches: Matches
    engine: str
    checked_by: str
    left_out: LeftOut = LeftOut(0, 0)
    max_dets: int = LIMIT
    calibration: Calibration | None = None
    first: tuple[str, ...] = ()
    sampled: Mapping[str, Sampled] = field(default_factory=dict)
    groups: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
