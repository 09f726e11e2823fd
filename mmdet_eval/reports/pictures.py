"""Draws annotations and answers over images, as files and as thumbnails."""

import base64
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.image_paths import find_image
from swift_plugin_visionr1.data.images import open_image
from swift_plugin_visionr1.errors import ImageError
from swift_plugin_visionr1.explain.painter import paint, styled

from ..evaluation import Evaluation
from .faults import SHOWN
from .judged import JudgedAnswer, ranked
from .report import ReportParts

KINDS = ("best", "worst", "unparseable")
PICTURES = 4  # of each kind
LONG_SIDE = 1024  # pixels of a picture
THUMBNAIL = 480
STYLE_OF = {"right": "valid", "label": "matched, below xi0", "wrong": "unmatched"}  # of the painter


def image_file(evaluation: Evaluation, judged: JudgedAnswer) -> Path | None:
    """The image of an answer, if it is known, exists and may be shown."""
    name = judged.read.answer.image.file_name
    if not evaluation.images or not name:
        return None
    path = find_image(evaluation.images, name)
    as_named = path == evaluation.images / name and not evaluation.shows_outside
    return None if as_named and leads_outside(evaluation.images, name) else path


def leads_outside(folder: Path, name: str) -> bool:
    """Whether a file_name leads outside the image folder. Links inside the folder may lead
    anywhere, because the owner of the folder made them."""
    named = Path(name)
    if not named.is_absolute() and ".." not in named.parts:
        return False
    return not (folder / name).resolve().is_relative_to(folder.resolve())


def shown_image(path: Path, long_side: int, broken: dict[Path, str]) -> Any | None:
    """A Pillow image in RGB, shrunk to at most `long_side` pixels. If it cannot be opened, None,
    and the reason goes into `broken`."""
    try:
        return open_image(path, long_side)
    except ImageError as error:
        broken[path] = str(error)
        return None


def write_pictures(folder: Path, report: ReportParts, number: int, broken: dict[Path, str]) -> None:
    """Write the pictures of a data set as PNG: up to 4 each of the best, the worst and the
    unparseable into best/, worst/ and unparseable/, and its examples of each fault into a folder
    with the fault's key; images that cannot be opened go into `broken`."""
    evaluation, judged = report.evaluations[number], report.judged[number]
    for kind, places in _chosen(evaluation, judged).items():
        for rank, place in enumerate(places, start=1):
            _write(folder / kind, rank, evaluation, judged[place], broken)
    for fault in report.faults[:SHOWN]:
        for rank, (of_set, place) in enumerate(fault.examples, start=1):
            if of_set == number:
                _write(folder / fault.key, rank, evaluation, judged[place], broken)


def _chosen(evaluation: Evaluation, judged: Sequence[JudgedAnswer]) -> dict[str, list[int]]:
    order = [i for i in ranked(judged) if image_file(evaluation, judged[i])]
    unread = [i for i in order if judged[i].read.unparsed]
    read = [i for i in order if not judged[i].read.unparsed]
    worst = read[::-1][: min(PICTURES, len(read) // 2)]
    return dict(zip(KINDS, (read[:PICTURES], worst, unread[:PICTURES]), strict=True))


def _write(
    folder: Path, rank: int, evaluation: Evaluation, judged: JudgedAnswer, broken: dict[Path, str]
) -> None:
    path = image_file(evaluation, judged)
    image = shown_image(path, LONG_SIDE, broken) if path else None
    if path is None or image is None:
        return
    draw(image, judged)
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^\w.-]+", "_", path.stem)[:80]
    image.save(folder / f"{rank}_{stem}.png")


def draw(image: Any, judged: JudgedAnswer) -> None:
    """Draw annotations in solid green over a PIL image, boxes dashed: blue right, amber wrong
    label, red wrong."""
    truth, read = judged.truth, judged.read
    answered = zip(read.boxes, read.parsed.labels, judged.states, strict=True)
    marks = [
        styled(box, name, "annotated") for box, name in zip(truth.boxes, truth.labels, strict=True)
    ]
    marks += [styled(box, name, STYLE_OF[state]) for box, name, state in answered]
    paint(image, truth.size, marks)


def thumbnail(path: Path, broken: dict[Path, str]) -> str | None:
    """The image as a JPEG data URI, at most 480 pixels on its long side. If it cannot be opened,
    None, and the reason goes into `broken`."""
    image = shown_image(path, THUMBNAIL, broken)
    if image is None:
        return None
    out = BytesIO()
    image.save(out, "JPEG", quality=78, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
