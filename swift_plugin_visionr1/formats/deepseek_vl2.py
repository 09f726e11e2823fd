"""DeepSeek-VL2's special tokens: <|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2], ...]<|/det|>.

Coordinates are integers from 0 to 999; its own demo scales them by width / 999 and height / 999. It
documents no empty answer: here it is `None`. Question: arXiv 2412.10302, section 3.2, for one
category or description. Issue codes: see `tagged` and `collect`.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..geometry.frames import FRAMES, Frame
from .base import Questions
from .tagged import TaggedLists


@dataclass(frozen=True)
class DeepSeekVL2(TaggedLists):
    """The format `deepseek_vl2`."""

    name: ClassVar[str] = "deepseek_vl2"
    frame: Frame = FRAMES["norm999"]
    label_tags: ClassVar[tuple[str, ...]] = ("<|ref|>", "<|/ref|>")
    box_tags: ClassVar[tuple[str, ...]] = ("<|det|>", "<|/det|>")
    between: ClassVar[str] = ","
    questions: ClassVar[Questions] = Questions(
        locate="Locate <|ref|>{}<|/ref|> in the given image.", json=False
    )
