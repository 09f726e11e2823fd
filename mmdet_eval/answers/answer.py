"""One answer of the model, before and after it is read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.formats import ParsedCompletion
from swift_plugin_visionr1.geometry.boxes import Boxes
from swift_plugin_visionr1.geometry.frames import Size, View

from ..coco.annotations import Id, Image
from ..suites.queries import Query


@dataclass(frozen=True)
class Token:
    """A generated token: its text and the natural logarithm of its probability."""

    text: str
    logprob: float


@dataclass(frozen=True)
class Answer:
    """One answer of the model.

    Attributes:
        image: the image it is about.
        text: the answer as written.
        truncated: generation ended before the answer did.
        line: line of the prediction file, from 1.
        query: what was asked.
        processed: (width, height) of what the model saw, where the row records it; else the frame
            computes it.
        tokens: the answer's tokens in order, where the row has log-probabilities.
        reasoning: what a server took for reasoning and handed on apart; "" where it is nothing.
        served: a server handed it on, which may take reasoning and special tokens out.
    """

    image: Image
    text: str
    truncated: bool
    line: int
    query: Query = Query(None)
    processed: Size | None = None
    tokens: tuple[Token, ...] | None = None
    reasoning: str = ""
    served: bool = False


@dataclass(frozen=True, eq=False)
class ReadAnswer:
    """An answer and what was read from it; the arrays are parallel.

    Attributes:
        answer: as written.
        parsed: boxes in the format's own frame, labels, issues of the template.
        view: what the model saw of the image.
        issues: of template and content.
        boxes: (n, 4) xyxy in pixels of the original image, clipped to it; a box with nothing left
            has no area.
        categories: n category ids; None where the label names none or nothing is left of the box.
        scores: (n,) confidences.
    """

    answer: Answer
    parsed: ParsedCompletion
    view: View
    issues: tuple[str, ...]
    boxes: Boxes
    categories: tuple[Id | None, ...]
    scores: NDArray[np.float64]

    @property
    def unparsed(self) -> bool:
        """Whether nothing could be read, and the answer does not say that there is nothing."""
        return bool(self.issues) and not len(self.boxes) and not self.parsed.says_nothing
