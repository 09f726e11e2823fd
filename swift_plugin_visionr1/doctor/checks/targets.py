"""The assistant's answers of supervised rows, against the format and frame that the rewards will
read."""

from collections import Counter
from collections.abc import Sequence

from ...models.model_io import ModelIO
from ...text import share
from ..cases import Case
from ..findings import Finding, ok, problem
from ..rows import Row
from .answers import Group, mean_iou

WASTEFUL = 0.05  # share of answers in another format
ALIKE = 0.7  # mean IoU of answers that are the row's solution, rounded to a grid
REMEDY = (
    "`vision-r1 prepare --target` writes them for this run, from COCO annotations or (--rows) "
    "from such rows"
)


def target_findings(cases: Sequence[Case], io: ModelIO) -> list[Finding]:
    """How many of the answers in the data are right answers in the model's own format."""
    answered = [case for case in cases if case.row.target]
    if not answered:
        return (
            [problem("no_targets", "no row has an assistant's message to learn from")]
            if cases
            else []
        )
    issues: Counter[str] = Counter()
    bad: list[Row] = []
    for case in answered:
        parsed = io.format.parse(case.row.target)
        content = (
            io.format.content_issues(parsed, io.resize.view(case.file.size))
            if case.file.size
            else ()
        )
        issues.update(parsed.issues + content)
        bad += [case.row] if parsed.issues + content else []
    misplaced = _misplaced(answered, io)
    if misplaced:
        return [misplaced]
    text = (
        f"{share(len(answered) - len(bad), len(answered))} answers in the data are right "
        f"{io.format.name} answers"
    )
    if not bad:
        return [ok("targets", text)]
    named = ", ".join(f"{issue} {count}" for issue, count in issues.most_common(5))
    state = problem if len(bad) >= WASTEFUL * len(answered) else ok
    text += f"; issues: {named}; the first is {bad[0].place}; {REMEDY}"
    return [state("targets", text)]


def _misplaced(cases: Sequence[Case], io: ModelIO) -> Finding | None:
    """Answers that are none to their row's own solution, where rows have one."""
    groups = [
        Group(case.row.truth, case.view, (case.row.target,), (False,))
        for case in cases
        if case.row.truth and case.view
    ]
    overlap = mean_iou(groups, io.format)
    if overlap >= ALIKE or not any(len(group.truth.boxes) for group in groups):
        return None
    text = (
        f"the answers in the data are not their rows' solutions: as {io.format.name}, "
        f"{io.format.frame.describe()}, "
    )
    text += (
        f"the mean IoU is {overlap:.2f}. They are for another model_type or other limits of "
        f"image sizes: {REMEDY}"
    )
    return problem("targets", text)
