"""Completions through the reward, one JSON row each, and a summary of them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.logged_rows import Row
from ..data.row_tasks import Target
from ..reward.equations import RewardBreakdown
from ..reward.schedule import Standard
from ..reward.scorer import Scorer
from .trained import JudgedCompletion, judge_row

AS_TRAINED = "as_trained"  # beside the names of stages
MEASURED = ("format", "recall", "precision", "total")


@dataclass
class RowScores:
    """Scores rows one by one and keeps what the summary needs.

    Attributes:
        scorer: the rules, and how the model sees and writes.
        stages: whose criteria apply.
        target: a row's annotation, None where it is left to other rewards; raises SolutionError or
            InputError.
        left: how many rows were left to other rewards.
    """

    scorer: Scorer
    stages: Sequence[str]
    target: Callable[[Row], Target | None]
    left: int = 0
    _parts: dict[str, list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))
    _groups: dict[Hashable, list[int]] = field(default_factory=lambda: defaultdict(list))
    _issues: Counter[str] = field(default_factory=Counter)
    _boxes: Counter[str] = field(default_factory=Counter)
    _count: int = 0

    def read(self, row: Row) -> JudgedCompletion | None:
        """The row's completion, read and matched; None, and counted, if its row is left to other
        rewards.

        Raises:
            InputError: it has no completion, or its image has a size that no processor accepts.
            SolutionError: its annotation cannot be used.
        """
        target = self.target(row)
        if target is None:
            self.left += 1
            return None
        return judge_row(row, target, self.scorer)

    def add(self, judged: JudgedCompletion, trained: Standard | None = None) -> dict[str, Any]:
        """The reward parts of a row, plain values for JSON.

        Args:
            judged: the row.
            trained: the criteria that training judged it by, for all rows or for none.
        """
        row, schedule = judged.row, self.scorer.schedule
        scored = {stage: judged.judge(schedule.criteria(stage)) for stage in self.stages}
        if trained is not None:
            scored[AS_TRAINED] = judged.judge(trained.criteria)
        first = scored[self.stages[0]]
        self._groups[judged.group].append(self._count)
        self._count += 1
        self._issues.update(first.issues)
        self._boxes.update(
            predicted=first.predicted, annotated=first.truths, matched=len(first.match.ious)
        )
        for stage, breakdown in scored.items():
            self._parts[stage].append(parts_of(breakdown))
        place = {"line": row.line, "place": row.place, "step": row.step}
        plain = {stage: dict(self._parts[stage][-1]) for stage in scored}
        if trained is not None:
            plain[AS_TRAINED] |= trained.logged
        return {
            **{name: value for name, value in place.items() if value is not None},
            "predicted": first.predicted,
            "annotated": first.truths,
            "issues": list(first.issues),
            **plain,
        }

    def summary(self) -> dict[str, Any]:
        """Means and spread of each part by stage, issue rates, numbers of boxes, groups without
        spread."""
        parts = {
            stage: {name: np.array([row[name] for row in rows]) for name in rows[0]}
            for stage, rows in self._parts.items()
        }
        return {
            "completions": self._count,
            **({"left_to_other_rewards": self.left} if self.left else {}),
            "boxes": dict(self._boxes),
            "issues": {issue: times / self._count for issue, times in self._issues.most_common()},
            "stages": {stage: _spread(values) for stage, values in parts.items()},
            "groups": self._group_summary(
                {stage: values["total"] for stage, values in parts.items()}
            ),
        }

    def _group_summary(self, totals: dict[str, Any]) -> dict[str, Any] | None:
        """Completions of one prompt belong together; None if no prompt has several."""
        groups = [members for members in self._groups.values() if len(members) > 1]
        if not groups:
            return None
        return {
            "groups": len(groups),
            "zero_spread": {
                stage: float(np.mean([np.ptp(values[members]) < 1e-8 for members in groups]))
                for stage, values in totals.items()
            },
        }


def parts_of(breakdown: RewardBreakdown) -> dict[str, float]:
    """The reward's parts and total, and what another work's rules pay as `paid_...`."""
    paid = {f"paid_{name}": value for name, value in (breakdown.terms or {}).items()}
    return {part: float(getattr(breakdown, part)) for part in MEASURED} | paid


def _spread(columns: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        part: {"mean": round(float(values.mean()), 6), "std": round(float(values.std()), 6)}
        for part, values in columns.items()
    }
