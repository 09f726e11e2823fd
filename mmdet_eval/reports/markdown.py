"""Markdown whose tables are aligned in plain text too."""

import html
import re
from collections.abc import Iterable, Sequence

from swift_plugin_visionr1.text import printable

# What Markdown, or GitHub's, would act on: marks, and links without brackets. Tags are entities,
# because not every reader of Markdown knows an escaped <.
_MARKS = re.compile(
    r"[\\`*\[\]|~$]|(?<!&)#|(?<!\w)_|_(?!\w)|(?<=http):(?=//)|(?<=https):(?=//)|(?<=\bwww)\.(?=\w)",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    line = html.escape(printable(" ".join(text.split())), quote=False)
    return _MARKS.sub(lambda mark: "\\" + mark[0], line)


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of names, on the left, and numbers; cells are Markdown: see `plain`."""
    widths = [max(3, *map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return "\n".join(
        [_line(header, widths), f"| {' | '.join(rule)} |", *(_line(row, widths) for row in rows)]
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return f"| {' | '.join([f'{row[0]:<{widths[0]}}', *numbers])} |"
