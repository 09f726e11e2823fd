"""Evaluates one data set: answers or boxes in, everything that a report shows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import Format
from swift_plugin_visionr1.geometry.boxes import Boxes, as_boxes
from swift_plugin_visionr1.models.model_io import ModelIO, model_io
from swift_plugin_visionr1.reward.settings import Settings

from .answers.coco_results import Converted, to_coco_results
from .answers.given_boxes import given_box_warnings
from .answers.given_numbers import number_warnings
from .answers.join import Duplicates, Missing, join
from .answers.numbers import read_numbers
from .answers.query_table import some
from .answers.recorded_protocol import check_recorded
from .answers.rows import AnswerRow
from .answers.scorers import BoxScorer, describe_score
from .answers.suite_predictions import Predictions
from .asking.speed import Speed
from .coco.annotations import Annotations
from .coco.detections import Detections, to_detections
from .coco.soundness import truth_warnings
from .metrics.counting import MAE, RMSE, Counting
from .metrics.engines import limits_at
from .metrics.grec import threshold_warning
from .metrics.matching import LIMIT
from .metrics.measure import Engine, measure
from .metrics.named import with_named
from .metrics.refexp import refexp_scores, refexp_truths
from .metrics.scores import ACCURACY, EXACT_COUNT, Metrics, Scores
from .suites.protocols import Protocol
from .suites.queries import queries
from .suites.spec import DatasetSpec
from .text_scores import (
    count_as_published,
    count_boxes,
    count_numbers,
    sampled_adherence,
    with_text,
)

OUTSIDE = "boxes that leave the image are clipped to it, and dropped when nothing is left"
MOST = "at most {} boxes per image and category, the first by score"
LVIS_LIMIT = (
    "LVIS's own: at most 300 boxes per image, the first by score; boxes count where their category "
    "is annotated or known to be absent"
)
FIRST_BOX = "the first box of each answer counts, the others are dropped"
BEST_BOX = (
    "the box of each image that scores best counts, of equal ones the first; the others are dropped"
)
ALL_EMPTY = "all images count as having no detections"
NUMBER = "the number in the answer"
BOXES = "the boxes of the answer"
GIVEN_SCORES = "the scores of the prediction file"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One data set evaluated.

    Attributes:
        name: of the data set.
        annotations: what was evaluated against.
        images: folder of the image files; None if not known.
        protocol: how the model was asked; None where it is not known.
        converted: COCO results, the answers they were read from (empty for a file of boxes),
            counts, warnings.
        scores: the numbers.
        format: how the answers are written; None for a file of boxes.
        conditions: what else affects the numbers, JSON-ready: format, frame, confidence, policies,
            arguments.
        shows_outside: whether reports may show images that lie outside `images`.
        domain: that the suite puts the set into; "" if it has no domains.
        counting: how well the answers count; None for a file of boxes and without answers.
        speed: how fast the model answered; None for answers from a file.
    """

    name: str
    annotations: Annotations
    images: Path | None
    protocol: Protocol | None
    converted: Converted
    scores: Scores
    format: Format | None
    conditions: dict[str, Any]
    shows_outside: bool = False
    domain: str = ""
    counting: Counting | None = None
    speed: Speed | None = None

    def numbers(self) -> Metrics:
        """All numbers by their names: those that tables show, those beside them, of counting."""
        counts: Metrics = {}
        if self.counting:
            counts = {EXACT_COUNT: self.counting.exact}
            counts |= {MAE: self.counting.mae, RMSE: self.counting.rmse}
        return counts | self.scores.beside | self.scores.metrics


@dataclass(frozen=True, eq=False)
class _MeasuredDataset:
    """What is measured of one data set; the attributes are `Evaluation`'s."""

    converted: Converted
    scores: Scores
    conditions: dict[str, Any]
    counting: Counting | None = None


@dataclass(frozen=True)
class Options:
    """What affects the numbers apart from the data and the answers.

    Attributes:
        protocol: how the model was asked; None where it is not known.
        io: how the answers are written, and how processed sizes are computed if not recorded.
        score: a key of `confidence.POLICIES`, or "module:function" of one's own scorer.
        scorer: what computes `score` if that takes all answers at once, see `find_scorer`.
        synonyms: label -> category name.
        engine: engine of `measure`.
        orders: number of image orders tried for the range of mAP.
        max_dets: boxes of an image and category that AP and AR see.
        missing: whether queries without an answer are an error.
        duplicates: whether a second answer to a query is an error, or which one counts.
        show_outside: whether reports show images outside the image folder; affects no number.

    Raises:
        InputError: `max_dets` is not above 10.
    """

    protocol: Protocol | None = None
    io: ModelIO = field(default_factory=lambda: model_io(Settings()))
    score: str = "const"
    scorer: BoxScorer | None = None
    synonyms: Mapping[str, str] = field(default_factory=dict)
    engine: Engine = "mmdet"
    orders: int = 20
    missing: Missing = "error"
    duplicates: Duplicates = "error"
    show_outside: bool = False
    max_dets: int = LIMIT

    def __post_init__(self) -> None:
        limits_at(self.max_dets)

    def measure(self, annotations: Annotations, detections: Detections) -> Scores:
        """`measure` with these options."""
        return measure(
            annotations, detections, self.engine, orders=self.orders, max_dets=self.max_dets
        )

    def limits(self, annotations: Annotations, one_box: str) -> str:
        """Which boxes count, in words.

        Args:
            one_box: what holds if the protocol asks for referring expressions.
        """
        if annotations.federated:
            return LVIS_LIMIT
        if _refers(self.protocol):
            return one_box
        whose = "COCO's own: " if self.max_dets == LIMIT else ""
        return whose + MOST.format(self.max_dets)


