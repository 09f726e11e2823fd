"""Confidence policies: a VLM's text carries no scores, yet AP ranks by them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import Format, Span
from swift_plugin_visionr1.geometry.boxes import Boxes

from .answer import Answer
from .tokens import locate

_TIES = "boxes that tie rank by ascending image id, then in the order of the answer"
_NONE = "boxes without one score 0"
POLICIES = {
    "const": f"const: every score is 1.0, so the order of the boxes decides AP; {_TIES}",
    "area": f"area: the share of the image that a box covers, larger first; {_TIES}",
    "logprob": "logprob: geometric mean of the probabilities of the tokens that write a box's "
    "coordinates and label; "
    f"{_NONE}; {_TIES}",
    "text": 'text: the "confidence" (else "score") that the model wrote in the box\'s object; '
    f"{_NONE}; {_TIES}",
}


@dataclass(frozen=True, eq=False)
class Confidences:
    """The scores of an answer's boxes.

    Attributes:
        scores: (n,) in [0, 1]; NaN for a box without one.
        whole_answer: number of boxes scored by all tokens of the answer, because their own could
            not be identified.
    """

    scores: NDArray[np.float64]
    whole_answer: int = 0


def confidences(policy: str, answer: Answer, format: Format, boxes: Boxes) -> Confidences:
    """Scores of the boxes that `format` reads from `answer`.

    Args:
        policy: a key of `POLICIES`.
        boxes: (n, 4) xyxy in pixels of the original image, clipped to it.

    Raises:
        InputError: the policy needs log-probabilities and the answer has none.
    """
    if policy == "area":
        width, height = answer.image.size
        return Confidences(
            (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / (width * height)
        )
    if policy == "logprob" and len(boxes):
        return _by_tokens(answer, format.spans(answer.text), len(boxes))
    if policy == "text" and len(boxes):
        return Confidences(_in_range(np.array(format.confidences(answer.text)), len(boxes)))
    return Confidences(np.ones(len(boxes)))


def check_any(policy: str, without: int, boxes: int) -> None:
    """Raise InputError if the policy found no score for any of the file's boxes."""
    if boxes and without == boxes:
        raise InputError(
            f"expected boxes with a confidence for --score {policy}, got {boxes} boxes without "
            'one: use --score const or area, or ask the model for a "confidence" between 0 and 1 '
            "in each object, or infer with `swift infer --logprobs true` for --score logprob"
        )


def _by_tokens(answer: Answer, spans: Sequence[tuple[Span, ...]], boxes: int) -> Confidences:
    if answer.tokens is None:
        raise InputError(
            f"line {answer.line}: expected log-probabilities for --score logprob, got none: "
            "infer with `swift infer --logprobs true`"
        )
    logprobs = np.array([token.logprob for token in answer.tokens])
    places = locate(answer.tokens, answer.text)
    if places is None or len(spans) != boxes:
        mean = logprobs.mean() if len(logprobs) else float("nan")
        return Confidences(_in_range(np.full(boxes, np.exp(mean)), boxes), whole_answer=boxes)
    start, end = np.array(places).reshape(-1, 2).T
    # An empty token holds the first bytes of the character at its position.
    written = [
        logprobs[
            np.any([(start < b) & (np.maximum(end, start + 1) > a) for a, b in ranges], axis=0)
        ]
        for ranges in spans
    ]
    return Confidences(
        _in_range(np.array([np.exp(w.mean()) if len(w) else np.nan for w in written]), boxes)
    )


def _in_range(scores: NDArray[np.float64], boxes: int) -> NDArray[np.float64]:
    """(boxes,) scores; NaN for those outside [0, 1], and for all if their number is not `boxes`."""
    if len(scores) != boxes:
        return np.full(boxes, np.nan)
    return np.where((scores >= 0) & (scores <= 1), scores, np.nan)
