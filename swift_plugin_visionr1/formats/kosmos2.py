"""Kosmos-2's phrases in a caption: <phrase> a
hat</phrase><object><patch_index_0048><patch_index_0250></object>.

An index counts the 32 x 32 patches row by row; a box is the patches of its upper left and lower
right corner, and `</delimiter_of_multi_objects/>` stands between the boxes of one phrase. Decoded
as transformers' processor does: from the middle of the one patch to the middle of the other, but to
the outer edges where both lie in one row or column.
Written as it does, too: a corner moves by up to half a patch, and by up to a whole one where the
box spans one row or column. The caption around is the family's way, and so is an <object> whose
phrase stood in the prompt.
It documents no empty answer: here it is `None`. Question: its model card's, for one phrase. Issue
codes: see `tagged` and `collect`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np

from ..geometry.boxes import Boxes
from ..geometry.frames import FRAMES, Frame
from .base import Questions, Span
from .collector import Collector
from .tagged import Group, Piece, Row, Tagged

_SIDE = 32
_AND = "</delimiter_of_multi_objects/>"
_INDEX = re.compile(r"<patch_index_([0-9]{1,9})>")


@dataclass(frozen=True)
class Kosmos2(Tagged):
    """The format `kosmos2`."""

    name: ClassVar[str] = "kosmos2"
    frame: Frame = FRAMES["norm1"]
    label_tags: ClassVar[tuple[str, ...]] = ("<phrase>", "</phrase>")
    box_tags: ClassVar[tuple[str, ...]] = ("<object>", "</object>")
    joint: ClassVar[str] = ", "
    prose: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    questions: ClassVar[Questions] = Questions(locate="<grounding><phrase> {}</phrase>", json=False)
    numbers: ClassVar[int] = 2
    many: ClassVar[bool] = True

    def layout(self, rows: Sequence[Row]) -> str:
        """<patch_index_0048><patch_index_0250></delimiter_of_multi_objects/><patch_index_0050><patch_index_0260>."""
        return _AND.join("".join(f"<patch_index_{index:0>4}>" for index in row) for row in rows)

    def groups(self, text: str, start: int, end: int) -> Iterator[Group]:
        """The indices between delimiters."""
        while start < end:
            until = text.find(_AND, start, end)
            until = end if until < 0 else until
            yield tuple(index.span(1) for index in islice(_INDEX.finditer(text, start, until), 3))
            start = until + len(_AND)

    def whole(self, text: str, piece: Piece, groups: list[Group]) -> list[Group]:
        """The last pair may be cut off."""
        return groups if len(groups[-1]) == self.numbers else groups[:-1]

    def take(self, collector: Collector, text: str, group: Group, label: Span | None) -> bool:
        """Read one pair of indices; see `Tagged.take`."""
        indices = [int(text[start:end]) for start, end in group]
        if len(indices) != 2 or max(indices) >= _SIDE * _SIDE:
            collector.issue("bad_box")
            return True
        return collector.add(
            _box(*indices),
            group + ((label,) if label else ()),
            text[slice(*label)] if label else "",
        )

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """See `Tagged.write`; each box as the patches that it begins and ends in."""
        first = np.clip(np.floor(boxes[:, :2] * _SIDE), 0, _SIDE - 1) @ [1, _SIDE]
        last = np.clip(np.ceil(boxes[:, 2:] * _SIDE - 1), 0, _SIDE - 1) @ [1, _SIDE]
        rows = np.stack([first, last], axis=1)
        return super().write(rows, [f" {label}" for label in labels])


def _box(first: int, last: int) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 from 0 to 1 of the box from one patch to another."""
    (y1, x1), (y2, x2) = divmod(first, _SIDE), divmod(last, _SIDE)
    inner = 0.0 if x1 == x2 or y1 == y2 else 0.5
    return (
        (x1 + inner) / _SIDE,
        (y1 + inner) / _SIDE,
        (x2 + 1 - inner) / _SIDE,
        (y2 + 1 - inner) / _SIDE,
    )
