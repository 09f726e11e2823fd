"""The warnings about a run that learns nothing: one line per cause, with what to look at."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..reward.other_frame import OtherFrame

PATIENCE = 5  # steps in a row before a warning
REPEAT = 500  # steps after which it is repeated if it still holds
CUT_OFF = 0.5  # share of answers
SPREAD, CLIPPED = "frac_reward_zero_std", "completions/clipped_ratio"  # ms-swift's names


@dataclass(frozen=True)
class Alarm:
    """A warning that is due.

    Attributes:
        cause: a key of CAUSES.
        steps: for how many steps in a row.
    """

    cause: str
    steps: int


# What is seen, and its most likely cause.
CAUSES = {
    "frame": (
        "the boxes lie on the annotations only when their numbers are read in another frame",
        "the model writes boxes in the frame {frame}: set `frame: {frame}` in the settings, or the "
        "right model_type",
    ),
    "cut_off": (
        "most answers are cut off",
        "--max_completion_length is too small for the answers, or they repeat themselves",
    ),
    "reward": (
        "the reward of all completions is 0",
        "the answers cannot be read: the model writes another format than {format}",
    ),
    "format": (
        "the format reward of all completions is 0",
        "the model writes something around its answer, or another format than {format}",
    ),
    "boxes": (
        "recall and precision of all completions are 0",
        "the model does not find the objects at xi0 = {xi0:g}, or its boxes are read in the wrong "
        "frame",
    ),
    "spread": (
        "all completions of each group earn the same, so nothing is learnt",
        "sampling is too cold (--temperature, --top_k), or the data are too easy or too hard",
    ),
}


def cause_of(values: Mapping[str, float], other: OtherFrame | None) -> str | None:
    """What is wrong with a step: the first cause that explains the others, None if nothing is.

    Args:
        values: of the callback's metrics and the trainer's, means over all processes.
        other: a frame that fits better.

    >>> cause_of({"format": 1.0, "recall": 0.0, "precision": 0.0}, None)
    'boxes'
    """
    parts = {name: values.get(name, 1.0) for name in ("format", "recall", "precision")}
    signs = {
        "frame": other is not None,
        "cut_off": values.get(CLIPPED, 0.0) > CUT_OFF,
        "reward": not any(parts.values()),
        "format": not parts["format"],
        "boxes": not parts["recall"] and not parts["precision"],
        "spread": values.get(SPREAD, 0.0) >= 1.0,
    }
    return next((cause for cause, holds in signs.items() if holds), None)


class Alarms:
    """Counts the steps in a row with the same trouble; one per run.

    Args:
        past: cause -> step of the last warning, of a run that is resumed.
    """

    def __init__(self, past: Mapping[str, int] | None = None) -> None:
        self._warned = dict(past or {})
        self._cause: str | None = None
        self._steps = 0

    def after_step(self, step: int, cause: str | None) -> Alarm | None:
        """The warning that is due after a step in which completions were scored.

        Args:
            step: number of finished optimisation steps.
            cause: of that step, from `cause_of`.
        """
        self._steps = self._steps + 1 if cause == self._cause else 1
        self._cause = cause
        if cause is None or self._steps < PATIENCE:
            return None
        if cause in self._warned and step < self._warned[cause] + REPEAT:
            return None
        self._warned[cause] = step
        return Alarm(cause, self._steps)
