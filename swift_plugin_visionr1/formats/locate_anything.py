"""LocateAnything's tokens: <ref>cat</ref><box><x1><y1><x2><y2></box><box><x1><y1><x2><y2></box>.

Coordinates are one token each, thousandths of the image's sides. A label is followed by all of its
boxes, each in tags of its own. Two numbers are a point. The empty answer is <box>none</box>.
Questions, and all of this: NVlabs/Eagle, Embodied.
Issue codes: see `tagged` and `collect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..geometry.frames import FRAMES, Frame
from .base import Questions
from .tagged import Row, Tagged


@dataclass(frozen=True)
class LocateAnything(Tagged):
    """The format `locate_anything`."""

    name: ClassVar[str] = "locate_anything"
    frame: Frame = FRAMES["norm1000"]
    label_tags: ClassVar[tuple[str, ...]] = ("<ref>", "</ref>")
    box_tags: ClassVar[tuple[str, ...]] = ("<box>", "</box>")
    nothing: ClassVar[str] = "<box>none</box>"
    nothing_tagged: ClassVar[bool] = True
    questions: ClassVar[Questions] = Questions(
        "Locate all the instances that matches the following description: {:</c>}.",
        "Locate all the instances that match the following description: {}.",
    )

    def layout(self, rows: Sequence[Row]) -> str:
        """<x1><y1><x2><y2>."""
        return "".join(f"<{v}>" for row in rows for v in row)
