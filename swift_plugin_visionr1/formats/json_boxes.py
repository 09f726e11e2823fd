"""JSON answers: a list of objects with a box and a label each, as the Qwen and Gemini families
write them.

The strict template (f_tem of Eq. 4) is the bare list or the list in one ```json fence, with nothing
around it. The strict content (f_cont) is four numbers per box under the format's own key, written
with its decimals, corners in order, inside the image, and a label under its own key. The empty list
says that there is nothing to find. The reader is tolerant: where the JSON is broken or has text
around it, every object is read that can be read.

Issue codes
    not_json        neither the whole text nor the inside of its fence is JSON
    text_around     there is text before or after the list, or the fence is not ```json
    empty_answer    the answer says that there is nothing to find in words, as VLM-R1's `None`, or
                    in JSON that holds no box; see `denial`
    not_a_list      the JSON is not a list; boxes of an object, or of a list in it, are read
    not_an_object   an entry of the list is not an object; four bare numbers, or a list of fours,
                    are read as boxes
    repeated_key    an object has a key twice; it is read as several objects
    other_key       a box is under another key than the format's, or in lists of its own; it is read
    foreign_key     an entry has a box under the key of another family, whose numbers may have
                    another order; it is not read
    bad_box         an entry has no box with four numbers, or they are beyond any image
    no_label        an entry has no text that is not blank under the format's own key for the label;
                    a whole number there is read as its text, and a text under another key as the
                    label
    not_integer     a coordinate of an integer format is written as a fraction or as text
    wrong_decimals  a coordinate is written with more decimals than the format has, or as text
    corner_order    x1 >= x2 or y1 >= y2; such a box is not read
    out_of_image    a corner lies outside what the frame allows, by more than rounding explains
                    where sizes are written
    too_many_boxes  more than MAX_BOXES entries, or broken JSON of more than MAX_TOKENS; the rest is
                    not read
    point           an entry is a point (two numbers), which is not a box
    quad            an entry is four corners (eight numbers), which is not a box
    polygon         an entry is another number of corners, which is not a box
    box_3d          an entry is a box in space, which is not one in the image
    special_tokens  boxes are written as special tokens, or labels between them, as ms-swift teaches
                    Qwen3-VL without QWENVL_BBOX_FORMAT=new; see `hybrid`
    label_as_key    a box stands under a key that says what it shows, as in {"cat": [[...]]}
    label_in_list   a list has a label and its box, as in ["cat", [...]]
    tool_call       an entry calls a tool; its arguments are not read, and nothing of an answer that
                    is a tool call
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import LIMIT, Boxes, is_valid
from ..geometry.frames import FRAMES, Frame, View
from .base import MAX_BOXES, Format, ParsedCompletion, Questions, Span
from .collector import strip
from .denial import BOX_KEYS, denies, holds_nothing
from .hybrid import without_special_tokens
from .json_layout import JsonLayout
from .json_objects import Entry, Objects, confidence_of, label_key, text_of
from .json_reader import BROKEN, Placed, Top, decode, read
from .line_names import name_before
from .prose_box import with_box_in_prose

_OPENING, _CLOSING = "```json\n", "\n```"
_POINT_TAG = re.compile(r"<points?\s")
_PAIR = re.compile(r"\s*[\[(]?\s{0,9}-?[\d.]{1,15}\s{0,9},\s{0,9}-?[\d.]{1,15}\s{0,9}[\])]?\s*")
_KEY_BEFORE = re.compile(r"([\w ]{1,30})[\"'”]?\s{0,9}[:=]\s{0,9}\Z")
_EMPTY_FENCE = re.compile(r"```(?:json)?[ \t\r\n]{0,9}\[\s{0,9}\][ \t\r\n]{0,9}```")


class _Found(NamedTuple):
    """What an answer holds before its numbers are checked."""

    entries: list[Entry]
    issues: list[str]
    says_nothing: bool = False


@dataclass(frozen=True)
class JsonBoxes(Format):
    """A format of JSON.

    Attributes:
        name: a key of FORMATS.
        frame: what the numbers mean.
        layout: the names of an object's parts.
        others: other keys under which this family's models write a box with the numbers in the same
            order.
        indent: what a line of the written list begins with; None for a list on one line, without a
            fence.
        labelled: whether a box without a label breaks the format; where it does not, an empty label
            is not written.
        point: key of a point that stands beside each box, written as the box's middle and not
            read; None for no point.
        questions: see `Format.questions`.
    """

    name: str = "json"
    frame: Frame = FRAMES["processed"]
    layout: JsonLayout = JsonLayout()
    others: tuple[str, ...] = ()
    indent: str | None = "\t"
    labelled: bool = True
    point: str | None = None
    questions: Questions = Questions()

    def parse(self, text: str) -> ParsedCompletion:
        """Boxes in the format's own frame, and issues; see `Format.parse`."""
        plain = without_special_tokens(text)
        if plain != text:
            parsed = self._parse_json(plain)
            labels = tuple(label.strip() for label in parsed.labels)
            return replace(parsed, labels=labels, issues=("special_tokens", *parsed.issues))
        return self._parse_json(text)

    def _parse_json(self, text: str) -> ParsedCompletion:
        data, _, around = _document(text)
        clean = self._of_clean(data)
        if clean is not None:
            return replace(clean, issues=around) if around else clean
        entries, issues, says_nothing = (
            self._of_pieces(text) if data is BROKEN else self._of_document(data)
        )
        issues = [*around, *issues]
        boxes, kept = self._boxes(entries, issues)
        labels = [self._label(entry, issues) for entry in kept]
        valid = is_valid(boxes)
        if not valid.all():
            issues.append("corner_order")
            boxes, labels = (
                boxes[valid],
                [label for label, ok in zip(labels, valid, strict=True) if ok],
            )
        return ParsedCompletion(boxes, tuple(labels), tuple(dict.fromkeys(issues)), says_nothing)

    def parse_one(self, text: str) -> ParsedCompletion:
        """See `Format.parse_one`; the numbers have the layout's order."""
        return with_box_in_prose(self.parse(text), text, self.layout.to_xyxy)

    def spans(self, text: str) -> list[tuple[Span, ...]]:
        """Character ranges of each box's four numbers, as they are written, and of its label; see
        `Format.spans`."""
        text = without_special_tokens(text)
        entries = self._read(text)
        if not all(isinstance(entry.holder, Placed) for entry in entries):
            return []  # boxes of lists that have their labels
        places = [(entry.places(), self._label_place(entry)) for entry in entries]
        return [(*box, *(strip(text, *span) for span in label)) for box, label in places]

    def confidences(self, text: str) -> list[float]:
        """Each object's "confidence", else its "score"; see `Format.confidences`."""
        return [
            _number(confidence_of(entry.record))
            for entry in self._read(without_special_tokens(text))
        ]

    def is_inside(self, boxes: Boxes, view: View) -> NDArray[np.bool_]:
        """See `Format.is_inside`; a box of size and place at the border may be written as beyond
        it."""
        near, far = self.layout.slack
        if not far:
            return self.frame.is_inside(boxes, view)
        beyond = np.abs(boxes - np.clip(boxes, 0, self.frame.limit(view) * 2))
        return np.asarray((beyond <= (near, near, far, far)).all(axis=1), dtype=np.bool_)

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """One object a line in a ```json fence, coordinates rounded to the layout's decimals."""
        lines = [self._line(box, label) for box, label in zip(boxes.tolist(), labels, strict=True)]
        if self.indent is None:
            return f"[{', '.join(lines)}]"
        return _OPENING + ("[\n" + ",\n".join(lines) + "\n]" if lines else "[]") + _CLOSING

    def _line(self, box: Sequence[float], label: str) -> str:
        numbers = [f"{number:.{self.layout.decimals}f}" for number in self.layout.from_xyxy(box)]
        keys = self.layout.keys
        parts = [f"[{', '.join(numbers)}]"] if len(keys) == 1 else numbers
        members = [f"{json.dumps(key)}: {part}" for key, part in zip(keys, parts, strict=True)]
        if self.point is not None:
            middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
            members.append(f"{json.dumps(self.point)}: [{', '.join(f'{v:.0f}' for v in middle)}]")
        if label or self.labelled:
            written = json.dumps(label, ensure_ascii=False)
            members.append(f"{json.dumps(self.layout.label)}: {written}")
        return f"{self.indent or ''}{{{', '.join(members)}}}"

    def _of_clean(self, data: Any) -> ParsedCompletion | None:
        """The ordinary, correct answer of integers, read in a quarter of the time; None for any
        other."""
        if not isinstance(data, list) or set(map(type, data)) != {dict} or len(data) > MAX_BOXES:
            return None
        written = [item.get(self.layout.box) for item in data]
        labels = [item.get(self.layout.label) for item in data]
        if (
            set(map(type, written)) != {list}
            or set(map(len, written)) != {4}
            or set(map(type, labels)) != {str}
        ):
            return None
        numbers = list(chain.from_iterable(written))
        if set(map(type, numbers)) != {int} or not -LIMIT < min(numbers) <= max(numbers) < LIMIT:
            return None  # bool is another type
        boxes = self.layout.to_xyxy(np.array(numbers, dtype=np.float64).reshape(-1, 4))
        return (
            ParsedCompletion(boxes, tuple(labels))
            if is_valid(boxes).all() and all(map(str.strip, labels))
            else None
        )

    def _read(self, text: str) -> list[Entry]:
        """The entries that `parse` reads, with their places; empty if the places are unknown."""
        data, span, _ = _document(text)
        if data is BROKEN:
            entries = self._of_pieces(text).entries
        else:
            tops, _ = read(text, *span)
            entries = self._of_document(tops[0].value, tops[0].places).entries if tops else []
            expected = self._of_document(data).entries
            if [str(entry.numbers) for entry in entries] != [
                str(entry.numbers) for entry in expected
            ]:
                return []  # nested so deep, or so long, that the reader with places does not follow
        boxes, kept = self._boxes(entries, [])
        return [entry for entry, valid in zip(kept, is_valid(boxes), strict=True) if valid]

    def _of_document(self, data: Any, places: Sequence[Span] = ()) -> _Found:
        """Of one JSON value; `places` are those of the numbers of a list."""
        objects = Objects(self.layout, self.others, loose=not isinstance(data, list))
        if not isinstance(data, list):
            objects.issues.append("not_a_list")
            objects.add_list([data])
        elif _is_bare(data, 2):
            objects.issues.append("point")
        elif isinstance(self.layout.box, str) and _is_bare(data):
            record = Placed()
            record[self.layout.box], record.places[self.layout.box] = data, list(places)
            objects.issues.append("not_an_object")
            objects.add_record(record)
        else:
            objects.add_list(data)
        nothing = holds_nothing(data, BOX_KEYS | set(self.layout.keys))
        if nothing and data != []:
            objects.issues = [
                *(["not_a_list"] if "not_a_list" in objects.issues else []),
                "empty_answer",
            ]
        entries = [one for one in objects.entries if not nothing or any(one.numbers)]
        return _Found(entries, objects.issues, nothing and not entries)

    def _of_pieces(self, text: str) -> _Found:
        """Of an answer that is not one JSON document: every list and object that stands in it."""
        tops, complete = read(text)
        objects = Objects(self.layout, self.others, loose=True)
        for top in tops:
            bare = isinstance(top.value, list) and _is_bare(top.value)
            value = self._keyed(text, top) if bare else top.value
            objects.add_list(value if isinstance(value, list) else [value])
        objects.issues += [] if complete else ["too_many_boxes"]
        if "tool_call" in objects.issues and any(_is_call(top.value) for top in tops):
            return _Found([], ["not_json", "tool_call"])
        if (
            not objects.issues
            and all(top.value == [] for top in tops)
            and _EMPTY_FENCE.search(text)
        ):
            return _Found([], ["text_around"], says_nothing=True)
        if not objects.entries and not objects.issues and _is_point(text):
            return _Found([], ["point"])
        if not objects.entries and denies(text):
            return _Found([], ["empty_answer"], says_nothing=True)
        return _Found(objects.entries, ["not_json", *objects.issues])

    def _keyed(self, text: str, top: Top) -> Any:
        """An object of a bare list and the key or name that precedes it without braces; the list
        itself if nothing does."""
        key = _KEY_BEFORE.search(text, max(0, top.start - 45), top.start)
        name = key[1].strip() if key else ""
        if name not in (*self.layout.keys, *self.others):
            name = name_before(text, top.start)
        if not name:
            return top.value
        record = Placed()
        record[name], record.places[name] = top.value, top.places
        return record

    def _boxes(self, entries: list[Entry], issues: list[str]) -> tuple[Boxes, list[Entry]]:
        """The corners of the boxes that are four numbers, and these boxes; what is wrong goes into
        `issues`."""
        checked = [self._check(entry) for entry in entries]
        issues += [issue for _, issue in checked if issue]
        written = np.array(
            [numbers for numbers, _ in checked if numbers], dtype=np.float64
        ).reshape(-1, 4)
        return self.layout.to_xyxy(written), [
            entry for entry, (box, _) in zip(entries, checked, strict=True) if box
        ]

    def _check(self, entry: Entry) -> tuple[list[float], str | None]:
        """The four numbers, or an empty list if they are not a box, and what is wrong with the way
        they are written."""
        written, decimals = entry.numbers, self.layout.decimals
        numbers = [_number(v) for v in written]
        if not all(abs(v) < LIMIT for v in numbers):  # NaN is not below anything
            return [], "bad_box"
        if not entry.as_documented:
            return numbers, "other_key"
        if not decimals:
            return numbers, None if set(map(type, written)) == {int} else "not_integer"
        right = all(not isinstance(v, str) and round(v, decimals) == v for v in written)
        return numbers, None if right else "wrong_decimals"

    def _label(self, entry: Entry, issues: list[str]) -> str:
        label = entry.record.get(self.layout.label)
        if isinstance(label, str) and label.strip():
            return label
        if self.labelled or entry.name or label is not None:
            issues.append("label_as_key" if entry.name else "no_label")
        names = self._names(entry)
        if names is not None:  # beside a list of boxes, as ms-swift hands on what Florence-2 writes
            label = names[entry.nth] if entry.nth < len(names) else None
        else:
            key = label_key(entry.record, self.layout.label, entry.name)
            label = text_of(entry.record[key]) if key is not None else entry.name
        # Blank names exist (ODinW's ChessPieces has "  "), and names that are numbers, which are
        # written as such.
        return str(label) if type(label) in (str, int) else ""

    def _names(self, entry: Entry) -> list[Any] | None:
        lists = (entry.record.get(key) for key in ("labels", "bboxes_labels", self.layout.label))
        return next((one for one in lists if isinstance(one, list)), None)

    def _label_place(self, entry: Entry) -> list[Span]:
        key = label_key(entry.record, self.layout.label, entry.name)
        assert isinstance(entry.record, Placed)
        if self._names(entry) is not None:
            return []
        return (
            entry.record.places[key]
            if key is not None and type(entry.record[key]) in (str, int)
            else []
        )


