"""Ovis2 and Ovis2.5's tags: <ref>label</ref><box>(x1,y1),(x2,y2)</box>, several boxes in square
brackets with commas.

Coordinates are fractions of the whole image from 0 to 1 with three decimals (Ovis2.5's model card,
grounding). Asked for one thing, it writes its boxes alone, so a box without a label is not an
issue. It documents no empty answer: here it is `None`. Questions: the card's for one thing, and for
several the like by its rule (objects in <ref>, and the sentence that asks for coordinates at the
end). Issue codes: see `tagged` and `collect`.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..geometry.frames import FRAMES, Frame
from .base import Questions
from .qwen_vl import QwenVL

_ASK = "Please provide the bounding box coordinates."


@dataclass(frozen=True)
class Ovis(QwenVL):
    """The format `ovis`."""

    name: ClassVar[str] = "ovis"
    frame: Frame = FRAMES["norm1"]
    between: ClassVar[str] = "[], \n"
    labelled: ClassVar[bool] = False
    decimals: ClassVar[int] = 3
    questions: ClassVar[Questions] = Questions(
        f"Find every <ref>{{:</ref>, <ref>}}</ref> in the image. {_ASK}",
        f"Find the <ref>{{}}</ref> in the image. {_ASK}",
    )
