"""What the converters of published rows share: the parts of a row and the row that training
reads."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SolutionError
from ...geometry.frames import Size
from ...text import listed, short
from ..ground_truth import read_solution

Row = Mapping[str, Any]
Message = dict[str, str]
SizeOf = Callable[
    [Any], Size
]  # opens an image as rows have it: a path, or a dict of bytes and path
IMAGE_TAG = "<image>"


@dataclass(frozen=True)
class RowForm:
    """A published form of rows.

    Attributes:
        name: what it is called in logs and errors.
        recognises: whether a row, a data set's first, is of this form.
        translate: `rewrite`, which may find that a column is missing (KeyError).
    """

    name: str
    recognises: Callable[[Row], bool]
    translate: Callable[[Row, SizeOf], dict[str, Any]]

    def rewrite(self, row: Row, open_size: SizeOf) -> dict[str, Any]:
        """The row with `messages`, `images` and our `solution` in pixels of the original image,
        whose boxes are not checked; columns that the form does not know stay.

        Raises:
            SolutionError: the row cannot be read.
        """
        try:
            return self.translate(row, open_size)
        except KeyError as error:
            raise SolutionError(
                f"expected a column {error.args[0]}, as in the first row, got "
                f"{listed(row, 10) or 'none'}"
            ) from None

    def convert(self, row: Row, open_size: SizeOf) -> dict[str, Any]:
        """The rewritten row.

        Raises:
            SolutionError: the row cannot be read, or training would refuse its boxes.
        """
        rewritten = self.rewrite(row, open_size)
        read_solution(rewritten["solution"])
        return rewritten


def training_row(
    row: Row,
    consumed: Sequence[str],
    messages: list[Message],
    image: Any,
    solution: str,
    **more: Any,
) -> dict[str, Any]:
    """The row that training reads: `row` without the columns that were consumed, and with its
    own."""
    kept = {name: value for name, value in row.items() if name not in consumed}
    return kept | {"messages": messages, "images": [image], "solution": solution} | more


def solution(size: Size, boxes: Sequence[Sequence[float]], labels: Sequence[str]) -> str:
    """Our `solution` for xyxy boxes in pixels of the original image of `size` (width, height).

    Raises:
        SolutionError: the values cannot be written as JSON.
    """
    data = {"width": size[0], "height": size[1], "boxes": list(boxes), "labels": list(labels)}
    try:
        return json.dumps(data)
    except (TypeError, ValueError):
        raise SolutionError(
            f"expected boxes of 4 numbers and labels of text, got {short(data)}"
        ) from None


def scaled(boxes: Sequence[Sequence[float]], units: float, size: Size) -> list[list[float]]:
    """Boxes that span `units` along each side -> pixels of an image of `size` (width, height).

    Raises:
        SolutionError: a coordinate lies outside [0, units].
    """
    for box in boxes:
        if len(box) != 4 or not all(is_number(v) and 0 <= v <= units for v in box):
            raise SolutionError(
                f"expected 4 coordinates from 0 to {units:g} in each box, got {short(box)}"
            )
    try:
        return [list(np.array(box) / units * np.array(size * 2, dtype=np.float64)) for box in boxes]
    except OverflowError:
        raise SolutionError(f"expected width and height in pixels, got {short(size)}") from None


def first_image(row: Row) -> Any:
    """The row's first image as written: a path, or a mapping of path and bytes; None if the row has
    no image."""
    images = row.get("images") or row.get("image")
    return (images or [None])[0] if isinstance(images, list) else images


def image_of(row: Row) -> Any:
    """The row's one image, as ms-swift takes it.

    Raises:
        SolutionError: the row has no image, or more than one.
    """
    images = row.get("images") or row.get("image")
    images = list(images) if isinstance(images, (list, tuple)) else [images]
    if len(images) != 1 or images[0] is None:
        raise SolutionError(
            f"expected one image in the row, got {sum(image is not None for image in images)}"
        )
    image = images[0]
    return {"bytes": image, "path": None} if isinstance(image, bytes) else image


def size_of(row: Row, image: Any, open_size: SizeOf) -> Size:
    """(width, height) in pixels: the row's own columns, else the image's.

    Raises:
        SolutionError: the columns hold something else.
    """
    width, height = row.get("width"), row.get("height")
    if width is None or height is None:
        return open_size(image)
    if not is_number(width) or not is_number(height):
        raise SolutionError(
            f"expected width and height in pixels, got {short(width)} and {short(height)}"
        )
    return width, height


def question_text(text: object) -> str:
    """The text; raises SolutionError if it is not a question."""
    if not isinstance(text, str) or not text.strip():
        raise SolutionError(f"expected a question in the row, got {short(text)}")
    return text


def question(value: object) -> list[Message]:
    """The user's message, with an image tag added if it has none."""
    text = question_text(value)
    return [{"role": "user", "content": text if IMAGE_TAG in text else IMAGE_TAG + text}]


def is_number(value: object) -> bool:
    """Whether it is an int or a float."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_box(value: object) -> bool:
    """Whether it is a list of 4 numbers."""
    return isinstance(value, (list, tuple)) and len(value) == 4 and all(is_number(v) for v in value)
