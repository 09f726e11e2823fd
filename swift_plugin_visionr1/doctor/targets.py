"""The assistant's answers of supervised rows, against the format and frame that the rewards will read."""

from collections import Counter
from collections.abc import Sequence

from ..models import ModelIO
from .cases import Case
from .findings import Finding, ok, problem, share
from .rows import Row

WASTEFUL = 0.05  # share of answers in another format


def target_findings(cases: Sequence[Case], io: ModelIO) -> list[Finding]:
    """How many of the answers in the data are right answers in the model's own format."""
    answered = [case for case in cases if case.row.target]
    if not answered:
        return [problem("no_targets", "no row has an assistant's message to learn from")] if cases else []
    issues: Counter[str] = Counter()
    bad: list[Row] = []
    for case in answered:
        parsed = io.format.parse(case.row.target)
        content = io.format.content_issues(parsed, io.resize.view(case.file.size)) if case.file.size else ()
        issues.update(parsed.issues + content)
        bad += [case.row] if parsed.issues + content else []
    text = f"{share(len(answered) - len(bad), len(answered))} answers in the data are right {io.format.name} answers"
    if not bad:
        return [ok("targets", text)]
    named = ", ".join(f"{issue} {count}" for issue, count in issues.most_common(5))
    state = problem if len(bad) >= WASTEFUL * len(answered) else ok
    return [state("targets", f"{text}; issues: {named}; the first is {bad[0].place}")]
