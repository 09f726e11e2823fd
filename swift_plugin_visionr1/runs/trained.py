"""By which criteria the completions of a run's log were judged when they were trained on."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.logged_rows import Row, naming, read_lines
from ..data.row_tasks import Target
from ..errors import InputError
from ..reward.moving import group_of
from ..reward.schedule import Standard
from ..reward.scorer import Judge, Scorer


@dataclass(frozen=True, eq=False)
class JudgedCompletion:
    """A logged completion that was read and matched.

    Attributes:
        row: as logged.
        target: its annotation.
        judge: gives its breakdown under some criteria.
    """

    row: Row
    target: Target
    judge: Judge

    @property
    def group(self) -> Hashable:
        """The same for all completions of a prompt."""
        return self.row.step, self.row.image_path, group_of(self.row.prompt, self.target)


def judge_row(row: Row, target: Target, scorer: Scorer) -> JudgedCompletion:
    """Read and match the row's completion.

    Raises:
        InputError: the row has no completion, or its image has a size that no processor accepts.
    """
    if row.text is None:
        raise InputError(
            "expected a completion as `response`, `completion` or the assistant's message, got none"
        )
    try:
        (judge,) = scorer.judges([row.text], [target])
    except ValueError as error:
        raise InputError(str(error)) from None
    return JudgedCompletion(row, target, judge)


def standards_in_training(
    completions: Sequence[JudgedCompletion], scorer: Scorer, max_steps: int
) -> list[Standard] | None:
    """The criteria that each completion was judged by, recomputed as training computed them; None
    if the criteria never change, or if the step of a completion is not known.

    Args:
        completions: all of the groups that they belong to.
        scorer: with the run's settings.
        max_steps: of the run; 0 if unknown.
    """
    schedule = scorer.schedule
    if schedule.needs == "group":
        groups = [one.group for one in completions]
        return scorer.standards_of_groups([one.judge for one in completions], groups)
    if schedule.needs == "nothing":
        return None
    steps = [one.row.step for one in completions]
    if not max_steps or any(not step for step in steps):
        return None
    # A step's completions are scored before it is counted.
    return [schedule.at(int(step or 1) - 1, max_steps) for step in steps]


def standard_in_training(path: Path, row: Row, scorer: Scorer, max_steps: int) -> Standard | None:
    """The criteria that a completion of a run's log was judged by, with its group from the same
    line; None where `standards_in_training` does not know, or outside of such a log.

    Args:
        path: the log, completions.jsonl.
        row: one of its completions.
        scorer: with the run's settings.
        max_steps: of the run; 0 if unknown.

    Raises:
        InputError: the line cannot be scored.
        SolutionError: an annotation cannot be used.
    """
    if not row.step or scorer.schedule.needs == "nothing":
        return None
    line = next(rows for rows in read_lines(path) if rows[0].line == row.line)
    judged = []
    for one in line:
        with naming(one, path):
            if (target := one.target()) is not None:
                judged.append(judge_row(one, target, scorer))
    standards = standards_in_training(judged, scorer, max_steps) or []
    places = [one.row.place for one in judged]
    return standards[places.index(row.place)] if standards else None
