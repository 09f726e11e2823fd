"""Rules without options: one square for all images, padding to a square, the image as it is."""

from dataclasses import dataclass

from ..frames import Size, View
from .base import Resize, checked


@dataclass(frozen=True)
class SquareResize(Resize):
    """PaliGemma, Florence-2, Gemma 3, Qwen-VL, Kosmos-2 and Griffon-G: every image is stretched to
    one square.

    Attributes:
        side: in pixels.
    """

    side: int

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        return View(checked(size), (self.side, self.side))

    def describe(self) -> str:
        """The square."""
        return f"images stretched to {self.side} x {self.side} pixels"


@dataclass(frozen=True)
class PaddedSquare(Resize):
    """LLaVA-1.5's own: the image in the middle of a square of its longer side.

    The square's later resizing does not change a coordinate and is left out.
    """

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        width, height = checked(size)
        side = max(size)
        x, y = (side - width) // 2, (side - height) // 2
        return View(size, (side, side), (x, y, x + width, y + height))

    def describe(self) -> str:
        """The padding."""
        return "images padded to a square"


@dataclass(frozen=True)
class Unchanged(Resize):
    """For models whose processed size is unknown and does not change the frame."""

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        return View(checked(size), size)

    def describe(self) -> str:
        """States that the size is not known."""
        return "images of a processed size that is not known"
