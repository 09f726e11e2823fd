"""Schedules whose thresholds move between the beginner's and the advanced ones: with the progress
of the run, or with what the model achieves."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum

import numpy as np
from numpy.typing import NDArray

from ..data.row_tasks import CountTruth, PointTruth, Target
from .schedule import Criteria, Needs, Schedule, Standard

Achieved = tuple[Hashable, float | None]  # a completion's group, and what it achieves


def between(beginner: Criteria, advanced: Criteria, share: float) -> Criteria:
    """xi = (1 - s) xi_beginner + s xi_advanced, for each of the three thresholds.

    >>> between(Criteria(0.5, 0.5, 0.75), Criteria(0.75, 0.75, 0.9), 0.25)
    Criteria(xi0=0.5625, xi1=0.5625, xi2=0.7875)
    """

    def blended(easy: float, hard: float) -> float:
        # Within its ends, which rounding may leave.
        return min(max((1 - share) * easy + share * hard, easy), hard)

    return Criteria(
        blended(beginner.xi0, advanced.xi0),
        blended(beginner.xi1, advanced.xi1),
        blended(beginner.xi2, advanced.xi2),
    )


def progress_share(
    global_step: int, max_steps: int, begins: Fraction = Fraction(0), ends: Fraction = Fraction(1)
) -> Fraction:
    """s(t) = clip((t / T - begins) / (ends - begins), 0, 1), exact.

    Args:
        global_step: t, the number of finished steps.
        max_steps: T.
        begins: the fraction of the run up to which s is 0.
        ends: the fraction of the run from which s is 1.

    >>> [str(progress_share(step, 8, ends=Fraction(1, 2))) for step in (0, 1, 4, 7)]
    ['0', '1/4', '1', '1']
    """
    share = (Fraction(global_step, max_steps) - begins) / (ends - begins)
    return min(max(share, Fraction(0)), Fraction(1))


def achieved_iou(ious: NDArray[np.float64], truths: int) -> float | None:
    """a(o) = sum_m max(IoU_m, 0) / num(GT): the mean IoU over the annotated boxes, where a missed
    one counts as 0. It does not depend on any threshold; None without annotated boxes.

    Args:
        ious: (M,) IoU of each matched pair, 0 where the rules refuse the label.
        truths: number of annotated boxes.

    >>> achieved_iou(np.array([0.9, 0.6]), 3)
    0.5
    """
    return fsum(np.maximum(ious, 0).tolist()) / truths if truths else None


def achieved_share(achieved: Sequence[float], low: float, high: float) -> float:
    """s(G) = clip((mean of a(o) over the group - low) / (high - low), 0, 1).

    Args:
        achieved: a(o) of the group's completions, at least one.
        low: the mean up to which the criteria are the beginner's.
        high: the mean from which they are the advanced ones.

    >>> achieved_share([0.5, 0.75], low=0.5, high=0.75)
    0.5
    """
    # fsum: the same to the last digit in whatever order processes deliver the completions
    share = (fsum(achieved) / len(achieved) - low) / (high - low)
    return min(max(share, 0.0), 1.0)


@dataclass(frozen=True)
class Moving(Schedule):
    """Thresholds on the way from the beginner's to the advanced ones."""

    def standard(self, share: float) -> Standard:
        """What holds at this share of the way."""
        beginner, advanced = self.standards
        if share in (0, 1):
            return advanced if share else beginner
        criteria = between(beginner.criteria, advanced.criteria, share)
        return Standard("", 1 + share, criteria)


@dataclass(frozen=True)
class Continuous(Moving):
    """Thresholds that move with the run's progress, a pure function of the step.

    Attributes:
        begins: the fraction of the run at which they leave the beginner's.
        ends: the fraction of the run at which they reach the advanced ones.
    """

    begins: Fraction = Fraction(0)
    ends: Fraction = Fraction(1)

    @property
    def needs(self) -> Needs:
        """The step."""
        return "step"

    def at(self, global_step: int, max_steps: int) -> Standard:
        """What holds in the step that follows `global_step` finished ones, of `max_steps`."""
        share = progress_share(global_step, max_steps, self.begins, self.ends)
        return self.standard(float(share))


@dataclass(frozen=True)
class Adaptive(Moving):
    """Thresholds that each group of completions sets for itself: they sharpen where the group
    covers its annotation well.

    A pure function of the group, so nothing has to be saved: it is exact after resuming, and needs
    no step.

    Attributes:
        low: the group's mean of `achieved_iou` up to which the criteria are the beginner's.
        high: the mean from which they are the advanced ones.
    """

    low: float = 0.5
    high: float = 0.75

    @property
    def needs(self) -> Needs:
        """The whole group."""
        return "group"

    def by_group(self, completions: Iterable[Achieved]) -> Mapping[Hashable, Standard]:
        """The criteria of each group, from all of its completions. A group without annotated boxes
        has the beginner's, which do not matter there."""
        groups: dict[Hashable, list[float]] = defaultdict(list)
        for group, achieved in completions:
            groups[group] += [] if achieved is None else [achieved]
        return {
            group: self.standard(achieved_share(each, self.low, self.high) if each else 0.0)
            for group, each in groups.items()
        }


def group_of(prompt: object, target: Target) -> Hashable:
    """What the completions of one row have in common, in every process: question and annotation."""
    if isinstance(target, CountTruth):
        return str(prompt), target.count
    truth = target.truth if isinstance(target, PointTruth) else target
    return str(prompt), type(target), truth.size, truth.labels, truth.boxes.tobytes()
