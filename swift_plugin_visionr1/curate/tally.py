"""What became of records that cannot be used as they are written, counted by reason."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

EXAMPLES = 3  # that are kept of each reason


@dataclass(frozen=True)
class Tally:
    """Counts of one source.

    Attributes:
        dropped: reason -> how many records are in no row.
        mended: reason -> how many records were changed.
        examples: reason -> the first few of them, in words.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, where: object, count: int = 1) -> None:
        """A record is left out."""
        self.dropped[reason] += count
        self._remember(reason, where)

    def mend(self, reason: str, where: object, count: int = 1) -> None:
        """A record is used otherwise than it is written."""
        self.mended[reason] += count
        self._remember(reason, where)

    def _remember(self, reason: str, where: object) -> None:
        some = self.examples.setdefault(reason, [])
        if len(some) < EXAMPLES:
            some.append(str(where))

    def rows(self) -> list[Mapping[str, object]]:
        """For a card: what, reason, count, examples; the most frequent first."""
        return [
            {"what": what, "reason": reason, "count": count, "examples": self.examples[reason]}
            for what, counts in (("left out", self.dropped), ("mended", self.mended))
            for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]
