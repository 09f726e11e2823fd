"""Coordinate frames: the only place where boxes move between the original image and what the model
writes.

The original frame is the image file's pixels. The model sees the image resized to its processed
size, on some models with padding around it. What it writes is in its format's frame: pixels of the
processed image, thousandths, ...
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, is_inside

Size = tuple[int, int]  # (width, height) in pixels
Region = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels


@dataclass(frozen=True)
class View:
    """An image and what the model sees of it.

    Attributes:
        size: (width, height) of the original image in pixels.
        processed: (width, height) in pixels of what the vision tower is fed, padding included.
        content: where the image lies in that, xyxy; None if nothing is padded.
    """

    size: Size
    processed: Size
    content: Region | None = None


@dataclass(frozen=True)
class Frame:
    """What the numbers that a model writes as coordinates mean.

    Attributes:
        units: how many units span a side; or pixels of the "processed" or of the "original" image.
        offset: what is added to a number to get its place, in units; .5 where numbers count bins
            and mean their middle.
        top: the greatest legal number; None for the whole side.
        padded: whether units span the processed image with its padding, rather than the part that
            shows the image.
    """

    units: float | Literal["processed", "original"]
    offset: float = 0.0
    top: float | None = None
    padded: bool = False

    def describe(self) -> str:
        """What the coordinates are, in words."""
        if isinstance(self.units, str):
            return f"coordinates in pixels of the {self.units} image"
        return f"coordinates from 0 to {self.units:g}" + (
            " of the padded image" if self.padded else ""
        )

    def side(self, view: View) -> tuple[float, float]:
        """(width, height) of what is spanned, in the frame's units."""
        if self.units == "original":
            return view.size
        if self.units == "processed":
            return view.processed
        return self.units, self.units

    def limit(self, view: View) -> tuple[float, float]:
        """The greatest legal (x, y)."""
        return self.side(view) if self.top is None else (self.top, self.top)

    def is_inside(self, boxes: Boxes, view: View) -> NDArray[np.bool_]:
        """(n,) whether the coordinates of (n, 4) xyxy boxes in this frame are legal: from 0 to the
        limit."""
        return is_inside(boxes, self.limit(view))

    def to_image(self, boxes: Boxes, view: View) -> Boxes:
        """(n, 4) xyxy boxes in this frame -> pixels of the original image."""
        shifted = boxes + self.offset if self.offset else boxes
        region = self._content(view)
        if region is None:
            return convert(shifted, self.side(view), view.size)
        x1, y1, x2, y2 = region
        return convert(shifted - np.array([x1, y1, x1, y1]), (x2 - x1, y2 - y1), view.size)

    def from_image(self, boxes: Boxes, view: View) -> Boxes:
        """(n, 4) xyxy boxes in pixels of the original image -> this frame, not rounded."""
        region = self._content(view)
        if region is None:
            return convert(boxes, view.size, self.side(view)) - self.offset
        x1, y1, x2, y2 = region
        placed = convert(boxes, view.size, (x2 - x1, y2 - y1))
        return np.asarray(placed + np.array([x1, y1, x1, y1]) - self.offset, dtype=np.float64)

    def _content(self, view: View) -> Region | None:
        """Where the image lies in what is spanned, in this frame's units; None if it fills that."""
        if (
            view.content is None
            or self.units == "original"
            or not (self.padded or self.units == "processed")
        ):
            return None
        (width, height), (wide, high) = self.side(view), view.processed
        x1, y1, x2, y2 = view.content
        return x1 * width / wide, y1 * height / high, x2 * width / wide, y2 * height / high


FRAMES: dict[str, Frame] = {
    "processed": Frame("processed"),
    "original": Frame("original"),
    "norm1": Frame(1.0),
    "norm100": Frame(100.0),
    "norm840": Frame(840.0),
    "norm999": Frame(999.0),
    "norm1000": Frame(1000.0),
    "norm1023": Frame(1023.0),
    "padded1": Frame(1.0, padded=True),
    "padded1000": Frame(1000.0, padded=True),
}


def convert(boxes: Boxes, source: tuple[float, float], target: tuple[float, float]) -> Boxes:
    """Scale (n, 4) xyxy boxes from an image that spans `source` (width, height) to one that spans
    `target`."""
    # Multiply first, so that a coordinate that comes out whole is exact, and an IoU of exactly .5
    # stays .5.
    return np.asarray(boxes * np.array(target * 2) / np.array(source * 2), dtype=np.float64)
