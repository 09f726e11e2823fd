"""InternVL's tags: <ref>label</ref><box>[[x1, y1, x2, y2], ...]</box>, all boxes of a label in one list.

Coordinates are integers from 0 to 1000 of the whole image (InternVL's chat data format, grounding data; InternVL 1.2
to 3.5). The tags are special tokens, which its own chat function and many servers leave out of the text; then a line
is `label[[x1, y1, x2, y2]]`, which is read, with the issue `no_tags`. It documents no empty answer: here it is `None`.
Issue codes: see `tagged` and `collect`.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..coords import FRAMES, Frame
from .tagged import TaggedLists


@dataclass(frozen=True)
class InternVL(TaggedLists):
    """The format `internvl`."""

    name: ClassVar[str] = "internvl"
    frame: Frame = FRAMES["norm1000"]
    label_tags: ClassVar[tuple[str, ...]] = ("<ref>", "</ref>")
    box_tags: ClassVar[tuple[str, ...]] = ("<box>", "</box>")
    between: ClassVar[str] = ","
