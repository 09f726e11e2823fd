"""Runs of location tokens, as PaliGemma and Florence-2 write them: where they are and what they
hold."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from .base import Span
from .collector import MAX_PIECES

LONGEST = 4004  # tokens of one run that are looked at: one box more than are read
_PARTIAL = re.compile(r"<[a-z_]{0,5}[0-9]{0,4}\Z")


class TokenRun(NamedTuple):
    """Neighbouring tokens: where they stand, and where the digits of each are."""

    start: int
    end: int
    digits: tuple[Span, ...]

    def values(self, text: str) -> list[float]:
        """The numbers of the tokens."""
        return [float(text[start:end]) for start, end in self.digits]


def runs(text: str, token: re.Pattern[str], run: re.Pattern[str]) -> Iterator[TokenRun]:
    """The runs of an answer, in order; group 1 of `token` is its digits."""
    for match in islice(run.finditer(text), MAX_PIECES):
        matches = islice(token.finditer(text, *match.span()), LONGEST)
        yield TokenRun(*match.span(), tuple(one.span(1) for one in matches))


def is_cut(text: str, start: int) -> bool:
    """Whether text[start:] ends within a token."""
    return _PARTIAL.search(text, max(start, len(text) - 12)) is not None
