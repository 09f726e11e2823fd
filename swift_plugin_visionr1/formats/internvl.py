"""InternVL's tags: <ref>label</ref><box>[[x1, y1, x2, y2], ...]</box>, all boxes of a label in one
list.

Coordinates are integers from 0 to 1000 of the whole image (InternVL's chat data format, grounding
data; InternVL 1.2 to 3.5). The tags are special tokens, which its own chat function and many
servers leave out of the text; then a line is `label[[x1, y1, x2, y2]]`, which is read, with the
issue `no_tags`. It documents no empty answer: here it is `None`.
Questions: the same page's, and internvl_chat/eval/refcoco's. The former is for all objects of
whatever category: the paper's list stands after it. Issue codes: see `tagged` and `collect`.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..geometry.frames import FRAMES, Frame
from .base import Questions
from .tagged import TaggedLists


@dataclass(frozen=True)
class InternVL(TaggedLists):
    """The format `internvl`."""

    name: ClassVar[str] = "internvl"
    frame: Frame = FRAMES["norm1000"]
    label_tags: ClassVar[tuple[str, ...]] = ("<ref>", "</ref>")
    box_tags: ClassVar[tuple[str, ...]] = ("<box>", "</box>")
    between: ClassVar[str] = ","
    questions: ClassVar[Questions] = Questions(
        "Please detect and label all objects in the following image and mark their positions. "
        "The category set includes {}.",
        "Please provide the bounding box coordinate of the region this sentence describes: "
        "<ref>{}</ref>",
    )
