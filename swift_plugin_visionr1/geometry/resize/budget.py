"""Gemma 4's rule: as large as a budget of visual tokens allows."""

import math
from dataclasses import dataclass

from ..frames import Size, View
from .base import Resize, checked


@dataclass(frozen=True)
class BudgetResize(Resize):
    """Every image, small ones too, fills the budget; the shape is kept as far as whole tokens
    allow.

    Attributes:
        tokens: greatest number of visual tokens; the processor's max_soft_tokens.
        side: pixels along one side of a visual token: patch size times pooling.
    """

    tokens: int = 280
    side: int = 48

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        width, height = checked(size)
        scale = math.sqrt(self.tokens * self.side**2 / (width * height))
        columns, rows = (math.floor(scale * side / self.side) for side in size)
        if not columns or not rows:  # one side is more than `tokens` times the other
            columns, rows = (1, self.tokens) if width < height else (self.tokens, 1)
        return View(size, (columns * self.side, rows * self.side))

    def describe(self) -> str:
        """The budget."""
        return (
            f"images scaled to at most {self.tokens} visual tokens of {self.side} x {self.side} "
            "pixels"
        )
