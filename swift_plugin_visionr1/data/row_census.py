"""Rows of a mixed run that are left to other rewards, told apart from rows whose annotation was
lost: by the column `task`, by what other rewards there are, and by how many rows have none."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import SolutionError
from ..text import listed, share
from .ground_truth import GroundTruth, read_solution
from .row_tasks import CountTruth, PointTruth, Target, is_of_others, kind_of

OURS = "vision_r1"  # how the names of our rewards begin
OF_FORM = ("format", "react_format", "repetition", "soft_overlong")  # these judge no answer
MOST_NAMES = 50  # values of a column that means are counted for
MOST_UNTOLD = 0.5  # share of rows that may lack both task and solution
LOOKED_AT = 100  # rows without a solution in whose other columns it is looked for

BOXES, POINTS, COUNT, TOLD, UNTOLD = "boxes", "points", "count", "told", "untold"
WORDS = {BOXES: "rows with boxes", POINTS: "rows to point at", COUNT: "rows to count"}


def other_rewards(asked: Sequence[Any]) -> tuple[str, ...]:
    """Those of a run's rewards that are not ours and judge answers.

    Args:
        asked: names of rewards, or functions.

    >>> other_rewards(["vision_r1", "vision_r1_count", "accuracy", "soft_overlong"])
    ('accuracy',)
    """
    names = [one if isinstance(one, str) else getattr(one, "__name__", "") for one in asked]
    named = [name or "a function" for name in names if name not in OF_FORM]
    return tuple(name for name in named if not name.startswith(OURS))


def kind_of_row(row: Mapping[str, Any], target: Target | None) -> str:
    """What a row asks for, or whether its task or the lack of annotations leaves it to others."""
    kinds = {GroundTruth: BOXES, PointTruth: POINTS, CountTruth: COUNT}
    return kinds.get(type(target)) or (TOLD if kind_of(row.get("task")) else UNTOLD)


class RowCensus:
    """What the rows of a data set ask for.

    Args:
        others: the run's other rewards that judge answers.

    Attributes:
        kinds: how many rows there are of each kind.
        first: the place of the first row of each kind.
        untold: the places of rows without a task and without annotations.
    """

    def __init__(self, others: Sequence[str]) -> None:
        self.others = others
        self.kinds: Counter[str] = Counter()
        self.first: dict[str, int] = {}
        self.untold: list[int] = []

    def add(self, index: int, kind: str) -> None:
        """Count a row at its place in the data set."""
        self.kinds[kind] += 1
        self.first.setdefault(kind, index)
        if kind == UNTOLD:
            self.untold.append(index)

    def require_judged(
        self, name: str, place: Callable[[int], str], whole: Callable[[int], Mapping[str, Any]]
    ) -> None:
        """Refuse rows that no reward would judge, or that lost their annotation.

        Args:
            name: of the data set.
            place: of a row, for messages.
            whole: a row with all its columns.

        Raises:
            SolutionError: what was expected, what came, what to do.
        """
        for index in self.untold[:LOOKED_AT]:
            if column := misplaced(whole(index)):
                raise SolutionError(
                    f'{place(index)}: expected the annotation in the column "solution", got it in '
                    f'"{column}": rename that column (--columns)'
                )
        reason = self._reason(name)
        if reason:
            first = self.first.get(UNTOLD, self.first.get(TOLD))
            raise SolutionError((f"{place(first)}: " if first is not None else "") + reason)

    def _reason(self, name: str) -> str:
        """Why the data set cannot be used; "" if it can."""
        rows, untold = sum(self.kinds.values()), self.kinds[UNTOLD]
        of_rows = f"{share(untold, rows)} rows in {name}"
        if untold and not self.others:
            return (
                f'expected annotated boxes in "solution", which {of_rows} lack, and the run has no '
                "other reward to judge them: add their annotations, leave them out, or name a "
                "reward for them in --reward_funcs"
            )
        if self.kinds[TOLD] and not self.others:
            return (
                f"expected a reward beside ours in --reward_funcs for the {self.kinds[TOLD]} of "
                f"{rows} rows in {name} whose task is left to others, got none: name one, or leave "
                "the rows out"
            )
        if untold > MOST_UNTOLD * rows:
            return (
                f'expected annotated boxes in "solution", which {of_rows} lack: if they are of '
                'other tasks, say so in a column "task", such as general'
            )
        if not any(self.kinds[kind] for kind in WORDS) and name.startswith("train"):
            return (
                f"expected rows in {name} that our rewards can judge, got {rows} of other tasks: "
                "leave vision_r1 out of --reward_funcs"
            )
        return ""

    @property
    def is_mixed(self) -> bool:
        """Whether there are rows of other kinds than boxes."""
        return self.kinds[BOXES] < sum(self.kinds.values())

    def describe(self) -> str:
        """`60 rows with boxes, 20 rows to count; 20 rows are left to accuracy`."""
        ours = [f"{self.kinds[kind]} {word}" for kind, word in WORDS.items() if self.kinds[kind]]
        left = self.kinds[TOLD] + self.kinds[UNTOLD]
        rest = f"; {left} rows are left to {listed(self.others)}" if left else ""
        return ", ".join(ours) + rest


def misplaced(row: Mapping[str, Any]) -> str:
    """The column of a row without a solution that holds one of ours; "" without such a column."""
    for name, value in row.items():
        if name == "solution" or not isinstance(value, str) or is_of_others(value):
            continue
        try:
            read_solution(value, row.get("width"), row.get("height"))
        except SolutionError:
            continue
        return name
    return ""


def few_names(columns: Mapping[str, Sequence[Any]]) -> tuple[str, ...]:
    """Those of the columns whose values are few enough to have means of their own."""
    return tuple(
        name for name, values in columns.items() if len(set(map(str, values))) <= MOST_NAMES
    )
