"""What stands around the answer: reasoning before it, tags about it, the end token after it.

Issue codes
    too_long         only the first MAX_CHARACTERS are read
    text_around      there is reasoning or there are answer tags where the model is to write the bare answer
    no_reasoning     the reasoning, or the tags about the answer, that the model is to write are not there
    tool_call        the answer calls a tool; its arguments are not read as boxes
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..boxes import Boxes
from ..coords import Frame, View
from .base import Format, ParsedCompletion, Span

Reasoning = Literal["none", "think", "think_answer"]


@dataclass(frozen=True)
class Reasoned(Format):
    """A format with what its model writes around the answer.

    Attributes:
        inner: the format of the answer itself.
        reasoning: `none` is the bare answer; `think` is <think>...</think> and then the answer; `think_answer` is
            <think>...</think><answer>...</answer> (VLM-R1). The reader is tolerant: boxes are read from the answer
            wherever it stands, and never from the reasoning.
    """

    inner: Format
    reasoning: Reasoning = "none"

    @property
    def name(self) -> str:
        """Of the inner format."""
        return self.inner.name

    @property
    def frame(self) -> Frame:
        """Of the inner format."""
        return self.inner.frame

    def parse(self, text: str) -> ParsedCompletion:
        """See `Format.parse`."""
        return self.inner.parse(text)

    def spans(self, text: str) -> list[tuple[Span, ...]]:
        """See `Format.spans`; in characters of the whole text."""
        return self.inner.spans(text)

    def confidences(self, text: str) -> list[float]:
        """See `Format.confidences`."""
        return self.inner.confidences(text)

    def content_issues(self, parsed: ParsedCompletion, view: View) -> tuple[str, ...]:
        """See `Format.content_issues`."""
        return self.inner.content_issues(parsed, view)

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """The answer, with empty reasoning about it where the model is to write some."""
        return self.inner.write(boxes, labels)
