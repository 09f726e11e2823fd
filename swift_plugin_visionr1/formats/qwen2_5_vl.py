"""Qwen2.5-VL's JSON: a list of {"bbox_2d": [x1, y1, x2, y2], "label": "..."} in pixels of the processed image.

The strict template (f_tem of Eq. 4) is the bare list or the list in one ```json fence, with nothing around it.
The strict content (f_cont) is four integers per box, x1 < x2, y1 < y2, inside the image, and a label.
The reader is tolerant: where the JSON is broken or has text around it, boxes are read one object at a time.

Issue codes
    not_json        neither the whole text nor the inside of its fence is JSON
    text_around     there is text before or after the list, or the fence is not ```json
    not_a_list      the JSON is no list
    not_an_object   an entry of the list is no object
    bad_box         an entry has no "bbox_2d" with four numbers, or they are beyond any image
    no_label        an entry has no "label" that is a string with something in it; a whole number is read as its text
    not_integer     a coordinate is written as a fraction or as text
    corner_order    x1 >= x2 or y1 >= y2; such a box is not read
    out_of_image    a corner lies outside the processed image
    too_many_boxes  more than MAX_BOXES entries; the rest is not read
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..boxes import LIMIT, Boxes, as_boxes, is_valid
from ..coords import FRAMES, Frame
from .base import MAX_BOXES, Format, ParsedCompletion, Span
from .json_places import elements, members, part_at

_OPENING, _CLOSING = "```json\n", "\n```"
_NUMBER = r"[\"']?\s{0,9}([-+]?\d{1,15}(?:\.\d{0,15})?)\s{0,9}[\"']?"
_SEPARATOR = r"\s{0,9},\s{0,9}"
_OBJECT = re.compile(r"\{[^{}]*")  # up to the next brace: linear, and good for objects that are cut off
_BOX = re.compile(r"[\"']bbox_2d[\"']\s{0,9}:\s{0,9}\[\s{0,9}" + _SEPARATOR.join([_NUMBER] * 4) + r"\s{0,9}\]")
_LABEL = re.compile(r"[\"']label[\"']\s{0,9}:\s{0,9}(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')")
_CONFIDENCE = re.compile(r"[\"'](confidence|score)[\"']\s{0,9}:\s{0,9}" + _NUMBER)

Entry = tuple[list[Any], Any]  # coordinates and label as written


class _Found(NamedTuple):
    """What an answer holds before it is checked; `source` is the JSON it was read from, None for piece by piece."""

    entries: list[Entry]
    issues: list[str]
    source: str | None = None
    says_nothing: bool = False


@dataclass(frozen=True)
class Qwen25VL(Format):
    """The format `qwen2_5_vl`."""

    name: ClassVar[str] = "qwen2_5_vl"
    frame: Frame = FRAMES["processed"]

    def parse(self, text: str) -> ParsedCompletion:
        """Boxes in pixels of the processed image, and issues; see `Format.parse`."""
        return _read(_find(text))

    def spans(self, text: str) -> list[tuple[Span, ...]]:
        """Character ranges of each box's four numbers and of its label; see `Format.spans`."""
        return [spans for spans, _ in _places(text)]

    def confidences(self, text: str) -> list[float]:
        """Each object's "confidence", else its "score"; see `Format.confidences`."""
        return [confidence for _, confidence in _places(text)]

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """Qwen's own layout: one object a line in a ```json fence; coordinates are rounded to integers."""
        lines = [
            f'\t{{"bbox_2d": {[int(v) for v in np.rint(box)]}, "label": {json.dumps(label, ensure_ascii=False)}}}'
            for box, label in zip(boxes, labels, strict=True)
        ]
        return _OPENING + ("[\n" + ",\n".join(lines) + "\n]" if lines else "[]") + _CLOSING


_BROKEN = object()


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: nesting thousands deep
        return _BROKEN


def _find(text: str) -> _Found:
    body = text.strip()
    if body.startswith(_OPENING) and body.endswith(_CLOSING):
        body = body[len(_OPENING) : -len(_CLOSING)]
    data = _loads(body)
    if data is _BROKEN:
        return _salvage(text, body)
    issues = [] if isinstance(data, list) else ["not_a_list"]
    entries = _entries(data, issues) if isinstance(data, list) else _entries([data], [])
    if not entries and issues:
        return _Found(_pieces(text, issues), issues)  # boxes may be one level deeper
    return _Found(entries, issues, body, says_nothing=data == [])


def _entries(data: list[Any], issues: list[str]) -> list[Entry]:
    """Coordinates and label of each entry that has a box; what is wrong with the others goes into `issues`."""
    found: list[Entry] = []
    for item in data[:MAX_BOXES]:
        if not isinstance(item, dict):
            issues.append("not_an_object")
            continue
        box = item.get("bbox_2d")
        if not isinstance(box, list) or len(box) != 4:
            issues.append("bad_box")
            continue
        found.append((box, item.get("label")))
    if len(data) > MAX_BOXES:
        issues.append("too_many_boxes")
    return found