def evaluate_dataset(
    spec: DatasetSpec,
    annotations: Annotations,
    predictions: Predictions,
    options: Options,
    images: Path | None,
) -> Evaluation:
    """Evaluate the predictions about one data set.

    Args:
        spec: the data set; its captions decide the queries.
        annotations: the annotations of `spec`.
        predictions: rows of text, or boxes that come with their categories and scores.
        options: only the synonyms for categories of this data set are used.
        images: folder of the images for the pictures; None for no pictures.

    Raises:
        InputError: a row belongs to no image, an answer is missing or duplicate, or `options` ask
            for something that the predictions lack.
    """
    if isinstance(predictions, Converted):
        measured = _measure_boxes(spec, annotations, predictions, options)
    else:
        names = set(annotations.categories.values())
        fitting = {label: name for label, name in options.synonyms.items() if name in names}
        options = replace(options, synonyms=fitting)
        converted = convert_answers(spec, annotations, predictions, options, images)
        measured = _measure_answers(spec, annotations, converted, options)
    return Evaluation(
        spec.name,
        annotations,
        images,
        options.protocol,
        measured.converted,
        measured.scores,
        None if isinstance(predictions, Converted) else options.io.format,
        measured.conditions,
        options.show_outside,
        spec.domain,
        measured.counting,
    )


def _measure_boxes(
    spec: DatasetSpec, annotations: Annotations, given: Converted, options: Options
) -> _MeasuredDataset:
    _refuse_options_of_text(spec, options)
    given = replace(given, warnings=_warnings_of_boxes(annotations, given))
    refers = _refers(options.protocol)
    if refers:
        given = replace(given, detections=_best_of_each_image(given.detections))
    scores = options.measure(annotations, given.detections)
    named = _named(spec, options.protocol)
    if "grec" in named:
        given = replace(given, warnings=given.warnings + threshold_warning(given.detections))
    scores = with_named(scores, named, annotations, given.detections)
    if refers:
        boxes_xyxy = given.detections.boxes_xyxy
        boxes = [boxes_xyxy[places] for places in given.detections.by_image]
        scores = _with_accuracy(scores, annotations, boxes)
    conditions = {
        "confidence": GIVEN_SCORES,
        "labels": given.label_policy,
        "limits": options.limits(annotations, BEST_BOX),
    }
    return _MeasuredDataset(given, scores, conditions)


def _warnings_of_boxes(annotations: Annotations, given: Converted) -> tuple[str, ...]:
    nothing = () if len(given.detections) else (f"there are no boxes: {ALL_EMPTY}",)
    return (
        *given.warnings,
        *truth_warnings(annotations),
        *nothing,
        *number_warnings(given.detections),
        *given_box_warnings(annotations, given.detections),
    )


def _refuse_options_of_text(spec: DatasetSpec, options: Options) -> None:
    if options.score != "const" or options.synonyms:
        what = "--synonyms" if options.score == "const" else f"--score {options.score}"
        raise InputError(
            f"expected text answers of {spec.name} for {what}, got boxes with scores and "
            "categories: leave it out, or evaluate the text answers"
        )


def _measure_answers(
    spec: DatasetSpec, annotations: Annotations, converted: Converted, options: Options
) -> _MeasuredDataset:
    protocol = options.protocol
    if annotations.counts or (protocol and protocol.answer == "number"):
        return _measure_counts(spec, annotations, converted, options)
    refers = _refers(protocol)
    if refers:
        converted = replace(converted, detections=_first_of_each_image(converted.detections))
    scores = options.measure(annotations, converted.detections)
    counting, sampled = count_boxes(annotations, converted)
    scores = with_text(scores, annotations, converted)
    scores = replace(scores, sampled={**scores.sampled, **sampled})
    scores = with_named(scores, _named(spec, protocol), annotations, converted.detections)
    if refers:
        answered = {one.answer.image.id: one.boxes for one in converted.answers}
        boxes = [answered.get(image, as_boxes([])) for image in annotations.image_ids]
        scores = _with_accuracy(scores, annotations, boxes)
    conditions = {
        "format": options.io.format.name,
        "frame": _frame(options.io, converted),
        "confidence": describe_score(options.score),
        "labels": converted.label_policy,
        "outside": OUTSIDE,
        "limits": options.limits(annotations, FIRST_BOX),
    }
    return _MeasuredDataset(converted, scores, conditions, counting)


