"""Which rows the rewards judge, and which are left to others."""

from collections.abc import Sequence

from ...data.row_census import BOXES, POINTS, UNTOLD, RowCensus, other_rewards
from ...errors import SolutionError
from ..findings import Finding, ok, problem
from ..rows import DoctorRow


def rows_with_boxes(rows: Sequence[DoctorRow], rewards: Sequence[str]) -> list[DoctorRow]:
    """The rows whose boxes can be looked at, or should be there."""
    kinds = (BOXES, POINTS) if other_rewards(rewards) else (BOXES, POINTS, UNTOLD)
    return [row for row in rows if row.kind in kinds]


def task_findings(rows: Sequence[DoctorRow], rewards: Sequence[str]) -> list[Finding]:
    """What the rows ask for, if that is more than boxes; a problem where training would stop."""
    census = RowCensus(other_rewards(rewards))
    for index, row in enumerate(rows):
        census.add(index, row.kind)
    misplaced = next((row for row in rows if row.misplaced), None)
    if misplaced is not None:
        text = (
            f"{misplaced.place}: the annotation stands in the column {misplaced.misplaced}: rename "
            "it to solution (--columns)"
        )
        return [problem("misplaced_solution", text)]
    if not census.is_mixed or (census.kinds[UNTOLD] and not census.others):
        return []  # `row_findings` says so
    try:
        census.require_judged("train_dataset", lambda index: rows[index].place, lambda index: {})
    except SolutionError as error:
        return [problem("tasks", f"tasks: {error}")]
    return [ok("tasks", f"tasks: {census.describe()}")]
