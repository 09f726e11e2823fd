"""The rows of one reward call, of which a mixed run scores some and leaves others to other
rewards."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..data.ground_truth import GroundTruth
from ..data.row_tasks import Target
from .equations import RewardBreakdown

T = TypeVar("T")
PARTS = ("format", "recall", "precision", "predicted", "truths")
NAMED_BY = ("source", "task")  # columns whose values have means of their own
NamedSums = Counter[tuple[str, str]]  # by name and part, with "completions"


@dataclass(frozen=True, eq=False)
class BatchRows:
    """Completions, their columns, and what each is judged against."""

    texts: Sequence[str]
    columns: Mapping[str, Any]
    targets: Sequence[Target | None]

    def take(self, places: Sequence[int]) -> "BatchRows":
        """Only the rows at these places."""
        count = len(self.texts)
        if len(places) == count:
            return self
        columns = {
            name: chosen(values, places)
            for name, values in self.columns.items()
            if isinstance(values, list | tuple) and len(values) == count
        }
        return BatchRows(chosen(self.texts, places), columns, chosen(self.targets, places))

    @property
    def judged(self) -> list[int]:
        """The places of rows that are not left to other rewards."""
        return [place for place, target in enumerate(self.targets) if target is not None]

    @property
    def with_boxes(self) -> list[int]:
        """The places of rows that ask for boxes."""
        return [place for place, one in enumerate(self.targets) if isinstance(one, GroundTruth)]


def chosen(values: Sequence[T], places: Sequence[int]) -> list[T]:
    """The values at these places."""
    return [values[place] for place in places]


def sums_by_name(
    rows: BatchRows, breakdowns: Sequence[RewardBreakdown], named_by: Sequence[str]
) -> NamedSums:
    """Sums of the reward's parts for each value of the columns `named_by`."""
    sums: NamedSums = Counter()
    count = len(rows.texts)
    columns = [rows.columns.get(name) for name in named_by]
    present = [values for values in columns if values is not None and len(values) == count]
    for names, breakdown in zip(zip(*present, strict=True), breakdowns, strict=False):
        for name in {name for name in names if isinstance(name, str) and name}:
            sums[name, "completions"] += 1
            for part in PARTS:
                sums[name, part] += getattr(breakdown, part)
    return sums


def means_by_name(sums: Sequence[NamedSums]) -> dict[str, float]:
    """The means that several processes summed, as `<name>/<part>`, sorted: the same in all."""
    total: NamedSums = Counter()
    for each in sums:
        total.update(each)
    return {
        f"{name}/{part}": value / total[name, "completions"]
        for (name, part), value in sorted(total.items())
        if part != "completions"
    }
