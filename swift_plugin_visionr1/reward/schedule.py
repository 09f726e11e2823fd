"""Progressive rule refinement (section 3.3): f of Eq. 8, the criteria of a stage, and when each
stage begins (STEP)."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Stage = Literal["beginner", "advanced"]
STAGES: tuple[Stage, ...] = ("beginner", "advanced")
Needs = Literal["nothing", "step", "group"]


@dataclass(frozen=True)
class Criteria:
    """Thresholds of one stage, all in [0, 1].

    Attributes:
        xi0: the IoU at which a matched prediction becomes valid (Eq. 5 and 6).
        xi1: the value below which f is 0 (Eq. 8).
        xi2: the value from which f is 1 (Eq. 8).
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
class Standard:
    """The criteria that completions are judged by, and where they stand in their schedule.

    Attributes:
        name: of the stage; "" between two stages.
        number: 1 for the first stage, 2 for the second; a fraction between two stages.
        criteria: the thresholds.
    """

    name: str
    number: float
    criteria: Criteria

    @property
    def title(self) -> str:
        """In words: `beginner stage`, `40% advanced`."""
        return f"{self.name} stage" if self.name else f"{self.number - 1:.0%} advanced"

    @property
    def logged(self) -> dict[str, float]:
        """The numbers that the callback logs."""
        return {"stage": self.number, **asdict(self.criteria)}


@dataclass(frozen=True)
class Schedule:
    """What every schedule can tell.

    Attributes:
        standards: the named stages in order: the first is `beginner`, the last is `advanced`.
    """

    standards: tuple[Standard, ...]

    @property
    def needs(self) -> Needs:
        """What chooses the criteria."""
        return "nothing"

    def at(self, global_step: int, max_steps: int) -> Standard:
        """What holds in the step that follows `global_step` finished ones, of `max_steps`.

        Raises:
            TypeError: each group has its own criteria, as `needs` says.
        """
        raise TypeError(f"expected a schedule that follows the step, got {self}")

    def named(self, name: str) -> Standard:
        """The stage of that name."""
        return next(standard for standard in self.standards if standard.name == name)

    def criteria(self, name: str) -> Criteria:
        """The thresholds of a stage."""
        return self.named(name).criteria

    @property
    def names(self) -> tuple[str, ...]:
        """The stages that a run goes through, or goes from and to."""
        return tuple(standard.name for standard in self.standards)


@dataclass(frozen=True)
class Stages(Schedule):
    """Stages that begin at given points of the run.

    Attributes:
        begins: when each stage begins: a fraction of the run, a global step, or None for never.
    """

    begins: tuple[Fraction | int | None, ...] = (Fraction(0),)

    @property
    def needs(self) -> Needs:
        """The step, if the criteria ever change."""
        return "step" if len(self.names) > 1 else "nothing"

    @property
    def names(self) -> tuple[str, ...]:
        """The stages that ever begin."""
        pairs = zip(self.standards, self.begins, strict=True)
        return tuple(standard.name for standard, begin in pairs if begin is not None)

    def first_steps(self, max_steps: int) -> dict[str, int]:
        """The global step from which each stage holds; those that never begin are left out.

        STEP is exact: with fractions of the run, the stage begins at ceil(STEP * max_steps).

        >>> three_stages = Stages(
        ...     tuple(Standard(name, 1, Criteria(0.5, 0.5, 0.75)) for name in "abc"),
        ...     (Fraction(0), Fraction(1, 3), Fraction(2, 3)),
        ... )
        >>> three_stages.first_steps(10)
        {'a': 0, 'b': 4, 'c': 7}
        """
        pairs = zip(self.standards, self.begins, strict=True)
        return {
            standard.name: begin if isinstance(begin, int) else ceil(begin * max_steps)
            for standard, begin in pairs
            if begin is not None
        }

    def at(self, global_step: int, max_steps: int) -> Standard:
        """What holds in the step that follows `global_step` finished ones, of `max_steps`."""
        begun = [
            name for name, first in self.first_steps(max_steps).items() if first <= global_step
        ]
        return self.named(begun[-1])


def numbered(criteria: tuple[Criteria, ...]) -> tuple[Standard, ...]:
    """Stages with names and numbers, of at least two criteria from the easiest to the hardest.

    >>> easy, hard = Criteria(0.5, 0.5, 0.75), Criteria(0.75, 0.75, 0.9)
    >>> [standard.name for standard in numbered((easy, hard, hard, hard))]
    ['beginner', 'intermediate-1', 'intermediate-2', 'advanced']
    """
    middle = [f"intermediate-{i}" for i in range(1, len(criteria) - 1)]
    names = ["beginner", *(["intermediate"] if len(middle) == 1 else middle), "advanced"]
    each = enumerate(zip(names, criteria, strict=True), start=1)
    return tuple(Standard(name, float(number), one) for number, (name, one) in each)


def two_stages(
    beginner: Criteria = Criteria(0.5, 0.5, 0.75),
    advanced: Criteria = Criteria(0.75, 0.75, 0.9),
    step: Fraction = Fraction(1, 2),
    switch_step: int | None = None,
    fixed: Stage | None = None,
) -> Stages:
    """The paper's schedule.

    Args:
        beginner: criteria of the initial learning phase.
        advanced: criteria of the advanced phase.
        step: STEP, the fraction of the run after which the advanced phase begins; 1 is never.
        switch_step: an absolute global step instead; None leaves it to `step`.
        fixed: the one stage of the whole run, whatever the step; None follows the step.

    >>> [two_stages(step=Fraction(1, 2)).at(step, max_steps=10).name for step in (4, 5)]
    ['beginner', 'advanced']
    """
    begins: tuple[Fraction | int | None, ...]
    if fixed is not None:
        begins = tuple(Fraction(0) if stage == fixed else None for stage in STAGES)
    elif switch_step is not None:
        begins = (Fraction(0), switch_step)
    else:
        begins = (Fraction(0), step if step < 1 else None)
    return Stages(numbered((beginner, advanced)), begins)
