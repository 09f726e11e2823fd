"""A data set's rows as they are, with what is wrong in them: the doctor looks at many before it
says why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.ground_truth import GroundTruth, read_solution
from ..data.published.base import first_image
from ..errors import SolutionError
from ..geometry.boxes import Boxes, as_boxes
from ..geometry.frames import Size

NO_BOXES: Boxes = np.zeros((0, 4))


@dataclass(frozen=True, eq=False)
class Row:
    """One row.

    Attributes:
        place: "row 3 of train.jsonl".
        messages: what the model is asked: all before the last assistant's message.
        prompt: the last user message.
        target: the assistant's message that a supervised run would learn; "" where there is none.
        image: the first image as the row has it: a path, a URL, base64, a dict; None where there is
            none.
        size: (width, height) in pixels as the row says; None where it says none.
        boxes: (n, 4) the numbers as written, whatever they mean; n is 0 where they cannot be read.
        labels: the labels as written.
        truth: what training would score against; None where it would refuse the row.
        error: why it would.
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

    @property
    def source(self) -> str:
        """The file that it stands in."""
        return self.place.partition(" of ")[2]


def read_row(data: Mapping[str, Any], place: str) -> Row:
    """Read a row of our own form, or of the authors' published one; never raises for what is in
    it."""
    truth, error = None, None
    if "solution" in data:
        try:
            truth = read_solution(data["solution"], data.get("width"), data.get("height"))
        except SolutionError as refusal:
            error = str(refusal)
    size, boxes, labels = (truth.size, truth.boxes, truth.labels) if truth else _leniently(data)
    messages, target = _asked(data)
    prompt = next(
        (
            _text(message.get("content"))
            for message in messages[::-1]
            if message.get("role") == "user"
        ),
        "",
    )
    return Row(
        place, messages, prompt, target, first_image(data), size, boxes, labels, truth, error
    )


def _leniently(data: Mapping[str, Any]) -> tuple[Size | None, Boxes, tuple[str, ...]]:
    """Size, boxes and labels of a solution that training would refuse, as far as they can be
    read."""
    try:
        solution = data.get("solution")
        found: Any = json.loads(solution) if isinstance(solution, str) else solution
        if isinstance(found, list):
            pairs = [
                (label, box)
                for label, boxes in found
                for box in (boxes if _nested(boxes) else [boxes])
            ]
            found = {
                **data,
                "boxes": [box for _, box in pairs],
                "labels": [label for label, _ in pairs],
            }
        labels = tuple(label for label in found.get("labels") or () if isinstance(label, str))
        return _size(found), as_boxes(found.get("boxes") or []), labels
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None, NO_BOXES, ()


def _nested(boxes: Any) -> bool:
    return bool(boxes) and isinstance(boxes[0], list)


def _size(found: Mapping[str, Any]) -> Size | None:
    width, height = found.get("width"), found.get("height")
    whole = all(
        isinstance(side, int) and not isinstance(side, bool) and side > 0
        for side in (width, height)
    )
    return (int(width), int(height)) if whole and width and height else None


def _asked(data: Mapping[str, Any]) -> tuple[tuple[Mapping[str, Any], ...], str]:
    """The messages that are asked, and the assistant's answer after them."""
    messages = data.get("messages")
    if not isinstance(messages, list):
        question = data.get("problem") or data.get("query")
        return (({"role": "user", "content": str(question)},) if question else ()), ""
    asked = [message for message in messages if isinstance(message, dict)]
    if asked and asked[-1].get("role") == "assistant":
        return tuple(asked[:-1]), _text(asked[-1].get("content"))
    return tuple(asked), ""


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")
