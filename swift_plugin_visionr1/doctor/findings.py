"""What the doctor says: one line per finding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        state: a problem means that training would be wasted or would not start; a note, that
            something is unusual.
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


def verdict(findings: Sequence[Finding]) -> str:
    """The last line of the report."""
    count = sum(finding.state == "problem" for finding in findings)
    if not count:
        return "verdict: nothing was found that would waste the training"
    return f"verdict: training would be wasted: {count} problem{'s' * (count > 1)} above"
