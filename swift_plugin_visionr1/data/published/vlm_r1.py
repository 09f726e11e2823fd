"""VLM-R1's rows, in their three published forms; boxes are xyxy in pixels of the original image.

Referring expressions, JSON: image, problem, normal_caption, solution [x1, y1, x2, y2], width,
height, ...
Referring expressions, JSONL: image, conversations; the last turn is the box.
Detection (OVD), JSONL: image, conversations; the last turn is JSON of bbox_2d and label, or `None`.
"""

import ast
import json
import re
from typing import Any

from ...errors import SolutionError
from ...formats.questions import DETECT
from ...text import short
from .base import (
    Row,
    RowForm,
    SizeOf,
    image_of,
    is_box,
    question,
    question_text,
    size_of,
    solution,
    training_row,
)

CONSUMED = (
    "image",
    "images",
    "problem",
    "normal_caption",
    "solution",
    "normalized_solution",
    "bbox_list",
    "conversations",
    "width",
    "height",
)
_FENCE = re.compile(r"```(?:json)?|</?answer>")
_SENTENCE = "this sentence describes:"
_LISTED = re.compile(r"detect the following objects:\s{0,99}\[")
Boxes = tuple[
    list[Any], list[Any]
]  # xyxy boxes and their labels; None for a box that the question describes


def recognises_problem(row: Row) -> bool:
    """See `RowForm.recognises`."""
    return "problem" in row and "image" in row and is_box(row.get("solution"))


def rewrite_problem(row: Row, open_size: SizeOf) -> dict[str, Any]:
    """See `RowForm.rewrite`."""
    return _converted(row, row["problem"], _boxes(row["solution"]), open_size)


def recognises_conversation(row: Row) -> bool:
    """See `RowForm.recognises`; other conversations end with text."""
    exchange = _exchange(row.get("conversations"))
    if exchange is None or row.get("solution") is not None or "image" not in row:
        return False
    boxes = _read(exchange[1])
    return boxes is not None and (bool(boxes[0]) or "bbox" in exchange[0])


def rewrite_conversation(row: Row, open_size: SizeOf) -> dict[str, Any]:
    """See `RowForm.rewrite`."""
    exchange = _exchange(row["conversations"])
    if exchange is None:
        raise SolutionError(
            "expected a question and its answer in conversations, got "
            f"{short(row['conversations'])}"
        )
    return _converted(row, exchange[0], _boxes(exchange[1]), open_size)


def _exchange(turns: object) -> tuple[str, Any] | None:
    """The question and its answer; None if the conversation is not two such turns."""
    if (
        not isinstance(turns, list)
        or len(turns) != 2
        or not all(isinstance(turn, dict) for turn in turns)
    ):
        return None
    asked, answer = turns
    fits = (asked.get("from"), answer.get("from")) == ("human", "gpt") and isinstance(
        asked.get("value"), str
    )
    return (asked["value"], answer.get("value")) if fits else None


def _converted(row: Row, text: object, objects: Boxes, open_size: SizeOf) -> dict[str, Any]:
    (boxes, labels), asked = objects, question_text(text)
    image = image_of(row)
    described = [_caption(row, asked) if label is None else label for label in labels]
    truth = solution(size_of(row, image, open_size), boxes, described)
    return training_row(row, CONSUMED, question(_neutral(asked)), image, truth)


def _boxes(value: object) -> Boxes:
    solution = _read(value)
    if solution is None:
        raise SolutionError(
            f"expected [x1, y1, x2, y2], JSON of bbox_2d and label, or None, got {short(value)}"
        )
    return solution


def _read(value: object) -> Boxes | None:
    """What an answer says; None if it has none of these forms."""
    if isinstance(value, str):
        text = _FENCE.sub("", value).strip()
        if text == "None":
            return [], []
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    if is_box(value):
        return [value], [None]
    if not isinstance(value, list) or not all(
        isinstance(v, dict) and {"bbox_2d", "label"} <= set(v) for v in value
    ):
        return None
    return [entry["bbox_2d"] for entry in value], [entry["label"] for entry in value]


def _caption(row: Row, asked: str) -> str:
    """The expression that describes the box."""
    caption = row.get("normal_caption")
    if isinstance(caption, str):
        return caption
    sentence = asked.partition(_SENTENCE)[2].strip()
    if not sentence:
        raise SolutionError(
            'expected a normal_caption, or a question "... this sentence describes: ...", got '
            f"{short(asked)}"
        )
    return sentence if sentence == "." else sentence.removesuffix(".")


def _neutral(asked: str) -> str:
    """The question; if it prescribes answer tags, the released code's with the same categories.

    Which tags stand about an answer is the format's business: with the question's own, the format
    reward would be 0.
    """
    if "<answer>" not in asked:
        return asked
    begins = _LISTED.search(asked)
    ends = asked.find("]. ", begins.end()) if begins else -1
    try:
        names = (
            ast.literal_eval(asked[begins.end() - 1 : ends + 1]) if begins and ends >= 0 else None
        )
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        names = None
    if not isinstance(names, list):
        raise SolutionError(
            "expected a question that prescribes no <answer> tags, or that lists its categories as "
            f"\"detect the following objects: ['...', ...]. \", got {short(asked)}"
        )
    return DETECT.format(", ".join(map(str, names)))


VLM_R1_PROBLEM = RowForm("VLM-R1 (problem, solution)", recognises_problem, rewrite_problem)
VLM_R1_CONVERSATION = RowForm(
    "VLM-R1 (conversations)", recognises_conversation, rewrite_conversation
)
