"""One completion against one annotation, with every term of its reward."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.ground_truth import GroundTruth
from ..formats import Span
from ..geometry.boxes import LIMIT, Boxes
from ..geometry.frames import View
from ..models.model_io import ModelIO
from ..reward.equations import RewardBreakdown
from ..reward.matching import labels_differ
from ..reward.released_code import _clamp, _extract, written_boxes
from ..reward.schedule import Standard, differentiate
from ..reward.scorer import Scorer
from ..reward.settings import Settings


@dataclass(frozen=True, eq=False)
class Prediction:
    """A box that was read from the completion.

    Attributes:
        numbers: as they stand in the completion, in its order; () where only boxes are known.
        written: x1, y1, x2, y2 in the format's own frame; () where only boxes are known.
        pixels: the same in pixels of the original image.
        label: "" if the box has none.
        truth: index of the matched ground-truth box; None if the box is unmatched.
        overlap: IoU with that box, GIoU under the official rules; 0 if the box is unmatched.
        counted: the overlap that the rules use: 0 if they do not accept the label.
    """

    numbers: tuple[str, ...]
    written: tuple[float, ...]
    pixels: tuple[float, ...]
    label: str
    truth: int | None = None
    overlap: float = 0.0
    counted: float = 0.0


@dataclass(frozen=True, eq=False)
class StageTerms:
    """What one stage makes of the predictions.

    Attributes:
        standard: the criteria in force; without differentiation f is the identity.
        breakdown: the reward as training computes it.
        valid: per prediction, whether it is matched at IoU >= xi0 (GIoU > xi0 under the official
            rules).
        f: per prediction f of its overlap (Eq. 8); 0 if it is unmatched.
    """

    standard: Standard
    breakdown: RewardBreakdown
    valid: tuple[bool, ...]
    f: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A completion, its annotation, and each stage's reward term by term.

    Attributes:
        unread: number of boxes that the rules leave out because the format is broken
            (`salvage: false`).
        says_nothing: the completion says that there is nothing to find.
        stages: terms under each of the criteria, in the order asked for.
    """

    settings: Settings
    io: ModelIO
    truth: GroundTruth
    view: View
    predictions: tuple[Prediction, ...]
    unread: int
    says_nothing: bool
    stages: tuple[StageTerms, ...]

    @property
    def missed(self) -> tuple[int, ...]:
        """Indices of the ground-truth boxes without a matched prediction."""
        matched = {prediction.truth for prediction in self.predictions}
        return tuple(i for i in range(len(self.truth.boxes)) if i not in matched)

    @property
    def breakdown(self) -> RewardBreakdown:
        """The first stage's; format, issues and matching are the same for all stages."""
        return self.stages[0].breakdown


def explain(
    text: str, truth: GroundTruth, scorer: Scorer, stages: Sequence[str | Standard]
) -> Explanation:
    """The reward of one completion, as training computes it, with all its terms.

    Args:
        text: the completion.
        truth: its annotation.
        scorer: the rules, and how the model sees and writes.
        stages: names of stages, or the criteria themselves.

    Raises:
        ValueError: no processor of the model's family accepts an image of this size.
    """
    settings, io = scorer.settings, scorer.io
    view, parsed = io.resize.view(truth.size), io.format.parse(text)
    standards = [scorer.schedule.named(one) if isinstance(one, str) else one for one in stages]
    (judge,) = scorer.judges([text], [truth])
    breakdowns = [judge(standard.criteria) for standard in standards]
    first = breakdowns[0]
    if settings.rules == "official":
        written = np.clip(written_boxes(_extract(text)), -LIMIT, LIMIT)
    else:
        written = parsed.boxes[: first.predicted]
    places = io.format.spans(text) if settings.rules != "official" else []
    numbers = zip(_numbers(text, places, written), map(_floats, written), strict=False)
    predictions = predictions_of(first, truth, settings, list(numbers))
    terms = tuple(
        terms_of(predictions, *each, settings) for each in zip(standards, breakdowns, strict=True)
    )
    unread = len(parsed.boxes) - first.predicted if settings.rules != "official" else 0
    return Explanation(settings, io, truth, view, predictions, unread, parsed.says_nothing, terms)


def predictions_of(
    breakdown: RewardBreakdown,
    truth: GroundTruth,
    settings: Settings,
    numbers: Sequence[tuple[tuple[str, ...], tuple[float, ...]]] | None = None,
) -> tuple[Prediction, ...]:
    """The boxes of a completion that was scored, each with what it was matched to.

    Args:
        breakdown: of the completion.
        truth: its annotation.
        settings: the rules that it was scored by.
        numbers: `numbers` and `written` of each prediction, if the text is available.
    """
    labels = breakdown.labels
    pairs = zip(
        breakdown.match.predictions, breakdown.match.truths, breakdown.match.ious, strict=True
    )
    matched = {int(index): (int(other), float(overlap)) for index, other, overlap in pairs}
    refuse = settings.wrong_label == "unmatched" and len(labels) and len(truth.labels)
    wrong = labels_differ(labels, truth.labels) if refuse else None
    predictions = []
    for i, label in enumerate(labels):
        place: tuple[int | None, float] = matched.get(i, (None, 0.0))
        refused = wrong is not None and place[0] is not None and bool(wrong[i, place[0]])
        box = *(numbers[i] if numbers else ((), ())), _floats(breakdown.boxes_xyxy[i])
        predictions.append(Prediction(*box, label, *place, 0.0 if refused else place[1]))
    return tuple(predictions)


def _numbers(text: str, places: Sequence[Sequence[Span]], written: Boxes) -> list[tuple[str, ...]]:
    """Each box as written in the text; as it was read if its place there is unknown."""
    if len(places) < len(written):
        return [tuple(f"{v:g}" for v in box) for box in written]
    # Four numbers, or two as Kosmos-2's; the place of the label comes after them.
    numbers = [sorted(spans[: 4 if len(spans) > 3 else 2]) for spans in places]
    return [tuple(text[start:end] for start, end in spans) for spans in numbers]


def _floats(box: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in box)


def terms_of(
    predictions: Sequence[Prediction],
    standard: Standard,
    breakdown: RewardBreakdown,
    settings: Settings,
) -> StageTerms:
    """What a stage's criteria make of the predictions."""
    criteria = standard.criteria
    counted = np.array([prediction.counted for prediction in predictions])
    matched = np.array([prediction.truth is not None for prediction in predictions], dtype=bool)
    if settings.rules == "official":
        valid = counted > criteria.xi0
        f = _clamp(counted.astype(np.float32), criteria.xi1, criteria.xi2)
    else:
        valid, f = counted >= criteria.xi0, differentiate(counted, criteria)
    return StageTerms(
        standard,
        breakdown,
        tuple((valid & matched).tolist()),
        tuple(np.where(matched, f, 0.0).tolist()),
    )
