"""MiniCPM-V's and MiniCPM-o's tags: <ref>label</ref><box>x1 y1 x2 y2</box>.

Coordinates are integers from 0 to 1000 of the whole image; asked for one thing, MiniCPM-V 4.5
writes its <box> alone (the authors in OpenBMB/MiniCPM-V issues 772 and 982), so a box without a
label is not an issue. No empty answer is documented: here it is `None`. Question: issue 982, for
one description. Issue codes: see `tagged` and `collect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..geometry.frames import FRAMES, Frame
from .base import Questions
from .tagged import Group, Piece, Row, Tagged


@dataclass(frozen=True)
class MiniCPMV(Tagged):
    """The format `minicpm_v`."""

    name: ClassVar[str] = "minicpm_v"
    frame: Frame = FRAMES["norm1000"]
    label_tags: ClassVar[tuple[str, ...]] = ("<ref>", "</ref>")
    box_tags: ClassVar[tuple[str, ...]] = ("<box>", "</box>")
    between: ClassVar[str] = ","
    labelled: ClassVar[bool] = False
    questions: ClassVar[Questions] = Questions(
        locate="Please provide the bounding box coordinate of the region this sentence describes: "
        "<ref>{}</ref>",
        json=False,
    )

    def layout(self, rows: Sequence[Row]) -> str:
        """x1 y1 x2 y2."""
        return " ".join(" ".join(row) for row in rows)

    def whole(self, text: str, piece: Piece, groups: list[Group]) -> list[Group]:
        """None at the end of the text, where the last number may have been cut off."""
        return super().whole(text, piece, groups) if piece.end < len(text) else []
