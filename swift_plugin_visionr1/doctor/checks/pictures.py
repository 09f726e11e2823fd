"""The ground truth on the processed image, as a model that answers rightly would have it, for a
person to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...data.images import open_image
from ...errors import ImageError
from ...formats import Format
from ...geometry.boxes import Boxes
from ...geometry.frames import FRAMES, View
from ...models.right_answer import right_answer
from ...text import clipped
from ..cases import Case, Whole, chosen_cases
from ..findings import Finding, ok, problem

CELL = 480  # pixels of the sheet for one image
LINE = 17  # pixels of a line of text
LINES = 7  # of the written answer under it
COLUMNS = 3
PICTURES = 6
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
)  # told apart by the colour-blind too


def picture_findings(cases: Sequence[Case], format: Format, out: Path | None) -> list[Finding]:
    """A right answer in words, and in the folder `out` a sheet of pictures; nothing where no row is
    whole."""
    chosen = chosen_cases(cases, PICTURES)
    if not chosen:
        return []
    answer = right_answer(chosen[0].truth, chosen[0].view, format)
    found = [
        ok("right_answer", f"a right answer to {chosen[0].row.place} is {clipped(answer, 200)!r}")
    ]
    if out is None:
        return found
    cells, broken = _cells(chosen, format)
    found += broken
    if not cells:
        return found
    out.mkdir(parents=True, exist_ok=True)
    write_sheet(cells, out / "ground_truth.png")
    text = (
        f"ground truth as the model will see it: {out / 'ground_truth.png'}; do the boxes lie "
        "on the objects?"
    )
    return [*found, ok("pictures", text)]


def _cells(chosen: Sequence[Whole], format: Format) -> tuple[list[Any], list[Finding]]:
    """A cell for each row, and what is wrong with images that cannot be read to their end."""
    cells, broken = [], []
    for case in chosen:
        try:
            cells.append(picture(case, format))
        except ImageError as error:  # the header could be read, the rest is cut off
            broken.append(problem("unreadable_image", f"{case.row.place}: {error}"))
    return cells, broken


def seen_boxes(answer: str, view: View, format: Format) -> tuple[Boxes, tuple[str, ...]]:
    """(n, 4) xyxy boxes of an answer in pixels of the processed image, and their labels."""
    parsed = format.parse(answer)
    return FRAMES["processed"].from_image(
        format.frame.to_image(parsed.boxes, view), view
    ), parsed.labels


def seen_image(image: Any, view: View) -> Any:
    """A row's image resized, and padded where the model pads, to what the vision tower is fed."""
    from PIL import Image

    image = open_image(image)
    if view.content is None:
        return image.resize(view.processed)
    x1, y1, x2, y2 = (round(v) for v in view.content)
    canvas = Image.new("RGB", view.processed, "#777777")
    canvas.paste(image.resize((max(x2 - x1, 1), max(y2 - y1, 1))), (x1, y1))
    return canvas


def picture(case: Whole, format: Format) -> Any:
    """One cell of the sheet: caption, image with boxes, the beginning of the right answer."""
    from PIL import Image, ImageDraw, ImageFont

    view, image = case.view, seen_image(case.row.image, case.view)
    scale = CELL / max(image.size)
    image = image.resize((max(round(image.width * scale), 1), max(round(image.height * scale), 1)))
    answer = right_answer(case.truth, view, format)
    boxes, labels = seen_boxes(answer, view, format)
    font = ImageFont.load_default(size=12)
    _draw_boxes(ImageDraw.Draw(image), boxes * scale, labels, font)
    cell = Image.new("RGB", (CELL, LINE + CELL + LINES * LINE), "white")
    cell.paste(image, (0, LINE))
    texts = [f"{case.row.place}: {view.size}, seen as {view.processed}", *_wrapped(answer)]
    for number, text in enumerate(texts):
        y = 1 if number == 0 else image.height + 3 + number * LINE
        ImageDraw.Draw(cell).text((4, y), _latin(text), fill="black", font=font)
    return cell


def _draw_boxes(draw: Any, boxes: Boxes, labels: Sequence[str], font: Any) -> None:
    names = sorted(set(labels))
    for (x1, y1, x2, y2), label in zip(boxes.tolist(), labels, strict=True):
        colour = COLOURS[names.index(label) % len(COLOURS)]
        draw.rectangle((x1, y1, x2, y2), outline=colour, width=2)
        place = (x1 + 2, max(y1 - 14, 0))
        draw.rectangle(draw.textbbox(place, _latin(label), font=font), fill=colour)
        draw.text(place, _latin(label), fill="white", font=font)


def write_sheet(cells: Sequence[Any], out: Path) -> None:
    """All cells side by side in one PNG."""
    from PIL import Image

    width, height = cells[0].size
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * (width + 8), rows * (height + 8)), "#dddddd")
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        sheet.paste(cell, (column * (width + 8) + 4, row * (height + 8) + 4))
    sheet.save(out)


def _wrapped(answer: str, width: int = 68) -> list[str]:
    lines = [line.replace("\t", "  ") for line in answer.split("\n")]
    pieces = [
        line[start : start + width]
        for line in lines
        for start in range(0, max(len(line), 1), width)
    ]
    return pieces if len(pieces) <= LINES else [*pieces[: LINES - 1], "..."]


def _latin(text: str) -> str:
    """PIL's own font has few letters beyond ASCII, and refuses lone surrogates."""
    return text.encode("latin-1", "replace").decode("latin-1")
