"""The ground truth on the processed image, as a model that answers correctly would see it, for a
person to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...data.images import open_image
from ...errors import ImageError
from ...explain.painter import labelled, paint
from ...explain.sheet import SheetPanel, fitted, make_sheet
from ...formats import Format
from ...geometry.boxes import Boxes
from ...geometry.frames import FRAMES, View
from ...models.right_answer import right_answer
from ...text import clipped
from ..cases import Case, Whole, chosen_cases
from ..findings import Finding, ok, problem

CELL = 480  # pixels of the sheet for one image
LINES = 7  # of the written answer under it
COLUMNS = 3
PICTURES = 6


def picture_findings(cases: Sequence[Case], format: Format, out: Path | None) -> list[Finding]:
    """A right answer in words, and a sheet of pictures in `out`, if any row is complete."""
    chosen = chosen_cases(cases, PICTURES)
    if not chosen:
        return []
    answer = right_answer(chosen[0].truth, chosen[0].view, format)
    findings = [
        ok("right_answer", f"a right answer to {chosen[0].row.place} is {clipped(answer, 200)!r}")
    ]
    if out is None:
        return findings
    cells, broken = _cells(chosen, format)
    findings += broken
    if not cells:
        return findings
    out.mkdir(parents=True, exist_ok=True)
    make_sheet(cells, COLUMNS).save(out / "ground_truth.png")
    text = (
        f"ground truth as the model will see it: {out / 'ground_truth.png'}; do the boxes lie "
        "on the objects?"
    )
    return [*findings, ok("pictures", text)]


def _cells(chosen: Sequence[Whole], format: Format) -> tuple[list[SheetPanel], list[Finding]]:
    """A cell for each row, and what is wrong with images that cannot be read to the end."""
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


def picture(case: Whole, format: Format) -> SheetPanel:
    """One cell of the sheet: caption, image with boxes, the beginning of the right answer."""
    view = case.view
    image = fitted(seen_image(case.row.image, view), (CELL, CELL))
    answer = right_answer(case.truth, view, format)
    boxes, labels = seen_boxes(answer, view, format)
    paint(image, view.processed, labelled(boxes, labels))
    caption = f"{case.row.place}: {view.size}, seen as {view.processed}"
    return SheetPanel(image, (caption,), _wrapped(answer))


def _wrapped(answer: str, width: int = 62) -> list[str]:
    lines = [line.replace("\t", "  ") for line in answer.split("\n")]
    pieces = [
        line[start : start + width]
        for line in lines
        for start in range(0, max(len(line), 1), width)
    ]
    return pieces if len(pieces) <= LINES else [*pieces[: LINES - 1], "..."]
