"""Progressive rule refinement (section 3.3): f of Eq. 8, the criteria of a stage, and STEP."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Stage = Literal["beginner", "advanced"]
STAGES: tuple[Stage, ...] = ("beginner", "advanced")


@dataclass(frozen=True)
class Criteria:
    """Thresholds of one stage, all in [0, 1].

    Attributes:
        xi0: a matched prediction is valid from this IoU on (Eq. 5 and 6).
        xi1: f gives 0 below it (Eq. 8).
        xi2: f gives 1 from it on (Eq. 8).
    """

    xi0: float
    xi1: float
    xi2: float

    def __post_init__(self) -> None:
        if not (0 <= self.xi0 <= 1 and 0 <= self.xi1 <= self.xi2 <= 1):
            raise ValueError(f"expected 0 <= xi0 <= 1 and 0 <= xi1 <= xi2 <= 1, got {self}")


def differentiate(x: NDArray[np.float64], criteria: Criteria) -> NDArray[np.float64]:
    """Eq. 8: f(x) = 1 where x >= xi2, 0 where x < xi1, x otherwise.

    >>> differentiate(np.array([0.49, 0.5, 0.74, 0.75]), Criteria(0.5, 0.5, 0.75)).tolist()
    [0.0, 0.5, 0.74, 1.0]
    """
    return np.where(x >= criteria.xi2, 1.0, np.where(x < criteria.xi1, 0.0, x))


@dataclass(frozen=True)
class Schedule:
    """When the advanced stage begins; a pure function of the trainer's step, so resuming changes
    nothing.

    Attributes:
        beginner: criteria of the initial learning phase.
        advanced: criteria of the advanced phase.
        step: STEP, the fraction of the run after which the advanced phase begins; 1 is never.
        switch_step: an absolute global step instead; None leaves it to `step`.
        fixed: the one stage of the whole run, whatever the step; None follows the step.
    """

    beginner: Criteria = Criteria(0.5, 0.5, 0.75)
    advanced: Criteria = Criteria(0.75, 0.75, 0.9)
    step: Fraction = Fraction(1, 2)
    switch_step: int | None = None
    fixed: Stage | None = None

    def first_advanced_step(self, max_steps: int) -> int | None:
        """The global step from which the advanced stage holds; None if it never does."""
        if self.fixed is not None:
            return 0 if self.fixed == "advanced" else None
        if self.switch_step is not None:
            return self.switch_step
        return None if self.step >= 1 else ceil(self.step * max_steps)

    @property
    def has_two_stages(self) -> bool:
        """Whether the criteria ever change."""
        return self.fixed is None and (self.switch_step is not None or self.step < 1)

    def stage(self, global_step: int, max_steps: int) -> Stage:
        """The stage of the step that follows `global_step` finished ones, of `max_steps`.

        >>> [Schedule(step=Fraction(1, 2)).stage(step, max_steps=10) for step in (4, 5)]
        ['beginner', 'advanced']
        """
        first = self.first_advanced_step(max_steps)
        return "advanced" if first is not None and global_step >= first else "beginner"

    def criteria(self, stage: Stage) -> Criteria:
        """The thresholds of `stage`."""
        return self.advanced if stage == "advanced" else self.beginner
