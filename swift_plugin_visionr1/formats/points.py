"""Answers that are points, as pointing rows ask for.

The strict form is the family's own list with points for boxes: JSON objects with `point_2d` and a
label, or two numbers between the family's tags. The reader is tolerant, as for boxes. Of an answer
in boxes, the centres are taken.

Issue codes, besides those of the family's boxes
    no_point         there is no point, and the answer does not say that there is nothing
    box_for_point    places are boxes, whose centres are taken
    other_point_key  a point stands under another key than `point_2d`
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import LIMIT
from .base import MAX_BOXES, Format, ParsedCompletion
from .hybrid import without_special_tokens
from .json_boxes import JsonBoxes
from .json_objects import label_key, text_of
from .json_reader import read

KEY = "point_2d"
OTHER_KEYS = ("point", "points", "points_2d", "coordinates", "coordinate", "keypoint")
_NUMBER = r"-?\d{1,7}(?:\.\d{1,9})?"
# x and y in brackets, or in a bin each
_PAIR = re.compile(
    rf"[(\[]\s{{0,3}}({_NUMBER})\s{{0,3}},\s{{0,3}}({_NUMBER})\s{{0,3}}[)\]]"
    r"|(?<!\d>)<(\d{1,4})><(\d{1,4})>(?!<\d)"
)
_NAME = re.compile(r"<(?:ref|\|object_ref_start\|)>(.{1,200}?)<(?:/ref|\|object_ref_end\|)>")
_AROUND = re.compile(r"[\s,;\[\]()]*")
_TAG = re.compile(r"</?(?:point|points|box|p)>|<\|(?:box|point)_(?:start|end)\|>")


Read = tuple[list[tuple[float, float]], list[str], tuple[str, ...]]
NOTHING: Read = [], [], ()


@dataclass(frozen=True)
class ParsedPoints:
    """What could be read of an answer that is to be points.

    Attributes:
        points: (n, 2) float64 x, y in the format's own frame.
        labels: n labels; "" where the answer gives none.
        issues: what breaks the format.
        says_nothing: the answer says that there is nothing to find.
    """

    points: NDArray[np.float64]
    labels: tuple[str, ...]
    issues: tuple[str, ...] = ()
    says_nothing: bool = False

    @property
    def as_boxes(self) -> NDArray[np.float64]:
        """(n, 4) the points as boxes of no size, which frames know how to move."""
        return np.concatenate([self.points, self.points], axis=1)


def parse_points(text: str, format: Format) -> ParsedPoints:
    """All points of an answer; never raises.

    Args:
        text: the completion.
        format: the family's, with what stands around an answer.
    """
    answer, around = format.answer(text)
    family = format.family
    points, labels, issues = _of_json(answer, family) if isinstance(family, JsonBoxes) else NOTHING
    if not points:
        parsed = format.parse(text)
        if len(parsed.boxes):
            return _centres(parsed)
        points, labels, issues = _of_tags(answer)
        if not points:
            return _without_points(parsed)
        issues = ("not_json", *issues) if isinstance(family, JsonBoxes) else issues
    issues = ("too_many_boxes", *issues) if len(points) > MAX_BOXES else issues
    kept = np.array(points[:MAX_BOXES], dtype=np.float64)
    return ParsedPoints(kept, tuple(labels[:MAX_BOXES]), _once(around, issues))


def _centres(parsed: ParsedCompletion) -> ParsedPoints:
    centres = (parsed.boxes[:, :2] + parsed.boxes[:, 2:]) / 2
    return ParsedPoints(centres, parsed.labels, _once(parsed.issues, ("box_for_point",)))


def _without_points(parsed: ParsedCompletion) -> ParsedPoints:
    issues = [code for code in parsed.issues if code != "point"]
    issues += [] if parsed.says_nothing else ["no_point"]
    return ParsedPoints(parsed.boxes[:, :2], (), tuple(issues), parsed.says_nothing)


def _of_json(answer: str, format: JsonBoxes) -> Read:
    """The points of every object in an answer, with their labels."""
    tops, _ = read(without_special_tokens(answer))
    values = [top.value for top in tops]
    records = [record for record in _records(values) if _key_of(record)]
    points: list[tuple[float, float]] = []
    labels: list[str] = []
    issues = [] if _is_whole_list(answer, values) else ["text_around"]
    for record in records:
        key = _key_of(record)
        pairs = _pairs(record[key], format)
        issues += ["bad_box"] * (not pairs) + ["other_point_key"] * (key != KEY)
        issues += ["not_integer"] * (not format.layout.decimals and not _whole(record[key]))
        name = label_key(record, format.layout.label)
        label = text_of(record[name]) if name is not None else None
        issues += ["no_label"] * (not isinstance(label, str) or not label.strip())
        points += pairs
        labels += [str(label or "")] * len(pairs)
    if not records and (bare := [pair for value in values for pair in _pairs(value, format)]):
        return bare, [""] * len(bare), ("not_an_object", "no_label")
    return points, labels, tuple(issues)


def _is_whole_list(answer: str, values: Sequence[Any]) -> bool:
    """Whether an answer is one list of objects, bare or in its fence."""
    plain = answer.strip().removeprefix("```json").removesuffix("```").strip()
    return len(values) == 1 and isinstance(values[0], list) and plain[:1] + plain[-1:] == "[]"


def _records(values: Sequence[Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    for value in values if depth < 8 else ():
        if isinstance(value, Mapping):
            yield value
            if not _key_of(value):
                yield from _records(list(value.values()), depth + 1)
        elif isinstance(value, list):
            yield from _records(value, depth + 1)


def _key_of(record: Mapping[str, Any]) -> str:
    return next((key for key in (KEY, *OTHER_KEYS) if key in record), "")


def _pairs(value: Any, format: JsonBoxes) -> list[tuple[float, float]]:
    """One point or several; families that write y first do so here, too."""
    if not isinstance(value, list):
        return []
    rows = value if value and all(isinstance(row, list) for row in value) else [value]
    if not all(len(row) == 2 and all(_is_place(v) for v in row) for row in rows):
        return []
    turned = format.layout.order == "yxyx"
    return [(float(row[turned]), float(row[not turned])) for row in rows]


def _is_place(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LIMIT


def _whole(value: Any) -> bool:
    rows = value if isinstance(value, list) else []
    return all(_whole(one) if isinstance(one, list) else isinstance(one, int) for one in rows)


def _of_tags(answer: str) -> Read:
    """Two numbers in brackets or bins, after the name that stands before them."""
    points: list[tuple[float, float]] = []
    labels: list[str] = []
    names = [(match.end(), match[1].strip()) for match in _NAME.finditer(answer)]
    for pair in _PAIR.finditer(answer):
        x, y = (float(v) for v in pair.groups() if v is not None)
        before = [name for end, name in names if end <= pair.start()]
        points.append((x, y))
        labels.append(before[-1] if before else "")
    rest = _TAG.sub("", _NAME.sub("", _PAIR.sub("", answer)))
    return points, labels, () if _AROUND.fullmatch(rest) else ("text_around",)


def _once(*issues: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for some in issues for code in some))
