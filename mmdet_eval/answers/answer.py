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
        image: the image that was asked about.
        text: the answer as written.
        truncated: generation stopped before the answer was complete.
        line: line of the prediction file, from 1.
        query: what was asked.
        processed: (width, height) of what the model saw, if the row records it. Otherwise the frame
            computes it.
        tokens: the answer's tokens in order, if the row has log-probabilities.
        reasoning: what a server took for reasoning and returned separately; "" if nothing.
        served: it came from a server, which may strip reasoning and special tokens.
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
        issues: problems with template and content.
        boxes: (n, 4) xyxy in pixels of the original image, clipped to it; a box entirely outside
            has no area.
        categories: n category ids; None if the label matches no category or the box lies outside.
        scores: (n,) confidences.
        by_query: whether the query decides what a box is, whatever its label.
    """

    answer: Answer
    parsed: ParsedCompletion
    view: View
    issues: tuple[str, ...]
    boxes: Boxes
    categories: tuple[Id | None, ...]
    scores: NDArray[np.float64]
    by_query: bool = False

    @property
    def unparsed(self) -> bool:
        """Whether nothing could be read although the answer does not say that there is nothing."""
        return bool(self.issues) and not len(self.boxes) and not self.parsed.says_nothing
