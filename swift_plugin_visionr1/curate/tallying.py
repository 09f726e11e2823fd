"""What a data set is made of, counted while its rows are written."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .difficulty import TERMS
from .picking import Picked

ROW_KEY = ("split", "source", "task", "kind")  # what rows are counted by
EDGES: dict[str, tuple[float, ...]] = {  # lower ends of a histogram's bars
    "boxes per row": (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 100),
    "box side in % of the image's": (0, 2, 5, 10, 20, 40, 60, 80),
    "categories per row": (0, 1, 2, 3, 4, 6, 10, 20),
    "question": (0, 50, 100, 200, 400, 800, 1600, 3200),
    "answer": (0, 50, 100, 200, 400, 800, 1600, 3200),
    "difficulty": (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3),
}


@dataclass(frozen=True)
class Composition:
    """Counts of the rows that were written.

    Attributes:
        rows: by `ROW_KEY`; the kinds are challenging, other and negative.
        labels: category -> boxes.
        bars: histogram -> the count of each bar.
        terms: sums of the terms of difficulty.
        totals: rows, boxes, negatives, challenging rows, thin boxes.
    """

    rows: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    bars: dict[str, list[int]] = field(default_factory=dict)
    terms: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)

    def add(self, split: str, picked: Picked, question: int, answer: int | None) -> None:
        """Count a row."""
        rendered, row = picked.rendered, picked.rendered.row
        kind = "negative" if rendered.negative else "challenging" if picked.challenging else "other"
        self.rows[split, row["source"], row["task"], kind] += 1
        self.labels.update(rendered.labels)
        _add_up(self.totals, {"rows": 1, "boxes": len(rendered.labels), kind: 1})
        _add_up(self.totals, {"thin": rendered.thin})
        _add_up(self.terms, picked.terms)
        self._count("boxes per row", len(rendered.labels))
        self._count("categories per row", len(set(rendered.labels)))
        self._count("difficulty", picked.score)
        self._count("question", question)
        if answer is not None:
            self._count("answer", answer)
        assert picked.sample.size is not None
        area = math.prod(picked.sample.size) / 100**2
        for x1, y1, x2, y2 in rendered.boxes:
            self._count("box side in % of the image's", math.sqrt((x2 - x1) * (y2 - y1) / area))

    def _count(self, name: str, value: float) -> None:
        """Count a value in the bars of a histogram; what is below the first counts there."""
        bars = self.bars.setdefault(name, [0] * len(EDGES[name]))
        bars[max(bisect_right(EDGES[name], value) - 1, 0)] += 1

    def histograms(self, unit: str) -> dict[str, list[dict[str, Any]]]:
        """Name -> bars of {from, to, count}; the last has no end."""
        tables: dict[str, list[dict[str, Any]]] = {}
        for name, edges in EDGES.items():
            if not any(self.bars.get(name, ())):
                continue
            title = f"{name} in {unit}" if name in ("question", "answer") else name
            ends = [*edges[1:], None]
            tables[title] = [
                {"from": start, "to": end, "count": self.bars[name][number]}
                for number, (start, end) in enumerate(zip(edges, ends, strict=True))
            ]
        return tables

    def means(self) -> dict[str, float]:
        """The mean of each term of difficulty."""
        rows = max(self.totals["rows"], 1)
        return {name: round(float(self.terms[name]) / rows, 4) for name in TERMS}


def _add_up(sums: Counter[str], more: Mapping[str, float]) -> None:
    for name, value in more.items():  # `Counter.update` takes several times as long
        sums[name] += value  # type: ignore[assignment]
