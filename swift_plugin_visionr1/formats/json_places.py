"""Where the parts of a JSON text stand in it; `json.loads` tells the values only."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")
_GLUE = re.compile(r"[ \t\n\r]*[,:]?[ \t\n\r]*")


@dataclass(frozen=True)
class Part:
    """A value of a JSON text, written in text[start:end]."""

    value: Any
    start: int
    end: int


def part_at(text: str, start: int) -> Part:
    """The value that begins at `start` or after white space there.

    Raises:
        ValueError: there is none.
        RecursionError: it is nested thousands deep.
    """
    begin = _skip(_SPACE, text, start)
    value, end = _decode(text, begin)
    return Part(value, begin, end)


def elements(text: str, array: Part) -> Iterator[Part]:
    """The elements of an array of `text`, in order."""
    at = _skip(_SPACE, text, array.start + 1)
    while text[at] != "]":
        part = part_at(text, at)
        yield part
        at = _skip(_GLUE, text, part.end)


def members(text: str, record: Part) -> dict[str, Part]:
    """The values of an object of `text` by key; of a key that comes twice the last, as `json.loads` has it."""
    found = {}
    at = _skip(_SPACE, text, record.start + 1)
    while text[at] != "}":
        key = part_at(text, at)
        part = part_at(text, _skip(_GLUE, text, key.end))
        found[key.value] = part
        at = _skip(_GLUE, text, part.end)
    return found


def _skip(what: re.Pattern[str], text: str, at: int) -> int:
    match = what.match(text, at)
    return match.end() if match else at
