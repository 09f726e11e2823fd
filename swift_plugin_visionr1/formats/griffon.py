"""Griffon's and Griffon-G's plain text: label-[x1,y1,x2,y2]&label-[x1,y1,x2,y2], or None when there
is nothing to find.

Coordinates are fractions of the whole image from 0 to 1, with exactly three decimals and no spaces.
A label may hold
`-`; a box without a label, as in answers to referring expressions, reads as `target`, which the
authors call it, too.
Questions: those of its training data (jefferyZhan/Griffon, griffon/datasets).

Issue codes, besides those of `collect`
    text_around     there is text before, between or after the boxes
    wrong_decimals  a coordinate has not exactly three decimals
    bad_layout      there are spaces in or around a box, or its brackets or `&` are missing; what is
                    whole is read
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from ..geometry.boxes import Boxes
from ..geometry.frames import FRAMES, Frame
from .base import Questions, Span
from .collector import MAX_PIECES, Collected, Collector, close, number, strip
from .tagged import tokens

_TARGET = "target"
_REACH = 1000  # characters before a bracket that are searched for its label
_BRACKETS = re.compile(r"[\[［]([^\[\]［］]*)[\]］]")
_STRICT = re.compile(r"\[[0-9]{1,9}(?:\.[0-9]{0,9})?(?:,[0-9]{1,9}(?:\.[0-9]{0,9})?){3}\]")


@dataclass(frozen=True)
class Griffon(Collected):
    """The format `griffon`."""

    name: ClassVar[str] = "griffon"
    frame: Frame = FRAMES["norm1"]
    questions: ClassVar[Questions] = Questions(
        "Examine the image for any objects from the category set. Report the coordinates of each "
        "detected object. The category set includes {}.",
        "Locate the exact position of {} in the picture, if you can.",
    )

    def collect(self, text: str, placed: bool = False) -> Collector:
        """See `Collected.collect`."""
        collector = Collector(self.frame, placed)
        at = 0  # where the text between this box and the one before begins
        for match in islice(_BRACKETS.finditer(text), MAX_PIECES):
            label = _label(collector, text, at, match.start())
            if label is not None:
                if not _take(collector, text, match, label):
                    break
                at = match.end()
        else:
            if at and text[at:].strip():
                collector.issue("text_around")
        return close(collector, text, "None")

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """Three decimals, no spaces; `None` for no boxes."""
        rows = [",".join(f"{v:.3f}" for v in box) for box in boxes]
        return (
            "&".join(f"{label}-[{row}]" for label, row in zip(labels, rows, strict=True)) or "None"
        )


def _label(collector: Collector, text: str, start: int, end: int) -> Span | None:
    """The label that ends in `-` at `end`, empty for a box without one; None if no box of this
    family begins there."""
    begin, stop = strip(text, max(start, end - _REACH), end)
    between = text[begin:stop]
    dashed = between.endswith(("-", "－"))
    if not dashed and between not in ("", "&", ",", ";"):
        return None
    if (begin, stop) != (start, end) or (start and not between.startswith("&")):
        collector.issue("bad_layout")
    if "\n" in between:
        collector.issue("text_around")
        begin = text.rindex("\n", begin, stop) + 1
    begin += text[begin:stop].startswith(("&", ",", ";"))
    return strip(text, begin, stop - dashed)


def _take(collector: Collector, text: str, match: re.Match[str], label: Span) -> bool:
    """Read one bracket; False if there is no room for more boxes."""
    group = tokens(text, *match.span(1))
    values = [number(text[start:end]) for start, end in group]
    if any(v != v for v in values):
        collector.issue("bad_box")
    elif collector.shape(len(group)):
        if any(len(text[start:end].partition(".")[2]) != 3 for start, end in group):
            collector.issue("wrong_decimals")
        if not _STRICT.fullmatch(match.group()):
            collector.issue("bad_layout")
        named = label[0] < label[1]
        return collector.add(
            values, group + ((label,) if named else ()), text[slice(*label)] if named else _TARGET
        )
    return True
