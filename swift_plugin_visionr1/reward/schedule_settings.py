"""The settings of the schedule: what a file may say, and the schedule that it comes to."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from ..errors import InputError
from .moving import Adaptive, Continuous
from .schedule import Criteria, Schedule, Stages, numbered, two_stages

if TYPE_CHECKING:
    from .settings import Settings

ScheduleName = Literal["two_stage", "stages", "continuous", "adaptive"]
# What only one of the schedules reads.
PARTS = {
    "step": ("two_stage",),
    "switch_step": ("two_stage",),
    "fixed_stage": ("two_stage",),
    "beginner": ("two_stage", "continuous", "adaptive"),
    "advanced": ("two_stage", "continuous", "adaptive"),
    "stages": ("stages",),
    "continuous": ("continuous",),
    "adaptive": ("adaptive",),
}


@dataclass(frozen=True)
class StageSettings:
    """One of the `stages`.

    Attributes:
        xi0: the IoU at which a matched prediction becomes valid (Eq. 5 and 6).
        xi1: the value below which f is 0 (Eq. 8).
        xi2: the value from which f is 1 (Eq. 8).
        step: the fraction of the run after which the stage begins; leave it out for the first.
        switch_step: the global step at which the stage begins, instead of `step`.
    """

    xi0: float
    xi1: float
    xi2: float
    step: Fraction | None = None
    switch_step: int | None = None

    @property
    def criteria(self) -> Criteria:
        """Its thresholds."""
        return Criteria(self.xi0, self.xi1, self.xi2)


@dataclass(frozen=True)
class ContinuousSettings:
    """How the thresholds of `schedule: continuous` move.

    Attributes:
        begins: the fraction of the run after which the thresholds leave `beginner`.
        ends: the fraction of the run after which they have arrived at `advanced`.
    """

    begins: Fraction = Fraction(0)
    ends: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if not 0 <= self.begins < self.ends <= 1:
            raise ValueError(f"expected 0 <= begins < ends <= 1, got {self.begins} and {self.ends}")


@dataclass(frozen=True)
class AdaptiveSettings:
    """What sharpens the criteria of `schedule: adaptive`: the mean IoU that a group of completions
    reaches over the annotated boxes, where a missed one counts as 0.

    Attributes:
        low: a group that reaches at most this is judged by `beginner`; null for its xi0.
        high: a group that reaches at least this is judged by `advanced`; null for its xi0.
    """

    low: float | None = None
    high: float | None = None


def check_schedule(settings: "Settings") -> None:
    """Check what the schedule's parts say together.

    Raises:
        InputError: what was expected and what came.
    """
    if not 0 < settings.step <= 1:
        raise InputError(f"expected step, a fraction of the run, in (0, 1], got {settings.step}")
    if settings.switch_step is not None and settings.switch_step < 1:
        raise InputError(f"expected switch_step to be at least 1, got {settings.switch_step}")
    for name in ("fixed_stage", "stages", "continuous", "adaptive"):
        if getattr(settings, name) is not None and settings.schedule not in PARTS[name]:
            raise InputError(misplaced(name, settings.schedule))
    if settings.schedule == "stages":
        _check_stages(settings.stages or ())
    else:
        _check_rising([settings.beginner, settings.advanced], ("beginner", "advanced"))
    if settings.schedule == "adaptive":
        low, high = levels(settings)
        if not 0 <= low < high <= 1:
            raise InputError(
                f"expected 0 <= low < high <= 1 for adaptive, got {low:g} and {high:g} (left out, "
                "they are the xi0 of `beginner` and `advanced`)"
            )


def misplaced(name: str, schedule: str) -> str:
    """That the schedule does not read the setting."""
    meant = " or ".join(f"`schedule: {each}`" for each in PARTS[name])
    return f"expected {name} only with {meant}, got it with `schedule: {schedule}`"


def _check_rising(criteria: list[Criteria], names: tuple[str, ...]) -> None:
    for (easy, hard), pair in zip(pairwise(criteria), pairwise(names), strict=True):
        values = zip(asdict(easy).values(), asdict(hard).values(), strict=True)
        if any(before > after for before, after in values):
            raise InputError(
                f"expected no threshold to fall: {easy} ({pair[0]}), {hard} ({pair[1]})"
            )


def _check_stages(stages: tuple[StageSettings, ...]) -> None:
    if len(stages) < 2:
        raise InputError(
            f"expected a list of at least two `stages` with `schedule: stages`, got {len(stages)}"
        )
    first, *later = stages
    if first.step is not None or first.switch_step is not None:
        raise InputError(
            "expected the first of the stages without step and switch_step: it begins the run"
        )
    for number, stage in enumerate(later, start=2):
        if (stage.step is None) == (stage.switch_step is None):
            raise InputError(f"expected either step or switch_step in stage {number} of stages")
    begins = [_begin(stage) for stage in later]
    if len({type(begin) for begin in begins}) > 1:
        raise InputError("expected step in all of the later stages or switch_step in all of them")
    if any(before >= after for before, after in pairwise([0, *begins])):
        raise InputError(f"expected stages in the order in which they begin, got {_said(begins)}")
    if isinstance(begins[-1], Fraction) and begins[-1] >= 1:
        raise InputError(f"expected steps of stages in (0, 1), got {_said(begins)}")
    _check_rising(
        [stage.criteria for stage in stages], tuple(f"stage {i}" for i in range(1, len(stages) + 1))
    )


def _said(begins: list[Fraction | int]) -> str:
    return ", ".join(str(begin) for begin in begins)


def _begin(stage: StageSettings) -> Fraction | int:
    begin = stage.step if stage.step is not None else stage.switch_step
    return Fraction(0) if begin is None else begin


def levels(settings: "Settings") -> tuple[float, float]:
    """`low` and `high` of the adaptive schedule."""
    parts = settings.adaptive or AdaptiveSettings()
    low = settings.beginner.xi0 if parts.low is None else parts.low
    high = settings.advanced.xi0 if parts.high is None else parts.high
    return low, high


def make_schedule(settings: "Settings") -> Schedule:
    """The schedule that the settings describe. Without differentiation f is the identity, so only
    xi0 matters."""

    def kept(criteria: Criteria) -> Criteria:
        return criteria if settings.differentiation else Criteria(criteria.xi0, 0.0, 1.0)

    beginner, advanced = kept(settings.beginner), kept(settings.advanced)
    if settings.schedule == "stages":
        stages = settings.stages or ()
        standards = numbered(tuple(kept(stage.criteria) for stage in stages))
        return Stages(standards, tuple(_begin(stage) for stage in stages))
    if settings.schedule == "continuous":
        parts = settings.continuous or ContinuousSettings()
        return Continuous(numbered((beginner, advanced)), parts.begins, parts.ends)
    if settings.schedule == "adaptive":
        return Adaptive(numbered((beginner, advanced)), *levels(settings))
    return two_stages(beginner, advanced, settings.step, settings.switch_step, settings.fixed_stage)