def _measure_counts(
    spec: DatasetSpec, annotations: Annotations, converted: Converted, options: Options
) -> _MeasuredDataset:
    """Only how many there are: either nothing else is annotated, or nothing else was asked."""
    by_number = options.protocol is not None and options.protocol.answer == "number"
    count = count_numbers if by_number else count_boxes
    counted, sampled = count(annotations, converted)
    nothing = to_detections(annotations, [])
    scores = options.measure(annotations, nothing)
    exact = {EXACT_COUNT: counted.exact if counted else None}
    beside = count_as_published(spec.form, annotations, converted) if by_number else {}
    scores = replace(
        scores,
        metrics=exact,
        beside=beside | {"format adherence": converted.counts.format_adherence},
        first=(EXACT_COUNT,),
        calibration=None,
        sampled=sampled | {"format adherence": sampled_adherence(annotations, converted)},
    )
    conditions = {"counted": NUMBER if by_number else BOXES, "labels": converted.label_policy}
    return _MeasuredDataset(converted, scores, conditions, counted)


def convert_answers(
    spec: DatasetSpec,
    annotations: Annotations,
    rows: Sequence[AnswerRow],
    options: Options,
    images: Path | None = None,
) -> Converted:
    """The answers about one data set, joined and read, before anything is measured; arguments and
    errors as of `evaluate_dataset`."""
    protocol = options.protocol
    if protocol:
        check_recorded(rows, protocol)
    asked = queries(protocol, annotations, spec.captions) if protocol else None
    joined = join(rows, annotations.images, asked, options.missing, options.duplicates)
    if protocol and protocol.answer == "number":
        return read_numbers(joined.answers, annotations, joined.queries, joined.duplicates)
    converted = to_coco_results(
        joined.answers,
        options.io,
        annotations.categories,
        joined.images,
        options.score,
        labels=protocol.labels if protocol else "answer",
        synonyms=options.synonyms,
        queries=joined.queries,
        duplicates=joined.duplicates,
        annotations=annotations,
        scorer=options.scorer,
        folder=images or spec.images,
    )
    return replace(converted, warnings=converted.warnings + _warnings(annotations, rows, protocol))


def _frame(io: ModelIO, converted: Converted) -> str:
    recorded = sum(read.answer.processed is not None for read in converted.answers)
    return f"{io.format.frame.describe()}; {io.resize.describe()}" + (
        f"; {recorded} answers record another size themselves" if recorded else ""
    )


def _warnings(
    annotations: Annotations, rows: Sequence[AnswerRow], protocol: Protocol | None
) -> tuple[str, ...]:
    warnings = list(truth_warnings(annotations))
    if not rows:
        warnings.append(f"there are no answers: {ALL_EMPTY}")
    unused = [repr(name) for name in annotations.unannotated()]
    everything = protocol is None or protocol.queries in ("all", "each")
    if unused and everything and annotations.askable() is None:
        warnings.append(
            f"{len(unused)} of {len(annotations.categories)} categories have no annotation "
            f"({some(unused)}): AP ignores them, but the model may have been asked about them; "
            "exclude names that are not classes with --classes or the suite's classes"
        )
    return tuple(warnings)


def _named(spec: DatasetSpec, protocol: Protocol | None) -> tuple[str, ...]:
    """The metrics that the suite names; for an expression of any number of boxes, gRefCOCO's."""
    refers = protocol is not None and protocol.queries == "referring"
    return spec.metrics or (("grec",) if refers else ())


def _refers(protocol: Protocol | None) -> bool:
    return protocol is not None and protocol.queries == "expression"


def _first_of_each_image(detections: Detections) -> Detections:
    return detections.take(np.sort(np.unique(detections.image, return_index=True)[1]))


def _best_of_each_image(detections: Detections) -> Detections:
    order = np.lexsort((-detections.score, detections.image))
    best = order[np.unique(detections.image[order], return_index=True)[1]]
    return detections.take(np.sort(best))


def _with_accuracy(scores: Scores, annotations: Annotations, boxes: Sequence[Boxes]) -> Scores:
    """`boxes`: xyxy of each image, the one that counts first."""
    accuracy = refexp_scores(boxes, refexp_truths(annotations)).accuracy
    return replace(scores, metrics={ACCURACY: accuracy, **scores.metrics})
