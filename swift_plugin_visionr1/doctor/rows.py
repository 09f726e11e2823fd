"""A data set's rows as they are, with what is wrong in them: the doctor looks at many before it
names a cause."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np

from ..data.ground_truth import GroundTruth
from ..data.images import image_size
from ..data.published.base import first_image, is_number
from ..data.published.ms_swift_grounding import GROUNDING, REF
from ..data.row_census import BOXES, UNTOLD, kind_of_row, misplaced
from ..data.row_tasks import Target, boxes_of, target_of
from ..errors import SolutionError
from ..geometry.boxes import Boxes, as_boxes
from ..geometry.frames import Size
from .turns import split_turns, text_of

NO_BOXES: Boxes = np.zeros((0, 4))


@dataclass(frozen=True, eq=False)
class DoctorRow:
    """One row.

    Attributes:
        place: "row 3 of train.jsonl".
        messages: what the model is asked: all before the last assistant's message.
        prompt: the last user message.
        target: the assistant's message that a supervised run would learn; "" if the row has none.
        image: the first image as the row has it: a path, a URL, base64, a dict; None if the row has
            no image.
        size: (width, height) in pixels as in the row; None if the row gives no size.
        boxes: (n, 4) the numbers as written, whatever they mean; n is 0 if they cannot be read.
        labels: the labels as written.
        truth: what training would score against; None if it would refuse the row.
        error: why it would.
        objects: ms-swift's `objects`, whose names and boxes fill the placeholders in the messages;
            None if they are missing or cannot be read.
        kind: what the row asks for; see `row_census`.
        misplaced: another column that holds what should be its solution.
    """

    place: str
    messages: tuple[Mapping[str, Any], ...]
    prompt: str
    target: str
    image: Any
    size: Size | None
    boxes: Boxes
    labels: tuple[str, ...]
    truth: GroundTruth | None
    error: str | None
    objects: Mapping[str, Any] | None = None
    kind: str = BOXES
    misplaced: str = ""

    @property
    def source(self) -> str:
        """The file it is in."""
        return self.place.partition(" of ")[2]


def read_row(data: Mapping[str, Any], place: str, mixed: bool = False) -> DoctorRow:
    """Read a row of our own or the authors' published form; never raises for its content.

    Args:
        data: the row.
        place: in its file.
        mixed: whether the run leaves rows without annotations to other rewards.
    """
    target: Target | None = None
    error, kind = None, BOXES
    try:
        if "solution" in data or data.get("task") or mixed:
            target = target_of(data, mixed)
        kind = kind_of_row(data, target)
    except SolutionError as refusal:
        error = str(refusal)
    truth = boxes_of(target)
    size, boxes, labels = (truth.size, truth.boxes, truth.labels) if truth else _leniently(data)
    messages, target_text = split_turns(data)
    asked = [message for message in messages if message.get("role") == "user"]
    prompt = text_of(asked[-1].get("content")) if asked else ""
    said = (first_image(data), size, boxes, labels, truth, error)
    lost = misplaced(data) if kind == UNTOLD else ""
    return DoctorRow(place, messages, prompt, target_text, *said, kind=kind, misplaced=lost)


def read_taught_row(data: Mapping[str, Any], place: str) -> DoctorRow:
    """A row of a supervised run: its truth is its `solution`, else the boxes of `objects`."""
    row = read_row(data, place)
    if row.truth is not None:
        return row
    row = replace(row, error=None)
    objects = data.get("objects")
    if not _are_objects(objects):
        return row
    names = iter(objects.get("ref") or [])
    prompt = re.sub(REF, lambda match: str(next(names, match[0])), row.prompt)
    row = replace(row, objects=objects, prompt=prompt)
    try:
        turned = [*row.messages, {"role": "assistant", "content": row.target}]
        grounding_row = read_row(GROUNDING.rewrite({**data, "messages": turned}, image_size), place)
    except (SolutionError, OSError):  # points, several images: the answer is judged without them
        return row
    return replace(
        row,
        size=grounding_row.size,
        boxes=grounding_row.boxes,
        labels=grounding_row.labels,
        truth=grounding_row.truth,
    )


def _are_objects(objects: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether ms-swift could fill placeholders with them."""
    if not isinstance(objects, Mapping) or not isinstance(objects.get("bbox"), list):
        return False
    lists = (objects.get("ref") or [], objects.get("image_id") or [])
    if not all(isinstance(each, list) for each in lists):
        return False
    boxes = objects["bbox"]
    numbers = all(isinstance(box, list) and all(map(is_number, box)) for box in boxes)
    return numbers and all(len(box) in (2, 4) for box in boxes)


def _leniently(data: Mapping[str, Any]) -> tuple[Size | None, Boxes, tuple[str, ...]]:
    """Size, boxes and labels of a solution that training would refuse, as far as readable."""
    try:
        solution = data.get("solution")
        solution_values: Any = json.loads(solution) if isinstance(solution, str) else solution
        if isinstance(solution_values, list):
            pairs = [
                (label, box)
                for label, boxes in solution_values
                for box in (boxes if _nested(boxes) else [boxes])
            ]
            solution_values = {
                **data,
                "boxes": [box for _, box in pairs],
                "labels": [label for label, _ in pairs],
            }
        labels = tuple(
            label for label in solution_values.get("labels") or () if isinstance(label, str)
        )
        return _size(solution_values), as_boxes(solution_values.get("boxes") or []), labels
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None, NO_BOXES, ()


def _nested(boxes: Any) -> bool:
    return bool(boxes) and isinstance(boxes[0], list)


def _size(values: Mapping[str, Any]) -> Size | None:
    width, height = values.get("width"), values.get("height")
    whole = all(
        isinstance(side, int) and not isinstance(side, bool) and side > 0
        for side in (width, height)
    )
    return (int(width), int(height)) if whole and width and height else None
