"""The one box in a sentence, for questions about one thing: "The bounding box is [1, 2, 30, 40]."

Only the evaluation of referring expressions reads it: a reward that took any four numbers for a box
would pay for guesses.

Issue codes
    box_in_prose     four numbers in brackets, the only ones in the text, are read as the box
    ambiguous_boxes  there are several, and none is read
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from ..geometry.boxes import LIMIT, Boxes, is_valid
from .base import ParsedCompletion

_N = r"\s{0,9}(-?\d{1,9}(?:\.\d{1,15})?)\s{0,9}"
_FOUR = re.compile(
    rf"[\[(]{_N},{_N},{_N},{_N}[\])]|[\[(]{{1,2}}{_N},{_N}[\])]\s{{0,9}},\s{{0,9}}[\[(]{_N},{_N}[\])]"
)
_MOST = 100  # fours that are compared


def with_box_in_prose(
    parsed: ParsedCompletion, text: str, to_xyxy: Callable[[Boxes], Boxes]
) -> ParsedCompletion:
    """What was read of an answer about one thing, or, failing that, the one box in its prose.

    Args:
        parsed: what the format reads.
        text: the answer, without reasoning.
        to_xyxy: the corners of (n, 4) boxes that are written in the format's order.
    """
    if len(parsed.boxes) or parsed.says_nothing:
        return parsed
    fours = {_numbers(four.groups()) for four in islice(_FOUR.finditer(text), _MOST)}
    if len(fours) != 1:
        return replace(parsed, issues=(*parsed.issues, "ambiguous_boxes")) if fours else parsed
    boxes = to_xyxy(np.array([fours.pop()], dtype=np.float64))
    if not is_valid(boxes).all() or np.abs(boxes).max() > LIMIT:
        return parsed
    return replace(parsed, boxes=boxes, labels=("",), issues=(*parsed.issues, "box_in_prose"))


def _numbers(written: Sequence[str | None]) -> tuple[float, ...]:
    return tuple(float(number) for number in written if number is not None)
