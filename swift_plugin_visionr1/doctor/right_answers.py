"""The right answer of every row, written once for all checks that look at it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ..formats import Format
from ..models.right_answer import right_answer
from ..progress import show_progress
from .cases import Case, Whole


@dataclass(frozen=True)
class RightAnswer:
    """A row that has annotations and an image that the model's processor accepts.

    Attributes:
        case: the row.
        text: what the model would have to write.
    """

    case: Whole
    text: str


def write_all(cases: Sequence[Case], format: Format) -> list[RightAnswer]:
    """The right answers of all rows that can have one."""
    whole = [
        Whole(case.row, case.file, case.row.truth, case.view)
        for case in cases
        if case.row.truth and case.view
    ]
    shown = show_progress(whole, len(whole), sys.stderr, "written", "right answers")
    return [RightAnswer(case, right_answer(case.truth, case.view, format)) for case in shown]
