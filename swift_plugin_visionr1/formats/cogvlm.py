"""CogVLM's and CogAgent's text with boxes in it: a cat [[012,345,678,901]], several boxes of a
thing as [[...;...]].

Coordinates are thousandths of the image's sides, integers from 000 to 999; CogAgent-9B leaves out
the zeros before them
(CogVLM's README and issue 165, CogAgent's README). Its answers are prose, so text around a box is
no issue, and a box
alone, as in answers to referring expressions, needs no label. A label is the words before a box,
back to the box,
line or punctuation before; what is trained on as written here reads as it was. Where CogAgent ends
in an operation,
`Grounded Operation: CLICK(box=[[...]], element_type='button', element_info='Send')` or `[button]
Send -> CLICK at the
box [[...]]`, the boxes are those of the operation alone and the label is the element's name. No
empty answer is
documented: here it is `None`.
Question: CogVLM's README (grounding by a description).

Issue codes, besides those of `collect`
    broken_tags  the answer ends within a box
    bad_layout   an operation is not announced by "Grounded Operation:"
    not_integer  a coordinate is written as a fraction
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np

from ..geometry.boxes import Boxes
from ..geometry.frames import Frame
from .base import Questions, Span
from .collector import MAX_PIECES, Collected, Collector, close, number, strip
from .tagged import tokens

_TOP = 999
_OPERATION = "Grounded Operation:"
_PLACE = re.compile(r"\[\[([^\[\]]*)\]\]")
_ONE = re.compile(r"[^;；]+")
_BREAK = re.compile(r"(?:^|[.,;:!?]\s|[。，、；：！？\n])\s{0,9}(?:(?:and|or)\s)?")
_BEFORE = re.compile(r"\s{0,9}\[[^\[\]\n]{1,99}\]([^\n]{1,300}?)->")
_AFTER = re.compile(r"[^\n]{0,300}?element_info='([^\n]{1,300}?)'(?=\s*[,)])")
# an operation that "Grounded Operation:" does not announce
_CALL = re.compile(
    r"(?:[A-Z][A-Z_]{1,29}\s?\(\s?(?:\w{1,30}\s?=\s?)?|-> ?[A-Z_]{2,30}\b[^\n]{0,60})\Z"
)
_REACH = 200  # characters of a label


@dataclass(frozen=True)
class CogVLM(Collected):
    """The format `cogvlm`."""

    name: ClassVar[str] = "cogvlm"
    frame: Frame = Frame(_TOP + 1.0, top=_TOP)
    questions: ClassVar[Questions] = Questions(
        locate="Can you point out {} in the image and provide the bounding boxes of their "
        "location?",
        json=False,
    )

    def collect(self, text: str, placed: bool = False) -> Collector:
        """See `Collected.collect`."""
        collector = Collector(self.frame, placed)
        operation = text.rfind(_OPERATION)
        at = start = operation + len(_OPERATION) if operation >= 0 else 0
        for place in islice(_PLACE.finditer(text, start), MAX_PIECES):
            called = operation < 0 and _CALL.search(
                text, max(at, place.start() - 99), place.start()
            )
            if called:
                collector.issue("bad_layout")
            label = (
                _element(
                    text, text.rfind("\n", start, place.start()) + 1 if called else start, place
                )
                if operation >= 0 or called
                else _words(text, at, place.start())
            )
            at = place.end()
            if not all(
                _take(collector, text, one.span(), label)
                for one in _ONE.finditer(text, *place.span(1))
            ):
                break
        if text.rfind("[") > text.rfind("]"):
            collector.issue("broken_tags")
        return close(collector, text, "None")

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """A line for each box, three digits for each coordinate, from 000 to 999."""
        rows = [
            ",".join(f"{v:03d}" for v in row)
            for row in np.clip(np.rint(boxes), 0, _TOP).astype(int)
        ]
        return (
            "\n".join(
                f"{label} [[{row}]]".lstrip() for label, row in zip(labels, rows, strict=True)
            )
            or "None"
        )


def _words(text: str, start: int, end: int) -> Span:
    """The label that ends where the box at `end` begins."""
    start = max(start, end - _REACH)
    ends = [stop.end() for stop in _BREAK.finditer(text[start:end])]
    return strip(text, start + max(ends, default=0), end)


def _element(text: str, start: int, place: re.Match[str]) -> Span:
    """The name of the element that the operation at `start` is about, with its box at `place`;
    empty for none."""
    name = _AFTER.match(text, place.end()) or _BEFORE.match(text, start, place.start())
    return strip(text, *name.span(1)) if name else (start, start)


def _take(collector: Collector, text: str, place: Span, label: Span) -> bool:
    """Read one place; False when there is room for no more boxes."""
    group = tokens(text, *place)
    written = [text[start:end] for start, end in group]
    values = [number(one) for one in written]
    if any(v != v for v in values):
        collector.issue("bad_box")
    elif collector.shape(len(group)):
        if any("." in one for one in written):
            collector.issue("not_integer")
        named = label[0] < label[1]
        return collector.add(values, group + ((label,) if named else ()), text[slice(*label)])
    return True
