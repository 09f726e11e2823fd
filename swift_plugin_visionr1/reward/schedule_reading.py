"""The settings of the schedule as a file has them: reading, and writing what is read back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..declared import check_value, declared_values, read_declared
from ..errors import InputError
from ..text import short
from .schedule import Criteria
from .schedule_settings import (
    PARTS,
    AdaptiveSettings,
    ContinuousSettings,
    ScheduleName,
    StageSettings,
    levels,
    misplaced,
)

if TYPE_CHECKING:
    from .settings import Settings

LONGEST_FRACTION = 40  # characters
EXAMPLE = "`{step: 1/3, xi0: 0.6, xi1: 0.6, xi2: 0.8}`"


def read_schedule(values: Mapping[str, Any], preset: "Settings") -> dict[str, Any]:
    """A file's values, those of the schedule as their dataclasses.

    Raises:
        InputError: what was expected and what came.
    """
    read = dict(values)
    if _replaces_switch(read, preset):
        read["switch_step"] = None
    if "step" in read:
        read["step"] = _fraction(read["step"], "step")
    for stage in ("beginner", "advanced"):
        if stage in read:
            given = declared_values(Criteria, read[stage], stage)
            with _naming(stage):
                read[stage] = replace(getattr(preset, stage), **given)
    if read.get("stages") is not None:
        read["stages"] = _stages(read["stages"])
    if read.get("continuous") is not None:
        given = _fractions(read["continuous"], ("begins", "ends"), "continuous")
        with _naming("continuous"):
            read["continuous"] = read_declared(ContinuousSettings, given, "continuous")
    if read.get("adaptive") is not None:
        read["adaptive"] = read_declared(AdaptiveSettings, read["adaptive"], "adaptive")
    return read


def _replaces_switch(values: Mapping[str, Any], preset: "Settings") -> bool:
    """Whether the file has a schedule of its own, in place of a preset's `switch_step`.

    Raises:
        InputError: it has parts of two schedules.
    """
    named = [name for name in ("step", "switch_step", "fixed_stage") if _is_given(values, name)]
    if len(named) > 1:
        raise InputError(
            f"expected one of step, switch_step and fixed_stage, got {' and '.join(named)}"
        )
    schedule = check_value(values.get("schedule", preset.schedule), ScheduleName, "schedule")
    for name in PARTS:
        if _is_given(values, name) and schedule not in PARTS[name]:
            raise InputError(misplaced(name, schedule))
    return named == ["step"] or schedule != "two_stage"


def _is_given(values: Mapping[str, Any], name: str) -> bool:
    return values.get(name) is not None


def _stages(value: Any) -> tuple[StageSettings, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise InputError(f"expected stages to be a list, each {EXAMPLE}, got {short(value)}")
    read = []
    for number, one in enumerate(value, start=1):
        where = f"stage {number} of stages"
        given = _fractions(one, ("step",), where)
        stage = read_declared(StageSettings, given, where)
        with _naming(where):
            _ = stage.criteria
        read.append(stage)
    return tuple(read)


def _fractions(value: Any, names: tuple[str, ...], where: str) -> Any:
    """The mapping with these values as fractions; anything else is left to the caller's check."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: _fraction(each, f"{name} of {where}") if name in names and each is not None else each
        for name, each in value.items()
    }


def _fraction(value: Any, name: str) -> Fraction:
    """From "1/2" or 0.5; long or extreme values ("1e999999999") are not even computed."""
    text = short(value)
    try:
        if len(text) <= LONGEST_FRACTION and ("/" in text or text == "0" or 0 < float(text) <= 1):
            return Fraction(text)
    except (ValueError, ZeroDivisionError):
        pass
    raise InputError(
        f'expected {name} to be a fraction of the run such as "1/2" or 0.5, in (0, 1], got {text!r}'
    )


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Errors of a dataclass, which does not know its name, begin with it."""
    try:
        yield
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None


def unused_names(settings: "Settings") -> list[str]:
    """The names that the schedule does not read, which a description leaves out."""
    unused = [name for name, schedules in PARTS.items() if settings.schedule not in schedules]
    if settings.switch_step is not None or settings.fixed_stage is not None:
        unused.append("step")
    return unused


def plain_schedule(settings: "Settings") -> dict[str, Any]:
    """The schedule's parts as plain values that `read_schedule` reads back."""
    plain: dict[str, Any] = {"step": str(settings.step)}
    if settings.schedule == "stages":
        plain["stages"] = [_plain_stage(stage) for stage in settings.stages or ()]
    if settings.schedule == "continuous":
        parts = settings.continuous or ContinuousSettings()
        plain["continuous"] = {"begins": str(parts.begins), "ends": str(parts.ends)}
    if settings.schedule == "adaptive":
        plain["adaptive"] = dict(zip(("low", "high"), levels(settings), strict=True))
    return plain


def _plain_stage(stage: StageSettings) -> dict[str, Any]:
    values = {name: value for name, value in asdict(stage).items() if value is not None}
    return {
        name: str(value) if isinstance(value, Fraction) else value for name, value in values.items()
    }