def _document(text: str) -> tuple[Any, Span, tuple[str, ...]]:
    """The JSON value of an answer, its place, and the issue of text around it; BROKEN if there is
    no JSON."""
    start, end = _body(text)
    data = decode(text[start:end])
    first, last = text.find("["), text.rfind("]") + 1
    if data is BROKEN and 0 <= first < last and "{" not in text[:first]:
        inner = decode(text[first:last])
        if isinstance(inner, list) and any(isinstance(item, dict) for item in inner):
            return inner, (first, last), ("text_around",)
    return data, (start, end), ()


def _body(text: str) -> Span:
    """Where the answer stands: without white space at its ends, and without its ```json fence."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if text.startswith(_OPENING, start) and text.endswith(_CLOSING, start + len(_OPENING), end):
        return start + len(_OPENING), end - len(_CLOSING)
    return start, max(start, end)


def _is_bare(data: list[Any], count: int = 4) -> bool:
    """Whether a list is `count` numbers, or a list of lists of so many."""
    rows = data if all(isinstance(row, list) for row in data) else [data]
    return bool(data) and all(
        len(row) == count and {type(v) for v in row} <= {int, float} for row in rows
    )


def _is_point(text: str) -> bool:
    """Whether an answer is a point in tags, as Molmo writes, or two numbers in brackets."""
    return bool(_POINT_TAG.search(text) or _PAIR.fullmatch(text))


def _is_call(value: Any) -> bool:
    return isinstance(value, dict) and "name" in value and "arguments" in value


def _number(value: Any) -> float:
    """The number as float; NaN for anything else (booleans included)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")
