"""Pictures side by side on one sheet, with lines of text over and under each. Needs Pillow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..geometry.frames import Size
from .fonts import Fonts
from .painter import LABEL, STYLES, dashed_line

TEXT = 13  # pixels of a line's text
LINE = 18  # pixels from line to line
GAP = 12  # pixels between panels
INK = "#222222"


@dataclass(frozen=True, eq=False)
class SheetPanel:
    """One picture of a sheet.

    Attributes:
        image: a Pillow image.
        above: lines of text over it.
        below: lines of text under it.
    """

    image: Any
    above: Sequence[str] = ()
    below: Sequence[str] = ()


def make_sheet(
    panels: Sequence[SheetPanel], columns: int, heading: Sequence[str] = (), legend: bool = False
) -> Any:
    """A Pillow image of all panels, row by row.

    Args:
        panels: at least one.
        columns: panels side by side.
        heading: lines of text over all.
        legend: whether a legend of colours and lines is drawn at the bottom.
    """
    from PIL import Image, ImageDraw

    fonts = Fonts(TEXT)
    columns = min(columns, len(panels))
    width = max(max(panel.image.width for panel in panels), _least_width(panels, columns, fonts))
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    heights = [max(map(_height, row)) for row in rows]
    top, foot = len(heading) * LINE + GAP, LINE + GAP if legend else 0
    size = columns * (width + GAP) + GAP, top + sum(heights) + len(rows) * GAP + foot
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(heading):
        fonts.draw(pen, (GAP, GAP / 2 + number * LINE), fonts.clipped(line, size[0] - 2 * GAP), INK)
    y = top
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            _paste(sheet, pen, panel, (GAP + column * (width + GAP), y), width, fonts)
        y += height + GAP
    if legend:
        _draw_legend(pen, (GAP, size[1] - LINE - GAP / 2))
    return sheet


def empty(size: Size, largest: Size) -> Any:
    """A grey Pillow image of the shape of `size` (width, height), fitted into `largest`."""
    from PIL import Image

    scale = min(largest[0] / size[0], largest[1] / size[1])
    sides = max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)
    return Image.new("RGB", sides, "#f2f2f2")


def fitted(image: Any, size: Size) -> Any:
    """The image scaled to fit into `size` (width, height); enlarging keeps its pixels visible."""
    from PIL import Image

    scale = min(size[0] / image.width, size[1] / image.height)
    sides = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    how = Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BICUBIC
    return image.resize(sides, how)


def _height(panel: SheetPanel) -> int:
    return int(panel.image.height + (len(panel.above) + len(panel.below)) * LINE)


def _least_width(panels: Sequence[SheetPanel], columns: int, fonts: Fonts) -> int:
    """Of a panel, so that its lines over the image and the legend fit."""
    lines = [fonts.width(line) for panel in panels for line in panel.above]
    legend = sum(fonts.width(name) + 60 for name in STYLES)
    return int(max([min(line, 420) for line in lines] + [legend / columns]))


def _paste(
    sheet: Any, pen: Any, panel: SheetPanel, place: tuple[int, int], width: int, fonts: Fonts
) -> None:
    x, y = place
    for line in panel.above:
        fonts.draw(pen, (x, y), fonts.clipped(line, width), INK)
        y += LINE
    sheet.paste(panel.image, (x, y))
    y += panel.image.height
    for line in panel.below:
        fonts.draw(pen, (x, y), fonts.clipped(line, width), INK)
        y += LINE


def _draw_legend(pen: Any, place: tuple[float, float]) -> None:
    fonts, (x, y) = Fonts(LABEL), place
    for name, (colour, dashes) in STYLES.items():
        for dash in dashed_line((x, y + 9, x + 34, y + 9), dashes):
            pen.line(dash, fill=colour, width=2)
        fonts.draw(pen, (x + 40, y), name, INK)
        x += fonts.width(name) + 60
