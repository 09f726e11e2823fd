"""A regular expression of the answers that a format writes, for engines that sample under one."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..geometry.boxes import as_boxes
from .base import Format

_LABELS = ("\ue000", "\ue001")  # private characters, which no format writes by itself
_NUMBERS = ("101", "202", "303", "404")  # nor these
_VARIABLE = re.compile(f"0*[01]?\\.?(?:{'|'.join(_NUMBERS)})|{'|'.join(_LABELS)}")
_BARRED = r'"\\<>\[\]{}()&;:=,\n\r\t'
_LABEL = rf"[^\s{_BARRED}](?:[^{_BARRED}]{{0,58}}[^\s{_BARRED}])?"


class _Written(NamedTuple):
    """An answer's variables, and the fixed texts before, between and after them."""

    variables: list[str]
    fixed: list[str]


def answer_regex(format: Format) -> str:
    """A pattern whose matches break no rule of the format's syntax; corners may still be in the
    wrong order, all zero, or outside the image.

    Labels have 1 to 60 characters, none of them a bracket, a comma, a quote or the like. There is
    no lookahead in it, which engines do not compile.

    Raises:
        ValueError: the format does not write a box as four numbers.

    >>> from . import FORMATS
    >>> pattern = answer_regex(FORMATS["internvl"])
    >>> bool(re.fullmatch(pattern, "<ref>cat</ref><box>[[1, 2, 3, 4]]</box>"))
    True
    """
    two, same = _written(format, _LABELS), _written(format, _LABELS[:1] * 2)
    each = len(two.variables) // 2
    if two.variables[:each].count(_LABELS[0]) != 1 or each < 5:
        raise ValueError(f"expected a format of four numbers a box, got {format.name}")
    one = _patterns(format, two, 0, each)
    if same.variables.count(_LABELS[0]) == 1:  # neighbours share the label, which is written first
        again = _patterns(format, same, each, len(same.variables))
        one += f"(?:{_literal(same.fixed[each])}{again})*"
    start, between, end = (_literal(two.fixed[place]) for place in (0, each, -1))
    nothing = _literal(format.write(as_boxes([]), []))
    return f"(?:{start}{one}(?:{between}{one})*{end}|{nothing})"


def _patterns(format: Format, written: _Written, first: int, end: int) -> str:
    """Of the variables from `first` on, and of the fixed texts between them."""
    parts = [_pattern(format, written.variables[first])]
    for place in range(first + 1, end):
        parts += [_literal(written.fixed[place]), _pattern(format, written.variables[place])]
    return "".join(parts)


def _literal(text: str) -> str:
    """Only what has a meaning is escaped: not all engines know `re.escape`'s blanks."""
    return re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", text)


def _written(format: Format, labels: Sequence[str]) -> _Written:
    """The same box with each label, as the format writes them."""
    box = [float(f".{number}" if format.frame.units == 1 else number) for number in _NUMBERS]
    text = format.write(as_boxes([box] * len(labels)), labels)
    return _Written(_VARIABLE.findall(text), _VARIABLE.split(text))


def _pattern(format: Format, variable: str) -> str:
    if variable in _LABELS:
        return _LABEL
    if "." in variable:
        return r"(?:0\.[0-9]{3}|1\.000)"
    if format.frame.units == 1023:
        return "(?:0[0-9]{3}|10[01][0-9]|102[0-3])"
    if _is_padded(format):
        return f"[0-9]{{{len(variable)}}}"
    top: dict[object, str] = {1000.0: "(?:0|[1-9][0-9]{0,2}|1000)", 999.0: "(?:0|[1-9][0-9]{0,2})"}
    return top.get(format.frame.units, "(?:0|[1-9][0-9]{0,3})")


def _is_padded(format: Format) -> bool:
    """Whether a small number has leading zeros."""
    text = format.write(as_boxes([[11, 22, 33, 44]]), _LABELS[:1])
    return re.search("0(?:11|22|33|44)", text) is not None
