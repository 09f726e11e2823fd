"""Rows of any form that training reads to rows that ms-swift trains on, even in SFT, which knows no
published forms."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..data.image_check import UNUSABLE, Fault, fault_of, require_usable
from ..data.images import image_size, local_image, read_header
from ..data.published import RowForm, form_of
from ..data.published.base import IMAGE_TAG, Row, first_image, image_of
from ..data.row_files import read_file
from ..data.row_tasks import Target, boxes_of, target_of
from ..errors import ImageError, InputError, SolutionError
from ..models.model_io import ModelIO
from ..models.right_answer import add_answer
from ..text import short
from .mending import LOOSE
from .output import Output, WrittenDataset, output


def convert_rows(file: Path, out: Path, io: ModelIO | None = None) -> WrittenDataset:
    """Write each row with its own question and columns: messages, images, solution (original
    pixels).

    The first row decides which form the rows have. Paths of images become absolute; images that
    rows hold as bytes become files beside `out`. Every local image is opened, for its size. Answers
    in the rows are dropped. Rows whose task leaves them to other rewards are handed on, in a
    supervised run with their own answers.

    Args:
        file: .jsonl, .json, .parquet or .csv.
        out: JSONL to write.
        io: of the model that a supervised run is to teach: its answer becomes the last message.

    Raises:
        InputError: the file has another ending, or no rows.
        SolutionError: a row cannot be used; names its number. Nothing is written.
    """
    rows = boxes = thin = 0
    question: str | None = None
    clipped: list[str] = []
    faults = ImageFaults([], [])
    with output(out, [file]) as result:
        for place, row in _rows(file, result, faults, io):
            question = _asked(row) if question is None else question
            with _naming(place):
                thin += add_answer(row, io) if io and _target(row) is not None else 0
                result.add(row)
            rows += 1
            truth = boxes_of(_target(row))
            boxes += len(truth.boxes) if truth else 0
            clipped += [place.split()[1]] * (truth.clipped if truth else 0)
        notes = tuple(faults.require_usable(rows))
        if question is None:
            raise InputError(f"expected rows in {file}, got none")
    loose = {LOOSE: clipped} if clipped else {}
    return WrittenDataset(rows, boxes, (), thin, question, clipped=loose, notes=notes)


@dataclass(frozen=True)
class ImageFaults:
    """What is wrong with images, each with the place of its row, until all rows are read."""

    faults: list[Fault]
    places: list[str]

    def add(self, place: str, fault: Fault | None) -> bool:
        """Keep what is wrong with a row's image; returns whether the row can be used."""
        if fault is None:
            return True
        self.faults.append(replace(fault, index=len(self.places)))
        self.places.append(place)
        return fault.code not in UNUSABLE

    def require_usable(self, usable: int) -> list[str]:
        """Like the function of that name, for `usable` rows that could be used."""
        bad = sum(fault.code in UNUSABLE for fault in self.faults)
        return require_usable(self.faults, usable + bad, self.places.__getitem__)


def _rows(
    file: Path, result: Output, faults: ImageFaults, io: ModelIO | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row without an answer, and where it stands; rows whose image cannot be used are left
    out, into `faults`."""
    form: RowForm | None = None
    for index, (number, data) in enumerate(read_file(file)):
        place = f"row {number} of {file}"
        with _naming(place):
            if isinstance(data, str):
                raise SolutionError(data)
        if not index:
            form = form_of(data)
        place += f", read as {form.name}" if form else ""
        with _naming(place):
            try:
                converted = form.convert(data, image_size) if form else data
                fault = _image_fault(converted)
            except ImageError as error:
                fault = Fault(0, error.code, str(error))
            if not faults.add(place, fault):
                continue
            row = _row(converted, result, taught=io is not None)
        yield place, row


def _image_fault(row: Row) -> Fault | None:
    if "solution" not in row and not row.get("task"):
        raise SolutionError(
            "expected a column solution, or a published form of rows, got "
            f"{', '.join(row) or 'none'}"
        )
    truth = boxes_of(_target(row))
    image = first_image(row) if truth is None else image_of(row)
    if image is None or local_image(image) is None:
        return None
    return fault_of(0, read_header(image), truth.size if truth else None)


def _row(row: Row, result: Output, taught: bool) -> dict[str, Any]:
    left_to_others = _target(row) is None
    images = [image_of(row)] if not left_to_others or first_image(row) is not None else []
    messages = row.get("messages")
    question = _question(messages)
    asked = {
        "messages": list(messages or ()) if taught and left_to_others else question,
        **({"images": [result.keep_image(image) for image in images]} if images else {}),
    }
    return {
        name: value for name, value in row.items() if name != "image" and value is not None
    } | asked


def _target(row: Row) -> Target | None:
    return target_of(row, mixed=False)


def _question(messages: Any) -> list[Any]:
    """The messages without the answer that they may end with."""
    if (
        not isinstance(messages, list)
        or not messages
        or not all(isinstance(each, dict) for each in messages)
    ):
        raise SolutionError(f"expected messages with the question, got {short(messages)}")
    return messages[:-1] if messages[-1].get("role") == "assistant" else list(messages)


def _asked(row: Row) -> str:
    """The question of a row that has no answer yet."""
    return str(row["messages"][-1].get("content")).replace(IMAGE_TAG, "")


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """While open, errors name the row."""
    try:
        yield
    except (SolutionError, OSError) as error:
        raise SolutionError(f"{place}: {error}") from None
