"""What the doctor says: one line per finding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        state: a problem means that training would be wasted or would not start; a note, that something is unusual.
        code: names the kind of finding, for programs.
        text: what was found, its likely cause and the remedy.
    """

    state: Literal["ok", "note", "problem"]
    code: str
    text: str


def ok(code: str, text: str) -> Finding:
    """All is well there."""
    return Finding("ok", code, text)


def note(code: str, text: str) -> Finding:
    """Unusual, but training can work."""
    return Finding("note", code, text)


def problem(code: str, text: str) -> Finding:
    """Training would be wasted."""
    return Finding("problem", code, text)


def share(part: int, whole: int) -> str:
    """`3 of 40 (8%)`."""
    rounded = "<1%" if 0 < 200 * part < whole else f"{part / whole:.0%}" if whole else "none"
    return f"{part} of {whole} ({rounded})"


def listed(words: Iterable[object], most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    all_words = [str(word) for word in words]
    shown = ", ".join(all_words[:most])
    return shown if len(all_words) <= most else f"{shown} and {len(all_words) - most} more"


def clipped(text: str, length: int = 160) -> str:
    """The text, cut to about `length` characters."""
    return text if len(text) <= length else text[:length] + "..."


def verdict(findings: Sequence[Finding]) -> str:
    """The last line of the report."""
    count = sum(finding.state == "problem" for finding in findings)
    if not count:
        return "verdict: nothing was found that would waste the training"
    return f"verdict: training would be wasted: {count} problem{'s' * (count > 1)} above"
