"""Which task a row of a mixed data set is, and what its answer is judged against.

A run may train detection, grounding, pointing, counting and general questions together. A row says
what it is in the column `task`. Without one its `solution` decides: annotated boxes are a row of
ours, and a row without a solution, or with a short text as in `solution: "B"`, belongs to another
reward function.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import SolutionError
from ..text import did_you_mean, short
from .ground_truth import EXPECTED, GroundTruth, read_solution

Kind = Literal["boxes", "points", "count", "other"]
KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        ("detection", "grounding", "referring", "referring_expression", "rec", "localization"),
        "boxes",
    ),
    **dict.fromkeys(("pointing", "point"), "points"),
    **dict.fromkeys(("counting", "count"), "count"),
    **dict.fromkeys(("general", "general_qa", "vqa", "qa", "caption", "captioning"), "other"),
    **dict.fromkeys(("math", "ocr", "chart", "puzzle", "science", "text"), "other"),
}
LARGEST_COUNT, LONGEST_COUNT = 10**6, 64
_FOUR_NUMBERS = re.compile(r"(?:-?\d+(?:\.\d+)?[^\d.-]{1,9}){3}-?\d")


@dataclass(frozen=True, eq=False)
class PointTruth:
    """Annotated boxes, in which points are to lie."""

    truth: GroundTruth


@dataclass(frozen=True)
class CountTruth:
    """How many there are."""

    count: int


Target = GroundTruth | PointTruth | CountTruth


def kind_of(task: object) -> Kind | None:
    """What a value of the column `task` says; None for an empty one or a name that is not in
    `KINDS`, whose rows are told by their solution.

    >>> kind_of("Counting"), kind_of("my_task")
    ('count', None)

    Raises:
        SolutionError: the name is nearly one of `KINDS`.
    """
    name = task.strip().lower().replace("-", "_") if isinstance(task, str) else ""
    kind = KINDS.get(name)
    if name and kind is None and (hint := did_you_mean(name, _LONG)):
        raise SolutionError(
            f"expected a task as in {', '.join(_LONG)}, or a name unlike these, got {task!r}{hint}"
        )
    return kind


_LONG = tuple(name for name in KINDS if len(name) > 6)  # short ones are like many words


def target_of(row: Mapping[str, Any], mixed: bool) -> Target | None:
    """What the answer to a row is judged against; None if that is left to other reward functions.

    Args:
        row: of a data set: `solution`, and where it has them `task`, `width` and `height`.
        mixed: whether a row without a task and without annotations is another reward's to judge.

    Raises:
        SolutionError: the row has a task of ours, or a solution like ours, that cannot be used.
    """
    kind, solution = kind_of(row.get("task")), row.get("solution")
    if kind == "other" or (kind is None and mixed and is_of_others(solution)):
        return None
    size = row.get("width"), row.get("height")
    if kind == "count":
        return CountTruth(_count(solution, *size))
    truth = read_solution(solution, *size)
    return PointTruth(truth) if kind == "points" else truth


def boxes_of(target: Target | None) -> GroundTruth | None:
    """The annotated boxes of a row to detect or to point at; None for others."""
    truth = target.truth if isinstance(target, PointTruth) else target
    return truth if isinstance(truth, GroundTruth) else None


def is_of_others(solution: object) -> bool:
    """Whether a solution is absent, or a short answer that cannot be meant as annotated boxes.

    >>> [is_of_others(one) for one in (None, "B", 42, '{"boxes": [[1', "cat 1 2 3 4")]
    [True, True, True, False, False]
    """
    if not isinstance(solution, str):
        return solution is None or isinstance(solution, int | float)
    text = solution.strip()
    return not text.startswith(("{", "[")) and not _FOUR_NUMBERS.search(text)


def targets_of(
    columns: Mapping[str, Any], count: int, mixed: bool = False
) -> Sequence[Target | None]:
    """What each of `count` completions is judged against, from a reward call's columns.

    Raises:
        SolutionError: a column is missing or a row cannot be used; the message names its place in
            the batch.
    """
    tasks, solutions = columns.get("task"), columns.get("solution")
    if solutions is None and tasks is None and not mixed:
        raise SolutionError(
            f"{EXPECTED}; got rows without that column, only {', '.join(sorted(columns))}"
        )
    if solutions is not None and len(solutions) != count:
        raise SolutionError(
            f"expected one solution per completion, got {len(solutions)} for {count} completions"
        )
    names = ("task", "solution", "width", "height")
    cells = [columns.get(name) or [None] * count for name in names]
    targets: list[Target | None] = []
    for index, (task, solution, width, height) in enumerate(zip(*cells, strict=True)):
        try:
            if task is None and isinstance(solution, str) and not mixed:
                targets.append(read_solution(solution, width, height))  # the ordinary case
                continue
            row = {"task": task, "solution": solution, "width": width, "height": height}
            targets.append(target_of(row, mixed))
        except SolutionError as error:
            raise SolutionError(f"row {index} of this batch: {error}") from None
    return targets


def _count(solution: object, width: Any, height: Any) -> int:
    """The number that a counting row's solution says, or of the boxes that it holds.

    Raises:
        SolutionError: it is neither.
    """
    number = _number(solution)
    if number is not None and 0 <= number <= LARGEST_COUNT:
        return number
    try:
        return len(read_solution(solution, width, height).boxes)
    except SolutionError as error:
        raise SolutionError(
            "expected the solution of a counting row to be a number from 0 on, such as 3 or "
            f'{{"count": 3}}, or annotated boxes, got {short(solution)}; as boxes: {error}'
        ) from None


def _number(solution: object) -> int | None:
    """3, 3.0, "3" and {"count": 3} as 3; None for anything else."""
    value = solution
    if isinstance(solution, str) and len(solution) < LONGEST_COUNT:
        try:
            value = json.loads(solution)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, Mapping):
        value = value.get("count")
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int else None
