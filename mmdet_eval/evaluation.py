"""One data set evaluated: answers or boxes in, everything that a report shows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.boxes import as_boxes
from swift_plugin_visionr1.coords import QwenResize
from swift_plugin_visionr1.formats import get_format

from .answers.coco_results import Converted, to_coco_results
from .answers.confidence import POLICIES
from .answers.join import Duplicates, Missing, join
from .answers.of_suite import Predictions
from .answers.rows import Row
from .data.annotations import Annotations
from .data.protocols import Protocol
from .data.queries import queries
from .data.suites import DatasetSpec
from .metrics.measure import Engine, measure
from .metrics.refexp import refexp_scores, refexp_truths
from .metrics.scores import Scores

OUTSIDE = "boxes that leave the image are clipped to it, and dropped when nothing is left"
LIMITS = "COCO's own: at most 100 boxes per image and category, the first by score"
FIRST_BOX = "the first box of each answer counts, the others are dropped"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One data set evaluated.

    Attributes:
        name: of the data set.
        annotations: what was evaluated against.
        images: folder of the image files; None where it is not known.
        protocol: how the model was asked; None where it is not known.
        converted: COCO results, the answers they were read from (none where boxes were given), counts, warnings.
        scores: the numbers.
        conditions: what else decides the numbers, JSON-ready: format, frame, confidence, policies, arguments.
    """

    name: str
    annotations: Annotations
    images: Path | None
    protocol: Protocol | None
    converted: Converted
    scores: Scores
    conditions: dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What decides the numbers beside the data and the answers.

    Attributes:
        protocol: how the model was asked; None where it is not known.
        format: a name of `swift_plugin_visionr1.formats.FORMATS`.
        resize: the frame of answers that do not record theirs.
        score: a key of `confidence.POLICIES`.
        synonyms: label -> category name.
        engine: of `measure`.
        orders: of images, tried for the range of mAP.
        missing: whether queries without an answer are an error.
        duplicates: whether a second answer to a query is an error, or which one counts.
    """

    protocol: Protocol | None = None
    format: str = "qwen2_5_vl"
    resize: QwenResize = QwenResize()
    score: str = "const"
    synonyms: Mapping[str, str] = field(default_factory=dict)
    engine: Engine = "mmdet"
    orders: int = 20
    missing: Missing = "error"
    duplicates: Duplicates = "error"


def evaluate_dataset(
    spec: DatasetSpec, annotations: Annotations, predictions: Predictions, options: Options, images: Path | None
) -> Evaluation:
    """Evaluate the predictions about one data set.

    Args:
        spec: the data set; its captions decide the queries.
        annotations: of `spec`.
        predictions: rows of text, or boxes that come with their categories and scores.
        options: of the synonyms, those for categories of this data set are used.
        images: folder of the images for the pictures; None for none.

    Raises:
        InputError: a row belongs nowhere, an answer is missing or there twice, or `options` ask for more than there is.
    """
    if isinstance(predictions, Converted):
        scores = measure(annotations, predictions.results, options.engine, orders=options.orders)
        conditions = {"confidence": "the scores of the prediction file", "limits": LIMITS}
        return Evaluation(spec.name, annotations, images, options.protocol, predictions, scores, conditions)
    names = set(annotations.categories.values())
    fitting = {label: name for label, name in options.synonyms.items() if name in names}
    return _evaluate_answers(spec, annotations, predictions, replace(options, synonyms=fitting), images)


def _evaluate_answers(
    spec: DatasetSpec, annotations: Annotations, rows: Sequence[Row], options: Options, images: Path | None
) -> Evaluation:
    protocol = options.protocol
    asked = queries(protocol, annotations, spec.captions) if protocol else None
    joined = join(rows, annotations.images, asked, options.missing, options.duplicates)
    converted = to_coco_results(
        joined.answers, get_format(options.format), options.resize, annotations.categories, joined.images,
        options.score, labels=protocol.labels if protocol else "answer", synonyms=options.synonyms,
        queries=joined.queries, duplicates=joined.duplicates,
    )  # fmt: skip
    refers = protocol is not None and protocol.queries == "expression"
    if refers:
        converted = replace(converted, results=_first_of_each_image(converted))
    scores = measure(annotations, converted.results, options.engine, orders=options.orders)
    if refers:
        scores = replace(scores, metrics={"accuracy@.5": _accuracy(annotations, converted), **scores.metrics})
    conditions = {
        "format": options.format, "frame": _frame(options.resize, converted), "confidence": POLICIES[options.score],
        "labels": converted.label_policy, "outside": OUTSIDE, "limits": FIRST_BOX if refers else LIMITS,
    }  # fmt: skip
    return Evaluation(spec.name, annotations, images, protocol, converted, scores, conditions)


def _frame(resize: QwenResize, converted: Converted) -> str:
    limit = "no max_pixels" if resize.max_pixels is None else f"max_pixels {resize.max_pixels}"
    recorded = sum(read.answer.processed is not None for read in converted.answers)
    return (
        f"images processed with {limit}, {resize.min_tokens} to {resize.max_tokens} visual tokens of {resize.factor} x "
        f"{resize.factor} pixels" + (f"; {recorded} answers record another size themselves" if recorded else "")
    )


def _first_of_each_image(converted: Converted) -> list[dict[str, Any]]:
    return list({result["image_id"]: result for result in reversed(converted.results)}.values())[::-1]


def _accuracy(annotations: Annotations, converted: Converted) -> float | None:
    read = {one.answer.image.id: one.boxes for one in converted.answers}
    nothing = as_boxes([])
    boxes = [read.get(image.id, nothing) for image in annotations.images]
    return refexp_scores(boxes, refexp_truths(annotations)).accuracy
