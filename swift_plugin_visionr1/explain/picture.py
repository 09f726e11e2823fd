"""The picture of an explanation: annotated and predicted boxes on the image, one panel per stage.
Needs Pillow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data.ground_truth import GroundTruth
from ..geometry.frames import Size
from .explanation import Explanation, Prediction, StageTerms
from .painter import BoxMark, paint, styled
from .report import number, short
from .sheet import SheetPanel, empty, fitted, make_sheet

LARGEST = (880, 880)  # pixels of a panel's image


def write_picture(path: Path, explanation: Explanation, image: Any) -> None:
    """Write a PNG; `image` is a Pillow image in RGB, None for an empty canvas of its size."""
    panels = [
        stage_panel(
            image, LARGEST, explanation.truth, explanation.predictions, terms.standard.title, terms
        )
        for terms in explanation.stages
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    make_sheet(panels, len(panels), legend=True).save(path, format="PNG")


def stage_panel(
    image: Any,
    largest: Size,
    truth: GroundTruth,
    predictions: Sequence[Prediction],
    title: str,
    terms: StageTerms,
    below: Sequence[str] = (),
) -> SheetPanel:
    """The boxes of a completion as one stage judges them, with the reward's parts over them.

    Args:
        image: a Pillow image in RGB, at any scale; None for an empty canvas.
        largest: (width, height) in pixels that the panel's image fits into.
        truth: the annotations.
        predictions: of the completion.
        title: of the criteria, such as `beginner stage`.
        terms: what they give.
        below: lines of text under it.
    """
    reward = terms.breakdown
    canvas = fitted(empty(truth.size, largest) if image is None else image, largest)
    paint(canvas, truth.size, [*_annotated(truth), *_predicted(predictions, terms)])
    parts = " + ".join(f"{name} {number(value)}" for name, value in reward.paid.items())
    return SheetPanel(canvas, (f"{title}: reward {number(reward.total)}", parts), below)


def _annotated(truth: GroundTruth) -> list[BoxMark]:
    pairs = zip(truth.boxes, truth.labels, strict=True)
    return [
        styled(box, f"{place} {short(label)}", "annotated")
        for place, (box, label) in enumerate(pairs)
    ]


def _predicted(predictions: Sequence[Prediction], terms: StageTerms) -> list[BoxMark]:
    marks = []
    for place, (one, valid) in enumerate(zip(predictions, terms.valid, strict=True)):
        overlap = "" if one.truth is None else f" {one.counted:.2f}"
        text = f"{place} {short(one.label)}{overlap}"
        marks.append(styled(one.pixels, text, kind(one, valid)))
    return marks


def kind(prediction: Prediction, valid: bool) -> str:
    """Which of the painter's STYLES shows the prediction."""
    if prediction.truth is None:
        return "unmatched"
    return "valid" if valid else "matched, below xi0"
