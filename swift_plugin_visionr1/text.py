"""Words for messages: suggestions, shares, long lists and values cut short, and foreign texts made
safe to print."""

import difflib
import re
from collections.abc import Iterable, Sequence


def did_you_mean(value: object, options: Iterable[object]) -> str:
    """`; did you mean 'paper'?` for the end of a message if an option is close, else ""."""
    close = difflib.get_close_matches(str(value), [str(option) for option in options], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def share(part: int, whole: int) -> str:
    """`3 of 40 (8%)`."""
    rounded = "<1%" if 0 < 200 * part < whole else f"{part / whole:.0%}" if whole else "none"
    return f"{part} of {whole} ({rounded})"


def percent(value: float | None) -> str:
    """A fraction in percent with one decimal, as the paper prints it; "-" without a value."""
    return "-" if value is None else f"{100 * value:.1f}"


def listed(words: Iterable[object], most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    all_words = [str(word) for word in words]
    shown = ", ".join(all_words[:most])
    return f"{shown} and {len(all_words) - most} more" if len(all_words) > most else shown


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table whose columns are as wide as their widest cell.

    >>> aligned([["box", "IoU"], ["0", "0.8051"], ["1", "-"]])
    ['box  IoU', '0    0.8051', '1    -']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def clipped(text: str, length: int = 160) -> str:
    """The text, cut to about `length` characters."""
    return text if len(text) <= length else text[:length] + "..."


def short(value: object, length: int = 120) -> str:
    """A value of any kind, in one line of an error."""
    return clipped(one_line(value) if isinstance(value, str) else repr(value), length)


# Control characters except line ends and tabs, line and paragraph separators, marks that change
# the direction of writing, and halves of surrogate pairs.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """The text with every character that a terminal would act on as an escape.

    >>> printable("a\x1b[31m\nb")
    'a\\x1b[31m\nb'
    """
    return _UNPRINTABLE.sub(lambda match: repr(match[0])[1:-1], text)


def one_line(text: str) -> str:
    """`printable` text whose line ends and tabs are escapes too."""
    return printable(text).replace("\n", r"\n").replace("\t", r"\t")


# What a spreadsheet takes for the start of a formula, also in full width.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def for_spreadsheet(text: str) -> str:
    """A cell that a spreadsheet shows and does not compute.

    >>> for_spreadsheet("=1+1"), for_spreadsheet("cat")
    ("'=1+1", 'cat')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def from_spreadsheet(cell: str) -> str:
    """What `for_spreadsheet` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
