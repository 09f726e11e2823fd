"""What every output format offers: a tolerant reader, a strict check and a writer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes
from ..geometry.frames import Frame, View

Span = tuple[int, int]  # characters of an answer: text[start:end]
MAX_BOXES = 1000  # more boxes than that in one answer are not read: COCO's own largest maxDets


@dataclass(frozen=True)
class ParsedCompletion:
    """What could be read from one completion, and what was wrong with it.

    Attributes:
        boxes: (n, 4) float64 xyxy in the format's own frame; every box is valid (finite, corners in
            order).
        labels: n labels; "" if the answer gave none.
        issues: codes of what breaks the format, each once, in order of appearance; empty for a
            clean answer.
        says_nothing: the answer says that there is nothing to find, in the format's own way or,
            with the issue `empty_answer`, in another.
    """

    boxes: Boxes
    labels: tuple[str, ...]
    issues: tuple[str, ...] = ()
    says_nothing: bool = False


@dataclass(frozen=True)
class Questions:
    """The questions that a model family's authors document for boxes; None if they document none.

    Attributes:
        detect: for all objects of several categories, whose names replace `{}`, joined by commas,
            or `{:JOINT}`, joined by JOINT. See `rows.prompts.fill`.
        locate: for what one name or expression describes, which replaces `{}`.
        json: whether the model may be asked for JSON, as the paper's question does, where its
            authors document none.
    """

    detect: str | None = None
    locate: str | None = None
    json: bool = True


class Format(Protocol):
    """A model family's way to write boxes."""

    @property
    def name(self) -> str: ...

    @property
    def frame(self) -> Frame:
        """What the written numbers mean."""
        ...

    @property
    def questions(self) -> Questions:
        """What such a model is asked; here its authors document nothing."""
        return Questions()

    @property
    def family(self) -> "Format":
        """The format of the answer itself, without what stands around it."""
        return self

    def answer(self, text: str) -> tuple[str, tuple[str, ...]]:
        """The answer in a completion, and what is wrong with what stands around it."""
        return text, ()

    def parse(self, text: str) -> ParsedCompletion:
        """Read all boxes that can be read. Never raises: what is wrong becomes an issue."""
        ...

    def parse_one(self, text: str) -> ParsedCompletion:
        """Read the answer to a question about one thing, in evaluation: like `parse`, but if that
        finds no box, take the one in the prose; see `prose_box`."""
        from .prose_box import with_box_in_prose  # here: it imports this module

        return with_box_in_prose(self.parse(text), text, lambda boxes: boxes)

    def spans(self, text: str) -> list[tuple[Span, ...]]:
        """Where each box that `parse` reads is written: the ranges of its coordinates and label.

        In the order of `parse`; an empty list if the places are unknown. Never raises.
        """
        ...

    def confidences(self, text: str) -> list[float]:
        """The confidence that the model wrote for each box that `parse` reads; NaN without one.

        In the order of `parse`; an empty list if the places are unknown. Never raises.
        """
        ...

    def is_inside(self, boxes: Boxes, view: View) -> NDArray[np.bool_]:
        """(n,) whether (n, 4) xyxy boxes in the format's own frame, as written, may lie inside
        it."""
        return self.frame.is_inside(boxes, view)

    def content_issues(self, parsed: ParsedCompletion, view: View) -> tuple[str, ...]:
        """Issues that need the image: `out_of_image` if a coordinate lies beyond what the frame
        allows."""
        return () if self.is_inside(parsed.boxes, view).all() else ("out_of_image",)

    def served(self) -> "Format":
        """The same format for answers from an inference server, which may have removed reasoning
        and special tokens from the text; here that does not matter."""
        return self

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """The answer that this model family would write for (n, 4) xyxy boxes in the format's own
        frame."""
        ...
