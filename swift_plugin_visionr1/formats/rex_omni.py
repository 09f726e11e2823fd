"""Rex-Omni's special tokens:
<|object_ref_start|>man<|object_ref_end|><|box_start|><x1><y1><x2><y2>,<...><|box_end|>.

Coordinates are one token each, bins from 0 to 999; its own parser scales them by width / 999 and
height / 999.
Categories are joined by `, `. Two numbers are a point, more than four a polygon: its other tasks. A
category that is not in the image has `None` between the tags of its box; `None` alone, without a
category, is the empty answer here.
Keypoints are JSON, {"person1": {"bbox": " <x1> <y1> <x2> <y2> ", "keypoints": {...}}}: their boxes
are read.
Question: IDEA-Research/Rex-Omni, tutorials/detection_example.

Issue codes, besides those of `tagged` and `collect`
    keypoints   the answer is keypoints
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..geometry.boxes import Boxes
from ..geometry.frames import FRAMES, Frame
from .base import Questions
from .collector import Collector
from .qwen2_vl import Qwen2VL
from .tagged import Group, Piece, Row, tokens

_DETECT = "Detect {}. Output the bounding box coordinates in [x0, y0, x1, y1] format."
_PLACE = re.compile(r"[^,]+")
_BINS = r"\s{0,9}<([0-9]{1,3})>" * 4
_PERSON = re.compile(
    r"\"([^\"\d]{1,99})\d{0,9}\"\s{0,9}:\s{0,9}\{\s{0,99}\"bbox\"\s{0,9}:\s{0,9}\""
    + _BINS
    + r"\s{0,9}\""
)


@dataclass(frozen=True)
class RexOmni(Qwen2VL):
    """The format `rex_omni`."""

    name: ClassVar[str] = "rex_omni"
    frame: Frame = FRAMES["norm999"]
    nothing_tagged: ClassVar[bool] = True
    joint: ClassVar[str] = ", "
    many: ClassVar[bool] = True
    questions: ClassVar[Questions] = Questions(_DETECT, _DETECT)

    def layout(self, rows: Sequence[Row]) -> str:
        """<x1><y1><x2><y2>,<x1><y1><x2><y2>."""
        return ",".join("".join(f"<{v}>" for v in row) for row in rows)

    def groups(self, text: str, start: int, end: int) -> Iterator[Group]:
        """What stands between commas."""
        for place in _PLACE.finditer(text, start, end):
            yield tokens(text, *place.span())

    def whole(self, text: str, piece: Piece, groups: list[Group]) -> list[Group]:
        """All but the last: more numbers, of a polygon, might have followed."""
        return groups[:-1]

    def _collect_bare(self, collector: Collector, text: str) -> None:
        for person in _PERSON.finditer(text):
            collector.issue("keypoints")
            if not self.take(
                collector, text, tuple(person.span(bin) for bin in range(2, 6)), person.span(1)
            ):
                return

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """See `Tagged.write`; bins run from 0 to 999."""
        return super().write(np.clip(boxes, 0, 999), labels)
