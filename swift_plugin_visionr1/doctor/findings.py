"""What the doctor reports: one line per finding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        state: a problem means that training would be wasted or would not start; a warning, that a
            part of it would be; a note, that something is unusual.
        code: names the kind of finding, for programs.
        text: what was found, its likely cause and the remedy.
    """

    state: Literal["ok", "note", "warning", "problem"]
    code: str
    text: str


def ok(code: str, text: str) -> Finding:
    """All is well there."""
    return Finding("ok", code, text)


def note(code: str, text: str) -> Finding:
    """Unusual, but training can work."""
    return Finding("note", code, text)


def warning(code: str, text: str) -> Finding:
    """Training can work, but a part of the data or of its effect is lost."""
    return Finding("warning", code, text)


def problem(code: str, text: str) -> Finding:
    """Training would be wasted."""
    return Finding("problem", code, text)


def verdict(findings: Sequence[Finding]) -> str:
    """The last line of the report."""
    problems, warnings = (_count(findings, state) for state in ("problem", "warning"))
    if problems:
        also = f", and {warnings}" if warnings else ""
        return f"verdict: training would be wasted: {problems}{also} above"
    if warnings:
        return f"verdict: training can work, but look at {warnings} above"
    return "verdict: nothing was found that would waste the training"


def _count(findings: Sequence[Finding], state: str) -> str:
    count = sum(finding.state == state for finding in findings)
    return f"{count} {state}{'s' * (count > 1)}" if count else ""
