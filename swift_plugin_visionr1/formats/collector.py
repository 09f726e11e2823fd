"""What a reader finds in an answer, one box at a time: the shared part of all formats that are tags
or tokens.

Issue codes
    no_box          there is no box, and the answer is not the family's empty one; or a label has no
                    box
    empty_answer    the answer says that there is nothing to find, but not in the family's own way;
                    see `denial`
    bad_box         coordinates that are not four numbers, or are far beyond the frame; such a box
                    is not read
    point           a place is given as a point (two numbers), which is not a box
    quad            a place is given by four corners (eight numbers), which is not a box
    polygon         a place is given by another number of corners, which is not a box
    corner_order    x1 >= x2 or y1 >= y2; such a box is not read
    no_label        a box has no label, where the family writes one
    too_many_boxes  more than MAX_BOXES boxes, or very many broken pieces; the rest is not read
    out_of_image    a coordinate lies outside the frame
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..geometry.boxes import LIMIT, as_boxes
from ..geometry.frames import Frame
from .base import MAX_BOXES, Format, ParsedCompletion, Span
from .denial import denies

MAX_PIECES = 10 * MAX_BOXES  # more tags, runs of tokens or brackets than that are not looked at
# no normalised frame reaches a quarter as far; pixels written into one by mistake are still read
_FAR = 5000.0
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")
_OTHER_SHAPES = re.compile(r"<\|?(point|quad|polygon)s?(?:_start\|)?[ >]")


class Collector:
    """Boxes, labels, places and issues of one answer, in order; `placed` is whether anyone asks for
    the places."""

    def __init__(self, frame: Frame, placed: bool) -> None:
        self.placed = placed
        self.boxes: list[Sequence[float]] = []
        self.labels: list[str] = []
        self.spans: list[tuple[Span, ...]] = []
        self.says_nothing = False
        self._issues: dict[str, None] = {}
        self._limit = LIMIT if isinstance(frame.units, str) else _FAR

    def issue(self, code: str) -> None:
        """Note what breaks the format; each code counts once."""
        self._issues[code] = None

    @property
    def issues(self) -> tuple[str, ...]:
        return tuple(self._issues)

    def add(self, box: Sequence[float], spans: Sequence[Span], label: str) -> bool:
        """Take a box, xyxy in the format's own frame, or note what is wrong with it; False if there
        is no room for more."""
        if len(self.boxes) == MAX_BOXES:
            self.issue("too_many_boxes")
            return False
        x1, y1, x2, y2 = box
        if not all(abs(v) < self._limit for v in box):  # NaN is not below anything
            self.issue("bad_box")
        elif not (x1 < x2 and y1 < y2 and (x2 - x1) * (y2 - y1) > 0):  # an area may underflow
            self.issue("corner_order")
        else:
            self.boxes.append(box)
            self.labels.append(label)
            self.spans.append(tuple(spans))
        return True

    def name_from(self, first: int, label: Span, text: str) -> None:
        """Give a label to the boxes before it, from number `first` on."""
        self.issue("label_after_box")
        for number in range(first, len(self.boxes)):
            self.labels[number] = text[slice(*label)]
            self.spans[number] = (*self.spans[number], label)

    def shape(self, count: int) -> bool:
        """Whether this many numbers are a box; otherwise the issue is noted."""
        if count != 4:
            odd = count < 2 or count % 2 == 1
            self.issue("bad_box" if odd else {2: "point", 8: "quad"}.get(count, "polygon"))
        return count == 4

    def nothing(self, as_documented: bool) -> None:
        """The answer says that there is nothing to find, in the family's own way or in another."""
        self.says_nothing = True
        if not as_documented:
            self.issue("empty_answer")


@dataclass(frozen=True)
class Collected(Format):
    """A format that reads an answer into a Collector."""

    frame: Frame

    def collect(self, text: str, placed: bool = False) -> Collector:
        """Everything that can be read of an answer, the places only if `placed`. Never raises."""
        raise NotImplementedError

    def parse(self, text: str) -> ParsedCompletion:
        """Boxes in the format's own frame, and issues; see `Format.parse`."""
        collector = self.collect(text)
        return ParsedCompletion(
            as_boxes(collector.boxes),
            tuple(collector.labels),
            collector.issues,
            collector.says_nothing,
        )

    def spans(self, text: str) -> list[tuple[Span, ...]]:
        """Character ranges of each box's coordinates and of its label; see `Format.spans`."""
        return self.collect(text, placed=True).spans

    def confidences(self, text: str) -> list[float]:
        """NaN for each box: this family writes no confidences; see `Format.confidences`."""
        return [math.nan] * len(self.collect(text).boxes)


def number(written: str) -> float:
    """A coordinate as float; NaN unless it is a plain number of up to fifteen digits."""
    return float(written) if _NUMBER.fullmatch(written) else math.nan


def strip(text: str, start: int, end: int) -> Span:
    """The range without the white space at its ends."""
    piece = text[start:end]
    begin = end - len(piece.lstrip())
    return begin, begin + len(piece.strip())


def close(collector: Collector, text: str, empty_answer: str) -> Collector:
    """Finish an answer: without a box, note whether it is the empty answer or lacks boxes."""
    for other in _OTHER_SHAPES.finditer(text):
        collector.issue(other.group(1))
    collector.says_nothing = collector.says_nothing and not collector.boxes
    if collector.boxes or collector.says_nothing:
        return collector
    if len(text) < 100 and text.strip() == empty_answer:
        collector.nothing(as_documented=True)
    elif denies(text):
        collector.nothing(as_documented=False)
    elif not collector.issues:
        collector.issue("no_box")
    return collector
