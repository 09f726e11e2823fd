r"""Answers that are a number, as counting rows ask for.

A number may be said by boxes or points, one of each thing, or be written: in digits or as a word
from zero to twenty, with or without words around it. Of several numbers the last counts.

Issue codes, besides those of the family's boxes
    text_around      the number stands in an object, as in {"count": 3}
    no_number        there is no whole number from 0 on
    several_numbers  the answer has different numbers
"""

import re
from dataclasses import dataclass

from .base import Format
from .points import parse_points

_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen", "twenty"),
)
_DIGITS = re.compile(r"(?<![\w.])-?\d{1,3}(?:,\d{3})+(?![\d,])|(?<![\w.])-?\d{1,9}(?:\.\d{1,9})?")
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_NAMED = re.compile(r"\"(?:count|number|total|answer)\"\s{0,9}:\s{0,9}\"?(\d{1,9})\b")
LONGEST = 20_000  # characters of an answer that are searched for numbers


@dataclass(frozen=True)
class ParsedCount:
    """The number of an answer; None without one. `issues` are what breaks its form."""

    count: int | None
    issues: tuple[str, ...] = ()


def parse_count(text: str, format: Format) -> ParsedCount:
    """How many an answer says there are; never raises.

    Args:
        text: the completion.
        format: the family's, with what stands around an answer.
    """
    answer, around = format.answer(text)
    written = _written(answer[-LONGEST:])
    if written is not None:
        return ParsedCount(written.count, tuple(dict.fromkeys((*around, *written.issues))))
    parsed = format.parse(text)
    if len(parsed.boxes):
        return ParsedCount(len(parsed.boxes), parsed.issues)
    points = parse_points(text, format)
    if len(points.points):
        return ParsedCount(len(points.points), points.issues)
    if parsed.says_nothing:
        return ParsedCount(0, parsed.issues)
    if named := _NAMED.search(answer[-LONGEST:]):
        return ParsedCount(int(named[1]), tuple(dict.fromkeys((*around, "text_around"))))
    return ParsedCount(None, tuple(dict.fromkeys((*around, "no_number"))))


def _written(answer: str) -> ParsedCount | None:
    """The number that an answer is or says; None for one without, or made of boxes or points."""
    if any(sign in answer for sign in "[{<") or not answer.strip():
        return None
    digits = [match[0].replace(",", "") for match in _DIGITS.finditer(answer)]
    words = [str(_WORDS.index(match[0].lower())) for match in _WORD.finditer(answer)]
    numbers = digits or words
    if not numbers:
        return None
    several = ("several_numbers",) if len(set(numbers)) > 1 else ()
    last = numbers[-1]
    return ParsedCount(int(last), several) if last.isdigit() else ParsedCount(None, ("no_number",))
