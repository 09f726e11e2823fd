"""What the objects of a JSON answer are: boxes with their labels, or what a model writes instead.

Boxes and labels are read under other keys than the format's too, where the meaning is not in doubt,
with an issue. A point, a quad, a polygon, a 3D box and a tool call are reported as such and not
read as boxes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .base import MAX_BOXES, Span
from .json_layout import JsonLayout
from .json_reader import Placed, Split

_MAX_DEPTH = 8  # lists in lists and objects in objects deeper than that are not searched for boxes
_LABELS = (
    *(
        "label",
        "name",
        "label_en",
        "name_en",
        "english_name",
        "object_name",
        "class_name",
        "category_name",
        "category",
    ),
    *(
        "class",
        "object",
        "ref",
        "text_content",
        "text",
        "content",
        "description",
        "desc",
        "caption",
        "title",
        "type",
    ),
    *("target", "name_zh", "chinese_name"),
)
_NUMBERS = re.compile(
    r"[ (\[]{0,9}[-+]?[0-9.]{1,20}(?:[, ]{1,9}[-+]?[0-9.]{1,20}){3}[ )\]]{0,9}"
)  # a list as text
_ONE_NUMBER = re.compile(r"[-+0-9.]+")
_NO_LABELS = ("mask",)  # Gemini's is a picture as text
_CONFIDENCES = ("confidence", "score", "conf", "probability")
# Keys that name a part of an answer and not what its boxes show.
_PARTS = re.compile(
    r"(?:answers?|final_answer|results?|outputs?|responses?|objects?|items?|detections?|"
    r"predictions?|annotations?|instances?|entities|targets?|labels?|bbox|box|boxes|bounding_box(?:es)?|"
    r"coordinates?|coords|locations?|positions?|regions?|data|list|image|images|img|json|found)?"
    r"[_ ]?\d*"
)
# Keys whose numbers are not a place in the image.
_OTHERS = re.compile(
    r"(?:(?:image|img|input|original)_?)?(?:sizes?|shapes?|resolution|dimensions?|width|height)|"
    r"colou?rs?|rgba?|scores?|confidences?|ids?|mean|std|masks?"
)
_CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("xmin", "ymin", "xmax", "ymax"),
)
_OTHER_SHAPES = {
    **dict.fromkeys(("point_2d", "point", "points", "points_2d", "keypoint", "keypoints"), "point"),
    **dict.fromkeys(("quad", "quad_2d", "rotate_rect", "pos_list"), "quad"),
    **dict.fromkeys(("polygon", "polygons", "polygon_2d", "segmentation", "contour"), "polygon"),
    **dict.fromkeys(("bbox_3d", "box_3d"), "box_3d"),
    **dict.fromkeys(("bbox_2d", "box_2d"), "foreign_key"),
}


class Entry(NamedTuple):
    """A box of an answer, as written.

    Attributes:
        numbers: the four, in the order in which the keys or the list have them.
        record: the object that describes it.
        holder: the object that has the numbers; the record itself, but for {"bbox_2d": {"x1":
            ...}}.
        keys: the key of the holder that has all four, or the four that have one each.
        nth: which of several boxes under the key.
        as_documented: whether the format's own keys are used, with nothing around the numbers.
        name: the key above the box that says what it shows; "" for none.
    """

    numbers: list[Any]
    record: dict[str, Any]
    holder: dict[str, Any]
    keys: tuple[str, ...]
    nth: int = 0
    as_documented: bool = True
    name: str = ""

    def places(self) -> list[Span]:
        """Where the numbers are written, for a record that was read with places."""
        assert isinstance(self.holder, Placed)
        spans = [span for key in self.keys for span in self.holder.places[key]]
        if len(spans) == 1:  # the list is written as text
            written, start = self.holder[self.keys[0]], spans[0][0]
            return [
                (start + one.start(), start + one.end()) for one in _ONE_NUMBER.finditer(written)
            ]
        return spans[4 * self.nth : 4 * self.nth + 4]


def label_key(record: Mapping[str, Any], documented: str, name: str = "") -> str | None:
    """The key of the label: the format's own, one that means the same, or, where no key above the
    box is its `name`, that of the only text there is."""
    if documented in record:
        return documented
    by_name = {_plain(key): key for key in record if text_of(record[key]) is not None}
    label = next((by_name[name] for name in _LABELS if name in by_name), None)
    texts = [
        key
        for name, key in by_name.items()
        if isinstance(record[key], str) and name not in _NO_LABELS
    ]
    return label or (texts[0] if len(texts) == 1 and not name else None)


def text_of(value: Any) -> str | int | None:
    """A text or a whole number, or the only one that an object has: {"name": "cat"}."""
    if isinstance(value, dict):
        texts = [one for one in value.values() if isinstance(one, str)]
        return texts[0] if len(texts) == 1 else None
    return value if type(value) in (str, int) else None


def confidence_of(record: Mapping[str, Any]) -> Any:
    """The confidence in its box that the object gives, if any."""
    by_name = {_plain(key): value for key, value in record.items()}
    return next((by_name[name] for name in _CONFIDENCES if name in by_name), None)


class Objects:
    """The boxes of an answer and what is wrong with it, collected in order.

    Args:
        layout: the format's.
        others: other keys of a box, whose numbers have the format's order.
        loose: the answer is not JSON anyway, so anything that is nothing like a box is skipped
            without an issue.
    """

    def __init__(self, layout: JsonLayout, others: tuple[str, ...], loose: bool) -> None:
        self.layout, self.others, self.loose = layout, others, loose
        self.entries: list[Entry] = []
        self.issues: list[str] = []

    def add_list(self, items: Sequence[Any], depth: int = 0, name: str = "") -> None:
        """The entries of a list, which are to be objects; `name` is the key above it."""
        named = _named_boxes(items)
        if named:
            self.issues.append("label_in_list")
        for label, row in named:
            record = {self.layout.label: label, self.layout.keys[0]: row}
            self._take([Entry(row, record, record, self.layout.keys, as_documented=False)])
        for item in items if not named else ():
            if len(self.entries) >= MAX_BOXES:
                self.issues.append("too_many_boxes")
                return
            if isinstance(item, dict):
                self.add_record(item, depth, name)
                continue
            self.issues += (
                ["repeated_key"]
                if isinstance(item, Split)
                else []
                if self.loose
                else ["not_an_object"]
            )
            if isinstance(item, Split) and depth < _MAX_DEPTH:
                self._add_loosely(
                    item.records, depth + 1, name
                )  # what comes after a repeated key is not an entry
            elif isinstance(item, list) and depth < _MAX_DEPTH:
                self.add_list(item, depth + 1, name)

    def add_record(self, record: dict[str, Any], depth: int = 0, name: str = "") -> None:
        """An object: one box, several, none, or a holder of boxes."""
        entries = self._boxes(record)
        if isinstance(entries, str):
            self.issues.append(entries)
        elif entries:
            self._take([entry._replace(name=name) for entry in entries] if name else entries)
        else:
            self._search(record, depth, name)

    def _take(self, entries: list[Entry]) -> None:
        room = MAX_BOXES - len(self.entries)
        self.entries += entries[:room]
        self.issues += ["too_many_boxes"] if len(entries) > room else []

    def _boxes(self, record: dict[str, Any]) -> list[Entry] | str:
        """The boxes of an object, or what it is instead, or an empty list."""
        if "name" in record and "arguments" in record:
            return "tool_call"
        keys = self.layout.keys
        if len(keys) == 4 and all(key in record for key in keys):
            return [Entry([record[key] for key in keys], record, record, keys)]
        by_name = {_plain(key): key for key in record}
        for name in (*keys, *self.others):
            key = name if name in record else by_name.get(name)
            if key is not None and record[key] not in (None, []):
                return self._boxes_at(key, record, key in keys)
        corners = self._corners(record)
        if corners:
            return [
                Entry(
                    [record[key] for key in corners], record, record, corners, as_documented=False
                )
            ]
        if {"x", "y"} <= set(by_name) and not {"w", "h", "width", "height"} & set(by_name):
            return "point"
        return next(
            (_OTHER_SHAPES[name] for name in by_name if name in _OTHER_SHAPES and name not in keys),
            [],
        )

    def _search(self, record: dict[str, Any], depth: int, name: str) -> None:
        """An object that is not a box itself: boxes in its lists and objects."""
        before = len(self.entries), len(self.issues)
        for key, value in record.items() if depth < _MAX_DEPTH else ():
            name_of_key = name if _PARTS.fullmatch(_plain(key)) else key
            rows = _rows(value)
            if rows and _OTHERS.fullmatch(_plain(key)):
                continue
            if rows and len(rows[0]) == 4:
                record_of_box = Placed()
                self._take(
                    [
                        Entry(row, record_of_box, record, (key,), nth, False, name_of_key)
                        for nth, row in enumerate(rows)
                    ]
                )
            elif rows:
                self.issues.append(_shape(len(rows[0])))
            elif isinstance(value, (dict, list, Split)):
                inside = value if isinstance(value, list) else [value]
                self._add_loosely(inside, depth + 1, name_of_key)
        if not self.loose and before == (len(self.entries), len(self.issues)):
            self.issues.append("bad_box")

    def _add_loosely(self, items: Sequence[Any], depth: int, name: str) -> None:
        loose, self.loose = self.loose, True
        self.add_list(items, depth, name)
        self.loose = loose

    def _boxes_at(self, key: str, record: dict[str, Any], documented: bool) -> list[Entry] | str:
        """The boxes under a box's key, or what is there."""
        value = record[key]
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            value = value[0]  # [{"x1": ...}]
        if isinstance(value, dict):
            corners = self._corners(value)
            return (
                [Entry([value[k] for k in corners], record, value, corners, as_documented=False)]
                if corners
                else []
            )
        if isinstance(value, str) and _NUMBERS.fullmatch(value):
            return [
                Entry(_ONE_NUMBER.findall(value), record, record, (key,), as_documented=documented)
            ]
        if not isinstance(value, list):
            return "bad_box"
        if any(isinstance(item, (dict, Split)) for item in value):
            return []  # the boxes are in there
        rows = value if all(isinstance(row, list) for row in value) else [value]
        if len({len(row) for row in rows}) != 1 or any(
            isinstance(v, (list, dict)) for row in rows for v in row
        ):
            return "bad_box"
        if len(rows[0]) == 2 and len(rows) > 1:
            rows = [[number for row in rows for number in row]]  # the corners as points
        if len(rows[0]) != 4:
            return _shape(len(rows[0]))
        plain = documented and rows[0] is value
        return [Entry(row, record, record, (key,), nth, plain) for nth, row in enumerate(rows)]

    def _corners(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """The keys of a box's four coordinates in an object that has them by name, in the layout's
        order, else ()."""
        names = next((names for names in _CORNERS if all(name in record for name in names)), ())
        if not names or self.layout.order not in ("xyxy", "yxyx"):
            return ()
        return names if self.layout.order == "xyxy" else (names[1], names[0], names[3], names[2])


def _rows(value: Any) -> list[list[Any]]:
    """The lists of as many plain numbers each that a value is, or the one list; else none."""
    if not isinstance(value, list) or not value:
        return []
    rows = value if all(isinstance(row, list) for row in value) else [value]
    if {type(v) for row in rows for v in row} <= {int, float} and len({len(r) for r in rows}) == 1:
        return rows if len(rows[0]) > 1 else []
    return []


def _named_boxes(items: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """The labels and boxes of a list that has both: ["cat", x1, y1, x2, y2], ["cat", [...]] and so
    on, also with the label last; else none."""
    if len(items) < 2:
        return []
    texts = [item for item in items[:2] if isinstance(item, str)]
    if len(texts) != 1 and not (len(items) == 5 and isinstance(items[4], str)):
        return []
    if len(items) == 5:
        label, row = (items[0], [*items[1:]]) if texts else (items[4], [*items[:4]])
        items = [label, row]
    elif isinstance(items[1], str):
        items = [part for pair in zip(items[1::2], items[::2], strict=False) for part in pair]
    pairs = list(zip(items[::2], items[1::2], strict=False))
    rows = [_rows(box) for _, box in pairs]
    right = all(
        isinstance(label, str) and label.strip() and _is_name(label) and row and len(row[0]) == 4
        for (label, _), row in zip(pairs, rows, strict=True)
    )
    if not right or len(items) % 2:
        return []
    return [(label, box) for (label, _), row in zip(pairs, rows, strict=True) for box in row]


def _is_name(text: str) -> bool:
    return not _PARTS.fullmatch(_plain(text)) and not _plain(text).startswith(("bbox", "box"))


def _shape(count: int) -> str:
    """What this many numbers are if they are not a box."""
    if count in (2, 8):
        return "point" if count == 2 else "quad"
    return "polygon" if count >= 6 and count % 2 == 0 else "bad_box"


def _plain(key: str) -> str:
    return key.strip().lower().replace("-", "_").replace(" ", "_")
