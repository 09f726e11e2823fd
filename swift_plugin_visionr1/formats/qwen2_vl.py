"""Qwen2-VL's special tokens:
<|object_ref_start|>label<|object_ref_end|><|box_start|>(x1,y1),(x2,y2)<|box_end|>.

Coordinates are integers from 0 to 1000 of the whole image (arXiv 2409.12191, section 2). Objects
follow each other directly or one a line, as ms-swift's own examples train; several boxes may follow
one label. It documents no empty answer: here it is `None`, and no question; the one here is that of
ms-swift's documentation, for one thing.
Issue codes: see `tagged` and `collect`.
"""

from dataclasses import dataclass
from typing import ClassVar

from .base import Questions
from .qwen_vl import QwenVL


@dataclass(frozen=True)
class Qwen2VL(QwenVL):
    """The format `qwen2_vl`."""

    name: ClassVar[str] = "qwen2_vl"
    label_tags: ClassVar[tuple[str, ...]] = ("<|object_ref_start|>", "<|object_ref_end|>")
    box_tags: ClassVar[tuple[str, ...]] = ("<|box_start|>", "<|box_end|>")
    joint: ClassVar[str] = "\n"
    questions: ClassVar[Questions] = Questions(
        locate="Find <|object_ref_start|>{}<|object_ref_end|>", json=False
    )
