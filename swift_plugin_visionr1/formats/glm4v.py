"""GLM-4.1V's, GLM-4.5V's and GLM-4.6V's special tokens: <|begin_of_box|>[[x1,y1,x2,y2],
...]<|end_of_box|>.

Coordinates are integers from 0 to 1000 of the whole image; the style of the brackets varies ([],
[[]], (), <>), and lists carry no labels (zai-org/GLM-V, README and issue 118). Asked for JSON it
writes objects with "bbox_2d" and "label" between the tokens, which is what is written here where
there are labels. The tokens mark the answer in a sentence, so text around them is not an issue. The
empty answer is <|begin_of_box|>[]<|end_of_box|>. Question: the same README, for one description; a
question may name the output's format, such as JSON. Issue codes: see `tagged` and `collect`, and
`json_boxes` for JSON.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..geometry.boxes import Boxes
from ..geometry.frames import FRAMES, Frame
from .base import Questions, Span
from .collector import Collector
from .json_boxes import JsonBoxes
from .json_layout import JsonLayout
from .qwen2_5_vl import OTHER_KEYS
from .tagged import Piece, TaggedLists, skeleton

_BRACKETS = str.maketrans("(<>)", "[[]]")


@dataclass(frozen=True)
class GLM4V(TaggedLists):
    """The format `glm4v`.

    Attributes:
        tags_taken: a server may have taken the tags out of the text, as special tokens.
    """

    name: ClassVar[str] = "glm4v"
    frame: Frame = FRAMES["norm1000"]
    tags_taken: bool = False
    box_tags: ClassVar[tuple[str, ...]] = ("<|begin_of_box|>", "<|end_of_box|>")
    nothing: ClassVar[str] = "<|begin_of_box|>[]<|end_of_box|>"
    nothing_tagged: ClassVar[bool] = True
    prose: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    questions: ClassVar[Questions] = Questions(
        locate="Help me to locate {} in the image and give me its bounding boxes."
    )

    def served(self) -> "GLM4V":
        """See `Format.served`."""
        return replace(self, tags_taken=True)

    def region(self, collector: Collector, text: str, piece: Piece, label: Span | None) -> bool:
        """See `Tagged.region`; objects, and what is in a fence, are read as JSON."""
        inside = text[piece.start : piece.end]
        if "{" in inside or "```" in inside:
            return self._read_json(collector, text, piece.start, piece.end)
        return super().region(collector, text, piece, label)

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """Objects between the tokens, or bare lists where no box has a label."""
        rows = [[int(v) for v in np.rint(box)] for box in boxes]
        objects = [
            {"label": label, "bbox_2d": row} for label, row in zip(labels, rows, strict=True)
        ]
        return json.dumps(objects if any(labels) else rows, ensure_ascii=False).join(self.box_tags)

    def _pieces(self, text: str) -> Iterator[Piece]:
        start = len(text) - len(text.lstrip())
        if self.tags_taken and self.box_tags[0] not in text and text[start : start + 1] in "[{`":
            return iter([Piece("box", start, len(text.rstrip()), closed=True)])
        return super()._pieces(text)

    def _collect_bare(self, collector: Collector, text: str) -> None:
        if "bbox_2d" in text:
            collector.issue("no_tags")
            self._read_json(collector, text, 0, len(text))
        else:
            super()._collect_bare(collector, text)

    def _is_laid_out(self, region: str, boxes: int) -> bool:
        if len(region) > 200 * (boxes + 1):
            return False
        written, lists = (
            skeleton(region).translate(_BRACKETS),
            "[" + ",".join(["[0,0,0,0]"] * boxes) + "]",
        )
        return written in (lists, lists[1:-1]) or (boxes == 1 and written == "0,0,0,0")

    def _read_json(self, collector: Collector, text: str, start: int, end: int) -> bool:
        inner = JsonBoxes(self.name, self.frame, JsonLayout(), OTHER_KEYS)
        parsed = inner.parse(text[start:end])
        places = inner.spans(text[start:end]) if collector.placed else [()] * len(parsed.boxes)
        for issue in parsed.issues:
            collector.issue(issue)
        if parsed.says_nothing:
            collector.nothing(as_documented=True)
        for box, label, spans in zip(parsed.boxes.tolist(), parsed.labels, places, strict=False):
            if not collector.add(
                box, [(start + begin, start + stop) for begin, stop in spans], label
            ):
                return False
        return True
