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

TIES = "boxes that tie rank by ascending image id, then in the order of the answer"
_NONE = "boxes without one score 0"
POLICIES = {
    "const": f"const: every score is 1.0, so the order of the boxes decides AP; {TIES}",
    "area": f"area: the share of the image that a box covers, larger first; {TIES}",
    "logprob": "logprob: geometric mean of the probabilities of the tokens that write a box's "
    "coordinates and label; "
    f"{_NONE}; {TIES}",
    "griffon": "griffon: sqrt(p_loc * p_cls), as Griffon's evaluator: the products of the "
    "probabilities of the tokens that write a box's coordinates and its label; "
    f"{_NONE}; {TIES}",
    "text": 'text: the "confidence" (else "score") that the model wrote in the box\'s object; '
    f"{_NONE}; {TIES}",
    "rank": "rank: by the order in which the image's answers list the boxes, evenly from 1 down to "
    f".1, as in DetPO's evaluation; {TIES}",
    "verify": 'verify: P(yes) when the model is shown each box, cut out, and asked "Is this a '
    f'LABEL?"; {_NONE}; {TIES}',
    "verify-drawn": "verify-drawn: P(yes) when the model is shown the image with each box drawn, "
    f'and asked "Is the object in the red box a LABEL?"; {_NONE}; {TIES}',
}

FROM_TOKENS = ("logprob", "griffon")  # need log-probabilities
VERIFIED = ("verify", "verify-drawn")  # need the model once more


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
    if policy in FROM_TOKENS and len(boxes):
        return _by_tokens(policy, answer, format, len(boxes))
    if policy == "text" and len(boxes):
        return Confidences(in_range(np.array(format.confidences(answer.text)), len(boxes)))
    return Confidences(np.ones(len(boxes)))


def check_any(policy: str, without: int, boxes: int) -> None:
    """Raise InputError if the policy found no score for any of the file's boxes."""
    if boxes and without == boxes:
        raise InputError(
            f"expected boxes with a confidence for --score {policy}, got {boxes} boxes without "
            f"one: {_advice(policy)}"
        )


def _advice(policy: str) -> str:
    if policy in VERIFIED:
        return (
            "the model says neither yes nor no when it is asked about a box; use another --score, "
            "or train it on such questions"
        )
    return (
        'use --score const or area, or ask the model for a "confidence" between 0 and 1 in each '
        "object, or infer with `swift infer --logprobs true` for --score logprob"
    )


def _by_tokens(policy: str, answer: Answer, format: Format, boxes: int) -> Confidences:
    if answer.tokens is None:
        raise InputError(
            f"line {answer.line}: expected log-probabilities for --score {policy}, got none: "
            "infer with `swift infer --logprobs true`"
        )
    logprobs = np.array([token.logprob for token in answer.tokens])
    places, spans = locate(answer.tokens, answer.text), format.spans(answer.text)
    if places is None or len(spans) != boxes:
        mean = logprobs.mean() if len(logprobs) else float("nan")
        return Confidences(in_range(np.full(boxes, np.exp(mean)), boxes), whole_answer=boxes)
    start, end = np.array(places).reshape(-1, 2).T

    def written(ranges: Sequence[Span]) -> NDArray[np.float64]:
        """The log-probabilities of the tokens in these ranges."""
        # An empty token holds the first bytes of the character at its position.
        on = [(start < b) & (np.maximum(end, start + 1) > a) for a, b in ranges]
        return logprobs[np.any(on, axis=0)] if on else logprobs[:0]

    if policy == "griffon":
        labels = format.parse(answer.text).labels
        parts = (_parts(*one, answer.text) for one in zip(spans, labels, strict=True))
        scores = [_location_and_class(written(loc), written(cls)) for loc, cls in parts]
    else:
        scores = [_geometric_mean(written(ranges)) for ranges in spans]
    return Confidences(in_range(np.array(scores), boxes))


def _geometric_mean(logprobs: NDArray[np.float64]) -> float:
    return float(np.exp(logprobs.mean())) if len(logprobs) else float("nan")


def _location_and_class(location: NDArray[np.float64], label: NDArray[np.float64]) -> float:
    """sqrt(p_loc * p_cls), each the product of its tokens' probabilities; p_cls is 1 without a
    label (Griffon's evaluator)."""
    if not len(location):
        return float("nan")
    return float(np.exp((location.sum() + label.sum()) / 2))


def _parts(
    ranges: tuple[Span, ...], label: str, text: str
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The ranges of a box's coordinates, and that of its label, which reads like the label."""
    named = [one for one in ranges if text[slice(*one)].strip() == label.strip()][-1:]
    return tuple(one for one in ranges if one not in named), tuple(named)


def in_range(scores: NDArray[np.float64], boxes: int) -> NDArray[np.float64]:
    """(boxes,) scores; NaN for those outside [0, 1], and for all if their number is not `boxes`."""
    if len(scores) != boxes:
        return np.full(boxes, np.nan)
    return np.where((scores >= 0) & (scores <= 1), scores, np.nan)
