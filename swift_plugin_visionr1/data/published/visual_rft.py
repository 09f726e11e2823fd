"""Visual-RFT's rows: image, problem, solution.

Their `solution` is `<answer>[{'Position': [x1, y1, x2, y2], 'Confidence': 1}, ...]</answer>` in
thousandths of the image, as their question says: "(between 0 and 1000, integer)". An image without
the category has `No Objects`.
The question prescribes that answer, which only their own model writes: it becomes the released
code's question.
"""

import ast
import re
from typing import Any

from ...errors import SolutionError
from ...formats.questions import LOCATE
from ...text import short
from .base import Row, RowForm, SizeOf, image_of, question, scaled, size_of, solution, training_row

CONSUMED = ("image", "images", "problem", "solution", "width", "height")
FRAME = "between 0 and 1000"
_CATEGORY = re.compile(r"category ['‘’\"](.{1,200}?)['‘’\"] in the image")


def recognises(row: Row) -> bool:
    """See `RowForm.recognises`."""
    text = row.get("solution")
    if (
        "problem" not in row
        or not isinstance(text, str)
        or not text.lstrip().startswith("<answer>")
    ):
        return False
    return "Position" in text or "No Objects" in text


def rewrite(row: Row, open_size: SizeOf) -> dict[str, Any]:
    """See `RowForm.rewrite`."""
    problem = str(row["problem"])
    if FRAME not in problem:
        raise SolutionError(
            f"expected a problem that says what the coordinates are ({FRAME!r}), got "
            f"{short(problem)}"
        )
    category = _CATEGORY.search(problem)
    if category is None:
        raise SolutionError(
            f"expected a problem that names its category '...' in the image, got {short(problem)}"
        )
    image = image_of(row)
    size = size_of(row, image, open_size)
    boxes = scaled(_positions(row["solution"]), 1000, size)
    text = solution(size, boxes, [category[1]] * len(boxes))
    return training_row(row, CONSUMED, question(LOCATE.format(category[1])), image, text)


def _positions(text: object) -> list[list[float]]:
    answer = text.partition("<answer>")[2] if isinstance(text, str) else ""
    answer, closing, _ = answer.rpartition("</answer>")
    if not closing:
        raise SolutionError(
            f"expected a solution <answer>[{{'Position': ...}}]</answer>, got {short(text)}"
        )
    if "No Objects" in answer:
        return []
    try:
        entries = ast.literal_eval(answer.strip())
        return [list(entry["Position"]) for entry in entries]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise SolutionError(
            f"expected a list of {{'Position': [x1, y1, x2, y2]}}, got {short(answer)}"
        ) from None


VISUAL_RFT = RowForm("Visual-RFT", recognises, rewrite)