def _read(found: _Found) -> ParsedCompletion:
    rows: list[Sequence[float]] = []
    labels: list[str] = []
    issues = found.issues
    for written, label in found.entries:
        box, issue = _coordinates(written)
        if issue is not None:
            issues.append(issue)
        if box is None:
            continue
        if not isinstance(label, str) or not label.strip():
            issues.append("no_label")
            # Blank names exist (ODinW's ChessPieces has "  "), and names that are numbers, which are written as such.
            label = str(label) if isinstance(label, str) or type(label) is int else ""
        rows.append(box)
        labels.append(label)
    boxes = as_boxes(rows)
    valid = is_valid(boxes)
    if not valid.all():
        issues.append("corner_order")
        boxes, labels = boxes[valid], [label for label, ok in zip(labels, valid, strict=True) if ok]
    return ParsedCompletion(boxes, tuple(labels), tuple(dict.fromkeys(issues)), found.says_nothing)


def _coordinates(written: list[Any]) -> tuple[Sequence[float] | None, str | None]:
    """The four numbers, or None where they are none, and what is wrong with the way they are written."""
    if set(map(type, written)) == {int}:  # the ordinary case; bool is another type
        return (written, None) if max(map(abs, written)) < LIMIT else (None, "bad_box")
    numbers = [_number(v) for v in written]
    if not all(abs(v) < LIMIT for v in numbers):  # NaN is not below anything
        return None, "bad_box"
    return numbers, "not_integer"


def _number(value: Any) -> float:
    """The coordinate as float; NaN for what is no number (booleans included)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")


def _salvage(text: str, body: str) -> _Found:
    """Entries of an answer that is not one JSON document: a list with text around it, or object by object."""
    start, end = body.find("["), body.rfind("]")
    source = body[start : end + 1]
    inner = _loads(source) if 0 <= start < end else _BROKEN
    if isinstance(inner, list) and any(isinstance(item, dict) and "bbox_2d" in item for item in inner):
        issues = ["text_around"]
        return _Found(_entries(inner, issues), issues, source)
    if inner == [] and body.strip("` \n").removeprefix("json").strip() == "[]":
        return _Found([], ["text_around"], source, says_nothing=True)
    issues = ["not_json"]
    return _Found(_pieces(text, issues), issues)


def _pieces(text: str, issues: list[str]) -> list[Entry]:
    """Coordinates and label of each innermost object that has a box, whatever stands around it."""
    entries: list[Entry] = []
    for box, label, _ in _fragments(text):
        if len(entries) == MAX_BOXES:
            issues.append("too_many_boxes")
            break
        coordinates = [int(v) if v.lstrip("+-").isdigit() else float(v) for v in box.groups()]
        entries.append((coordinates, _unescape(label.group(1) or label.group(2)) if label else None))
    return entries


def _fragments(text: str) -> Iterator[tuple[re.Match[str], re.Match[str] | None, Span]]:
    """Matches of the box and of the label in each innermost object that has a box, and the object's range."""
    for fragment in _OBJECT.finditer(text):
        box = _BOX.search(text, *fragment.span())
        if box is not None:
            yield box, _LABEL.search(text, *fragment.span()), fragment.span()


def _unescape(label: str | None) -> Any:
    plain = _loads(f'"{label}"') if label else None
    return label if plain is _BROKEN else plain


def _places(text: str) -> list[tuple[tuple[Span, ...], float]]:
    """Ranges and confidence of every box that `parse` reads, in its order."""
    found = _find(text)
    try:
        places = list(_places_of_pieces(text) if found.source is None else _places_in_json(text, found.source))
    except RecursionError:  # nested just as deep as json.loads still bears
        return []
    read = [_coordinates(written)[0] for written, _ in found.entries]
    kept = [box is not None and bool(is_valid(as_boxes([box])).all()) for box in read]
    return [place for place, ok in zip(places, kept, strict=False) if ok]  # places beyond MAX_BOXES have no entry


def _places_in_json(text: str, source: str) -> Iterator[tuple[tuple[Span, ...], float]]:
    document = part_at(text, text.index(source))
    items = elements(text, document) if isinstance(document.value, list) else [document]
    for item in islice(items, MAX_BOXES):
        if not isinstance(item.value, dict):
            continue
        found = members(text, item)
        box, label = found.get("bbox_2d"), found.get("label")
        if box is None or not isinstance(box.value, list) or len(box.value) != 4:
            continue
        spans = [(number.start, number.end) for number in elements(text, box)]
        if label is not None and isinstance(label.value, str):
            spans.append((label.start + 1, label.end - 1))
        elif label is not None and type(label.value) is int:
            spans.append((label.start, label.end))
        yield tuple(spans), _number(item.value.get("confidence", item.value.get("score")))


def _places_of_pieces(text: str) -> Iterator[tuple[tuple[Span, ...], float]]:
    for box, label, whole in _fragments(text):
        spans = [box.span(number) for number in range(1, 5)]
        if label is not None:
            spans.append(label.span(label.lastindex or 0))
        written = dict(_CONFIDENCE.findall(text, *whole))
        yield tuple(spans), _number(written.get("confidence", written.get("score")))
