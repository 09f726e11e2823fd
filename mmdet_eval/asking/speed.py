"""How fast the engine answered: the figures that `swift infer` prints when a call ends."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATS = re.compile(r"\{'num_prompt_tokens'[^{}]*\}")


@dataclass(frozen=True)
class EngineTime:
    """What calls of `swift infer` took, from its first question to its last answer, so without
    loading the model.

    Attributes:
        questions: number of questions answered in this time.
        tokens: number of tokens generated, as the engine counts them.
        seconds: by the clock.
    """

    questions: int
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Speed:
    """How fast a run's questions were answered, over all its data sets.

    Attributes:
        answers: number of answers whose time is known. Calls that were interrupted do not print
            it, so neither their answers nor their time count.
        of: number of all answers of the run.
        boxes: boxes read from the timed answers.
        tokens, seconds: as of `EngineTime`.
    """

    answers: int
    of: int
    boxes: int
    tokens: int
    seconds: float

    @property
    def boxes_per_second(self) -> float:
        """Boxes read per second in the engine."""
        return self.boxes / self.seconds

    @property
    def tokens_per_second(self) -> float:
        """Tokens generated per second in the engine."""
        return self.tokens / self.seconds


def engine_time(log: str, asked: int) -> EngineTime | None:
    """The time of one call of `swift infer`, from its part of the log; None if it did not end by
    itself.

    Several processes each print their own figures: they work at the same time, and those that
    share a model count the same questions more than once.

    Args:
        asked: number of questions of the call.
    """
    stats = [ast.literal_eval(text) for text in STATS.findall(log)]
    seconds = max((float(one["runtime"]) for one in stats), default=0.0)
    questions = sum(int(one["num_samples"]) for one in stats)
    if not questions or seconds <= 0:
        return None
    tokens = sum(int(one["num_generated_tokens"]) for one in stats)
    times = max(questions / asked, 1.0)
    return EngineTime(round(questions / times), round(tokens / times), seconds)


def log_end(log: Path) -> int:
    """The size of a log in bytes; 0 before there is one."""
    return log.stat().st_size if log.exists() else 0


def log_from(log: Path, start: int) -> str:
    """What was written to a log since it had this size."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")


def total_time(calls: Iterable[Mapping[str, Any]]) -> EngineTime | None:
    """The times of the calls in run.json together; None if none is known."""
    known = [EngineTime(**call["time"]) for call in calls if call.get("time")]
    if not known:
        return None
    return EngineTime(
        sum(one.questions for one in known),
        sum(one.tokens for one in known),
        sum(one.seconds for one in known),
    )
