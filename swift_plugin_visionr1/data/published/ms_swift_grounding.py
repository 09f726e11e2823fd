"""ms-swift's own grounding rows: messages with <ref-object> and <bbox> placeholders, images,
objects.

`objects` holds, in the order of the placeholders, `ref` (names) and `bbox` ([x1, y1, x2, y2]);
`bbox_type` is `real` (pixels of the original image, the default) or `norm1` (of a side of 1);
`image_id` names the image of each box.
"""

import json
import re
from typing import Any

from ...errors import SolutionError
from ...text import short
from .base import Message, Row, RowForm, SizeOf, image_of, scaled, size_of, solution, training_row

CONSUMED = ("image", "images", "messages", "conversations", "objects", "width", "height")
REF, BOX = "<ref-object>", "<bbox>"
ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant"}
_PLACEHOLDER = re.compile(f"{REF}|{BOX}")


def recognises(row: Row) -> bool:
    """See `RowForm.recognises`. A row with its own `solution` needs no other."""
    has_messages = row.get("messages") or row.get("conversations")
    return (
        isinstance(row.get("objects"), dict) and bool(has_messages) and row.get("solution") is None
    )


def rewrite(row: Row, open_size: SizeOf) -> dict[str, Any]:
    """See `RowForm.rewrite`. `objects` keeps the names that the question refers to."""
    objects = row.get("objects")
    if not isinstance(objects, dict) or not isinstance(objects.get("bbox"), list):
        raise SolutionError(
            f'expected objects {{"ref": [...], "bbox": [...]}}, got {short(objects)}'
        )
    prompt, answer = _split(_messages(row))
    asked = sum(message["content"].count(REF) for message in prompt)
    if any(BOX in message["content"] for message in prompt):
        raise SolutionError(
            "expected boxes in the answer only, got <bbox> in the question: leave the row out"
        )
    boxes, image = objects["bbox"], image_of(row)
    refs = objects.get("ref") or []
    if not isinstance(refs, list):
        raise SolutionError(f"expected a list of names in ref of objects, got {short(refs)}")
    size = size_of(row, image, open_size)
    labels = _labels(refs, asked, answer, len(boxes))
    text = solution(size, _in_pixels(boxes, objects, size), labels)
    kept = {"ref": refs[:asked], "bbox": []} if asked else None
    return training_row(row, CONSUMED, prompt, image, text, objects=kept)


def _messages(row: Row) -> list[Message]:
    messages = row.get("messages") or row.get("conversations") or []
    try:
        roles = [turn.get("role") or turn["from"] for turn in messages]
        contents = [turn.get("content") or turn.get("value") or "" for turn in messages]
    except (AttributeError, TypeError, KeyError):
        raise SolutionError(
            f"expected messages of role and content, got {short(messages)}"
        ) from None
    if not contents or not all(isinstance(text, str) for text in (*roles, *contents)):
        raise SolutionError(
            f"expected messages whose role and content are text, got {short(messages)}"
        )
    return [
        {"role": ROLES.get(r, r), "content": content}
        for r, content in zip(roles, contents, strict=True)
    ]


def _split(messages: list[Message]) -> tuple[list[Message], str]:
    """The question and, where there is one, its answer: the last message."""
    if messages[-1]["role"] != "assistant":
        return messages, ""
    return messages[:-1], messages[-1]["content"]


def _in_pixels(boxes: list[Any], objects: dict[str, Any], size: tuple[int, int]) -> list[Any]:
    if any(objects.get("image_id") or ()):
        raise SolutionError(
            f"expected boxes of the row's one image, got image_id {short(objects['image_id'])}"
        )
    for box in boxes:
        if not isinstance(box, list) or len(box) != 4:
            raise SolutionError(
                f"expected boxes [x1, y1, x2, y2], got {short(box)}: a point is not a box"
            )
    kind = objects.get("bbox_type") or "real"
    if kind not in ("real", "norm1"):
        raise SolutionError(f"expected bbox_type real or norm1, which ms-swift knows, got {kind!r}")
    return scaled(boxes, 1, size) if kind == "norm1" else boxes


def _labels(refs: list[Any], asked: int, answer: str, count: int) -> list[str]:
    """The name of each box: the one beside it in the answer, or the one that the question names."""
    placed = answer.count(BOX)
    if placed and placed != count:
        raise SolutionError(
            f"expected a <bbox> in the answer for each of the {count} boxes, got {placed}"
        )
    given = refs[asked:]
    names = given or refs
    if len(names) == count:
        return names
    if names and all(name == names[0] for name in names):
        return names[:1] * count
    labels = _preceding(given, answer) if given else _written(answer, count)
    if len(labels) != count:
        raise SolutionError(
            f"expected one ref for each of the {count} boxes, or one for all, got {short(refs)}"
        )
    return labels


def _preceding(refs: list[Any], answer: str) -> list[str]:
    """The <ref-object> before each <bbox>: `<ref-object><bbox><bbox> and <ref-object><bbox>`."""
    names, labels, current = iter(refs), [], None
    for placeholder in _PLACEHOLDER.findall(answer):
        if placeholder == REF:
            current = next(names, None)
        elif current is not None:
            labels.append(current)
    return labels


def _written(answer: str, count: int) -> list[str]:
    """Labels that an answer has as text: `[{"bbox_2d": <bbox>, "label": "cat"}]`."""
    text = answer.replace("```json", "").replace("```", "").replace(BOX, "null").strip()
    try:
        entries = json.loads(text)
        labels = [entry["label"] for entry in entries]
    except (ValueError, RecursionError, TypeError, KeyError):
        return []
    return labels if len(labels) == count else []


GROUNDING = RowForm("ms-swift grounding", recognises, rewrite)
