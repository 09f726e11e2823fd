"""The one painter of boxes, with the one palette. Needs Pillow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

from ..geometry.boxes import Boxes
from ..geometry.frames import Size
from ..text import clipped
from .fonts import Fonts

# Okabe and Ito's colours, which the colour-blind can tell apart; dashes repeat the distinction.
GREEN, BLUE, AMBER, RED, PINK, SKY = (
    "#009E73",
    "#0072B2",
    "#E69F00",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)
LABEL_COLOURS = (BLUE, RED, GREEN, PINK, AMBER, SKY)  # of boxes that differ by their label only
SOLID = ()
Line = tuple[float, float, float, float]  # x and y of its ends, or of a box's corners
STYLES: dict[str, tuple[str, tuple[int, ...]]] = {  # colour; pixels of line, gap, line, gap, ...
    "annotated": (GREEN, SOLID),
    "valid": (BLUE, (7, 4)),
    "matched, below xi0": (AMBER, (8, 3, 2, 3)),
    "unmatched": (RED, (3, 3)),
}
LABEL = 12  # pixels of a label's text
LETTERS = 40  # of a label
FAR = 10  # pixels beyond the image at which a box's edge is out of sight


@dataclass(frozen=True, eq=False)
class BoxMark:
    """A box to be drawn.

    Attributes:
        box_xyxy: (4,) in pixels of the image that the boxes belong to.
        text: its label.
        colour: of lines and label.
        dashes: pixels of line and gap in turn; empty for a solid line.
        above: whether the label stands over the box, or inside at its foot: so the labels of two
            boxes of one object do not cover one another.
    """

    box_xyxy: Any
    text: str
    colour: str
    dashes: tuple[int, ...] = SOLID
    above: bool = True


def styled(box_xyxy: Any, text: str, style: str) -> BoxMark:
    """A mark in one of `STYLES`."""
    colour, dashes = STYLES[style]
    return BoxMark(box_xyxy, text, colour, dashes, above=style == "annotated")


def labelled(boxes_xyxy: Boxes, labels: Sequence[str]) -> list[BoxMark]:
    """A mark for each box, in the colour of its label."""
    colours = dict(zip(sorted(set(labels)), cycle(LABEL_COLOURS), strict=False))
    pairs = zip(boxes_xyxy, labels, strict=True)
    return [BoxMark(box, label, colours[label]) for box, label in pairs]


def paint(image: Any, size: Size, marks: Sequence[BoxMark], fonts: Fonts | None = None) -> None:
    """Draw the marks over a Pillow image in RGB.

    Args:
        image: at any scale.
        size: (width, height) in pixels of the image that the boxes belong to.
        marks: the later ones are drawn over the earlier ones.
        fonts: for the labels.
    """
    from PIL import ImageDraw

    fonts, pen = fonts or Fonts(LABEL), ImageDraw.Draw(image)
    scale = np.array(image.size * 2) / np.array(size * 2)
    for mark in marks:
        box = _within(np.asarray(mark.box_xyxy, dtype=float) * scale, image.size)
        x1, y1, x2, y2 = box
        # The white below makes it visible on any image.
        pen.rectangle((x1 - 2, y1 - 2, x2 + 1, y2 + 1), outline="white", width=4)
        for dash in _outline(box, mark.dashes):
            pen.line(dash, fill=mark.colour, width=2)
    for mark in marks:
        box = _within(np.asarray(mark.box_xyxy, dtype=float) * scale, image.size)
        _label(image, pen, box, mark, fonts)


def _within(box: Any, size: Size) -> Line:
    """The box with its corners in order and no edge far out of sight."""
    xs = np.clip(np.nan_to_num(np.sort(box[::2])), -FAR, size[0] + FAR)
    ys = np.clip(np.nan_to_num(np.sort(box[1::2])), -FAR, size[1] + FAR)
    return float(xs[0]), float(ys[0]), float(xs[1]), float(ys[1])


def _outline(box: Line, dashes: Sequence[int]) -> Iterator[Line]:
    """The lines of a box's outline."""
    x1, y1, x2, y2 = box
    for edge in ((x1, y1, x2, y1), (x2, y1, x2, y2), (x2, y2, x1, y2), (x1, y2, x1, y1)):
        yield from dashed_line(edge, dashes)


def dashed_line(line: Line, dashes: Sequence[int]) -> Iterator[Line]:
    """The parts of a line that are drawn.

    Args:
        line: x and y of its ends, in pixels.
        dashes: as of `BoxMark`.
    """
    x1, y1, x2, y2 = line
    length = max(abs(x2 - x1), abs(y2 - y1))
    if not dashes or not length:
        yield line
        return
    place = 0.0
    for number, step in enumerate(cycle(dashes)):
        end = min(place + step, length)
        if number % 2 == 0:
            a, b = place / length, end / length
            yield (x1 + a * (x2 - x1), y1 + a * (y2 - y1), x1 + b * (x2 - x1), y1 + b * (y2 - y1))
        place = end
        if place >= length:
            return


def _label(image: Any, pen: Any, box: Sequence[float], mark: BoxMark, fonts: Fonts) -> None:
    text = fonts.clipped(clipped(" ".join(mark.text.split()), LETTERS), image.width - 6)
    if not text:
        return
    width, height = fonts.width(text) + 4, fonts.size + 4
    x = max(min(box[0] + 1, image.width - width - 1), 0)
    y = box[1] - height if mark.above and box[1] >= height else box[1] + 3
    y = box[3] - height - 2 if not mark.above else y
    y = max(min(y, image.height - height - 1), 0)
    pen.rectangle((x, y, x + width, y + height - 1), fill="white")
    pen.line((x, y, x, y + height - 1), fill=mark.colour, width=2)
    fonts.draw(pen, (x + 4, y), text, fill="#222222")
