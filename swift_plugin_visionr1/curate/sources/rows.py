"""Rows for training that exist already: ours, ms-swift's, the authors', VLM-R1's, Visual-RFT's, and
LLaVA-style conversations with [x1, y1, x2, y2] in the answer. They keep their own questions."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...data.ground_truth import read_solution
from ...data.images import image_size as read_size
from ...data.published import form_of
from ...data.published.base import IMAGE_TAG, RowForm, first_image
from ...data.published.ms_swift_grounding import REF
from ...errors import ImageError, InputError, SolutionError
from ...geometry.boxes import as_boxes
from ..image_search import ImageFinder, folders_around
from ..sample import Phrase, Request, Sample, Source, Task, is_id, to_xyxy
from ..tally import Tally
from .coco import image_size
from .expressions import count_rows, is_rows_file, rows_of
from .splits import split_of

NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
BOX = re.compile(rf"[\[(]{NUMBER},{NUMBER},{NUMBER},{NUMBER}[\])]")
DESCRIBED = (
    re.compile(r"<(ref|p)>(?P<text>.+?)</\1>", re.DOTALL),
    re.compile(r"describes\s*:?\s*(?P<text>.+?)\s*$", re.DOTALL | re.IGNORECASE),
    re.compile(r"[\"“](?P<text>[^\"”]+)[\"”]"),
)
BAD_ROW = "rows that cannot be used"
ROLES = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant"}


def _first(path: Path) -> Any:
    try:
        return next(rows_of(path), None) if is_rows_file(path) else None
    except InputError:
        return None


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    row = _first(path)
    if not isinstance(row, Mapping) or first_image(row) is None:
        return False
    return "solution" in row or form_of(row) is not None or _exchange(row) is not None


def open_rows(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    path = request.path
    folders = request.folders(*folders_around(path), Path())
    return Source(
        name=path.name.split(".")[0],
        format="rows",
        files=(path,),
        images=folders,
        categories=(),
        exhaustive=False,
        tasks=("detection", "grounding", "referring"),
        read=lambda tally: _samples(path, folders, request, tally),
        count=count_rows(path),
        any_task=True,
    )


def _samples(
    path: Path, folders: tuple[Path, ...], request: Request, tally: Tally
) -> Iterator[Sample]:
    finder = ImageFinder(folders)
    form = None if _has_fractions(_first(path)) else form_of(_first(path))
    for number, row in enumerate(rows_of(path), start=1):
        where = f"row {number}"
        if not isinstance(row, Mapping):
            tally.drop(BAD_ROW, f"{where}: {row}")
            continue
        try:
            image = _image(row, finder)
            known = _in_our_form(row, form, image)
            if known is None:
                sample = _conversation(row, image, number, path, request)
            else:
                sample = _known(known, image, number, path)
        except (ImageError, SolutionError) as error:
            tally.drop(BAD_ROW, f"{where}: {error}")
            continue
        yield sample


def _in_our_form(row: Mapping[str, Any], form: RowForm | None, image: Any) -> Any:
    """The row with messages and solution; None for an exchange of LLaVA's kind."""
    if form is None:
        return {**row, "images": [image]} if "solution" in row else None
    try:
        return form.convert({**row, "image": image, "images": [image]}, read_size)
    except SolutionError:
        if "solution" in row or _exchange(row) is None:
            raise
        return None  # a question in other words than the form's


def _image(row: Mapping[str, Any], finder: ImageFinder) -> Any:
    image = first_image(row)
    if isinstance(image, Mapping) and isinstance(image.get("path"), str) and not image.get("bytes"):
        image = image["path"]
    if isinstance(image, str):
        path = finder.find(image)
        return path or image
    if image is None:
        raise SolutionError("expected one image, got none")
    return image


def _known(row: Mapping[str, Any], image: Any, number: int, path: Path) -> Sample:
    """A row in our form."""
    truth = read_solution(row["solution"], row.get("width"), row.get("height"))
    asked = _question(row.get("messages"), row.get("objects"))
    boxes = as_boxes(truth.boxes)
    return _asked(row, image, number, path, asked, boxes, truth.labels, truth.size)


def _conversation(
    row: Mapping[str, Any], image: Any, number: int, path: Path, request: Request
) -> Sample:
    """A LLaVA-style exchange; its numbers are fractions if none is above 1."""
    exchange = _exchange(row)
    if exchange is None:
        raise SolutionError("expected a question and an answer with boxes, got neither")
    asked, answer = exchange
    numbers = _numbers(answer)
    layout, unit = request.box_form("xyxy-norm1" if _has_fractions(row) else "xyxy")
    texts = (match for pattern in DESCRIBED if (match := pattern.search(asked)))
    text = next((match["text"].strip() for match in texts), asked)
    boxes = to_xyxy(numbers, layout)
    labels = (text,) * len(boxes)
    return _asked(row, image, number, path, asked, boxes, labels, image_size(row), unit)


def _numbers(answer: str) -> list[list[float]]:
    return [[float(each) for each in match] for match in BOX.findall(answer)]


def _has_fractions(row: Any) -> bool:
    """Whether all boxes of an exchange are in 0-1, which no published form has."""
    exchange = _exchange(row) if isinstance(row, Mapping) and "solution" not in row else None
    return exchange is not None and max(map(max, _numbers(exchange[1]))) <= 1


def _asked(
    row: Mapping[str, Any],
    image: Any,
    number: int,
    path: Path,
    asked: str,
    boxes: Any,
    labels: tuple[str, ...],
    size: tuple[int, int] | None,
    unit: float = 0.0,
) -> Sample:
    every = tuple(range(len(boxes)))
    number_of = row.get("image_id", row.get("id", number))
    return Sample(
        id=number_of if is_id(number_of) else number,
        image=image,
        size=size,
        boxes_xyxy=boxes,
        labels=labels,
        phrases=(Phrase(asked, every, _task(asked, labels)),),
        split=split_of(path.name),
        unit=unit,
        asked=True,
    )


def _task(asked: str, labels: tuple[str, ...]) -> Task:
    if len(set(labels)) > 1 or "categor" in asked.lower():
        return "detection"
    return "referring" if len(labels) == 1 else "grounding"


def _question(messages: Any, objects: Any) -> str:
    """The last question, with ms-swift's placeholders replaced by the names they stand for."""
    users = [
        each.get("content")
        for each in messages or ()
        if isinstance(each, Mapping) and each.get("role") == "user"
    ]
    if not users or not isinstance(users[-1], str):
        raise SolutionError("expected a question in messages, got none")
    text = users[-1].replace(IMAGE_TAG, "").strip()
    names = (objects.get("ref") if isinstance(objects, Mapping) else None) or []
    if text.count(REF) > len(names):
        raise SolutionError(f"expected a ref in objects for each {REF} of the question")
    for name in names[len(names) - text.count(REF) :]:
        text = text.replace(REF, str(name), 1)
    return text


def _exchange(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first question, and its answer if there are boxes in it."""
    turns = row.get("conversations") or row.get("messages")
    if not isinstance(turns, list) or len(turns) < 2:
        return None
    texts: dict[str, Any] = {}
    for turn in turns[:3]:
        if isinstance(turn, Mapping):
            role = ROLES.get(str(turn.get("from", turn.get("role"))), "")
            texts.setdefault(role, turn.get("value", turn.get("content")))
    asked, answer = texts.get("user"), texts.get("assistant")
    if not isinstance(asked, str) or not isinstance(answer, str) or not BOX.search(answer):
        return None
    return asked.replace(IMAGE_TAG, "").strip(), answer
