"""Ovis2 and Ovis2.5's tags: <ref>label</ref><box>(x1,y1),(x2,y2)</box>, several boxes in square brackets with commas.

Coordinates are fractions of the whole image from 0 to 1 with three decimals (Ovis2.5's model card, grounding). Asked
for one thing, it writes its boxes alone, so a box without a label is no issue. It documents no empty answer: here it
is `None`. Issue codes: see `tagged` and `collect`.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..coords import FRAMES, Frame
from .qwen_vl import QwenVL


@dataclass(frozen=True)
class Ovis(QwenVL):
    """The format `ovis`."""

    name: ClassVar[str] = "ovis"
    frame: Frame = FRAMES["norm1"]
    between: ClassVar[str] = "[], \n"
    labelled: ClassVar[bool] = False
    decimals: ClassVar[int] = 3
