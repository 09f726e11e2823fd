"""Qwen-VL's tags: <ref>label</ref><box>(x1,y1),(x2,y2)</box>, several <box> after a label that
several things have.

Coordinates are integers from 0 to 1000 of the whole image (QwenLM/Qwen-VL, README). Its captions
with grounding have text around the tags, which the strict template does not allow. It documents no
empty answer: here it is `None`.
Questions: QwenLM/Qwen-VL, TUTORIAL.md and README, which ask in Chinese. Issue codes: see `tagged`
and `collect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..geometry.frames import FRAMES, Frame
from .base import Questions
from .tagged import Row, Tagged


@dataclass(frozen=True)
class QwenVL(Tagged):
    """The format `qwen_vl`."""

    name: ClassVar[str] = "qwen_vl"
    frame: Frame = FRAMES["norm1000"]
    label_tags: ClassVar[tuple[str, ...]] = ("<ref>", "</ref>")
    box_tags: ClassVar[tuple[str, ...]] = ("<box>", "</box>")
    between: ClassVar[str] = ","
    questions: ClassVar[Questions] = Questions("请给我框出图中{:和}", "框出图中{}的位置")

    def layout(self, rows: Sequence[Row]) -> str:
        """(x1,y1),(x2,y2)."""
        return ",".join(f"({x1},{y1}),({x2},{y2})" for x1, y1, x2, y2 in rows)
