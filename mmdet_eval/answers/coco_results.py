"""Converts answers to COCO results and counts what went wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swift_plugin_visionr1.geometry.boxes import xyxy_to_xywh
from swift_plugin_visionr1.models.model_io import ModelIO

from ..coco.annotations import Annotations, Id
from ..coco.columns import place_of_each
from ..coco.detections import CocoResult, Detections
from .answer import Answer, ReadAnswer
from .confidence import check_any
from .frame_warnings import frame_warnings
from .labels import CategoryNames
from .misplaced import misplaced_warnings
from .other_formats import format_warnings
from .reading import Labels, Reader
from .scorers import BoxScorer, rescored
from .served import served_warnings

TALLIED = (
    "unparsed",
    "broken_format",
    "truncated",
    "boxes_read",
    "outside",
    "nothing_left",
    "without_confidence",
    "whole_answer_scores",
)
CATEGORY_ID = "the category_id of each box in the prediction file"
CUT_OFF = 0.02  # the share of answers that may be cut off without a warning
BY_QUERY = "the category that the query asked for, whatever the label says"


@dataclass(frozen=True)
class Counts:
    """What came in and what became of it. boxes_read = boxes_kept + unknown_labels + nothing_left.

    Attributes:
        images: images of the annotation file.
        answers: answers joined to them; for a file of boxes, images that the file mentions.
        missing: queries without an answer, evaluated as having no detections; for a file of boxes,
            images that the file should have and lacks.
        unparsed: answers with issues and no box that do not say that there is nothing.
        broken_format: answers with any issue of template or content, including the unparsed.
        truncated: answers whose generation stopped before they were complete.
        boxes_read: boxes found in the answers.
        unknown_labels: boxes dropped because their label matches no category.
        outside: boxes that extend beyond the image; they are clipped to it.
        nothing_left: boxes with a known label that lie entirely outside the image and are dropped.
        boxes_kept: boxes that the metric sees.
        queries: questions asked about the images; one per image without a protocol.
        duplicates: rows dropped because their query already had an answer.
        without_confidence: boxes scored 0 because the confidence policy found no score in [0, 1].
        whole_answer_scores: boxes scored by all tokens of their answer, because their own tokens
            could not be identified.
    """

    images: int
    answers: int
    missing: int
    unparsed: int
    broken_format: int
    truncated: int
    boxes_read: int
    unknown_labels: int
    outside: int
    nothing_left: int
    boxes_kept: int
    queries: int = 0
    duplicates: int = 0
    without_confidence: int = 0
    whole_answer_scores: int = 0

    @property
    def format_adherence(self) -> float | None:
        """The share of answers without any issue of template or content; None without answers."""
        return 1 - self.broken_format / self.answers if self.answers else None


@dataclass(frozen=True)
class Converted:
    """What the metric sees and what it was made from.

    Attributes:
        detections: the boxes.
        counts: what became of answers and boxes.
        unknown_labels: each label that matches no category and its count, most frequent first.
        answers: every answer as it was read; empty if the prediction file holds boxes, not text.
        warnings: what to know before trusting the numbers.
        label_policy: how labels became categories, in words; for a file of boxes, how the file
            encodes categories.
        of_text: whether the boxes were read from text rather than given in the file.
    """

    detections: Detections
    counts: Counts
    unknown_labels: dict[str, int]
    answers: tuple[ReadAnswer, ...] = ()
    warnings: tuple[str, ...] = ()
    label_policy: str = ""
    of_text: bool = True

    @property
    def results(self) -> list[CocoResult]:
        """The boxes as COCO results."""
        return self.detections.to_results()


def to_coco_results(
    answers: Sequence[Answer],
    io: ModelIO,
    categories: Mapping[Id, str],
    images: int,
    policy: str = "const",
    *,
    labels: Labels = "answer",
    synonyms: Mapping[str, str] | None = None,
    queries: int | None = None,
    duplicates: int = 0,
    annotations: Annotations | None = None,
    scorer: BoxScorer | None = None,
    folder: Path | None = None,
) -> Converted:
    """Convert answers, keeping their order and the order of the boxes in each.

    Args:
        answers: as from `join`.
        io: how the answers are written, and how inference turned image sizes into processed sizes
            if the answers do not record them.
        categories: category id -> name.
        images: number of images in the annotation file.
        policy: a key of `confidence.POLICIES`.
        labels: whether the "answer" names a box's category or the "query" decides it.
        synonyms: label -> category name, applied after all other rules; see `labels.read_synonyms`.
        queries: number of queries asked, as from `join`; None for one per image.
        duplicates: number of rows that `join` dropped.
        annotations: what the answers are about, if known: the warnings test with it what they
            propose.
        scorer: what scores the boxes instead, if that takes all answers at once.
        folder: of the images, for the scorer; None if it is not known.

    Raises:
        InputError: category names are ambiguous, no processor accepts an image of that size, an
            answer lacks what `policy` or `labels` needs, or not a single box has a confidence.
    """
    names = CategoryNames(categories, synonyms)
    reader = Reader(io, names, policy, labels)
    tally: Counter[str] = Counter(dict.fromkeys(TALLIED, 0))
    unknown: Counter[str] = Counter()
    read = tuple(reader.read(answer, tally, unknown) for answer in answers)
    if scorer:
        read, tally["without_confidence"] = rescored(read, scorer, folder)
    check_any(policy, tally["without_confidence"], tally["boxes_read"])
    image_ids = annotations.image_ids if annotations else _images_of(answers)
    detections = _detections(read, image_ids, tuple(categories))
    asked = images if queries is None else queries
    counts = Counts(
        images=images,
        answers=len(answers),
        missing=asked - len(answers),
        unknown_labels=unknown.total(),
        boxes_kept=len(detections),
        queries=asked,
        duplicates=duplicates,
        **tally,
    )
    warnings = _warnings(read, counts, reader, annotations)
    label_policy = names.policy if labels == "answer" else BY_QUERY
    return Converted(detections, counts, dict(unknown.most_common()), read, warnings, label_policy)


def _warnings(
    read: Sequence[ReadAnswer], counts: Counts, reader: Reader, annotations: Annotations | None
) -> tuple[str, ...]:
    """What to know before trusting the numbers; of what explains bad boxes, the likeliest."""
    io = reader.io
    likeliest = (
        format_warnings(read, io, reader.find, annotations)
        or frame_warnings(read, counts.outside, io)
        or misplaced_warnings(read, io, reader.find, annotations)
    )
    return (*served_warnings(read), *likeliest, *cut_off_warnings(counts))


def cut_off_warnings(counts: Counts) -> tuple[str, ...]:
    if counts.truncated <= CUT_OFF * counts.answers:
        return ()
    return (
        f"{counts.truncated} of {counts.answers} answers are cut off: infer with a larger "
        "--max_new_tokens",
    )


def converted_boxes(
    detections: Detections, answered: int | None, label_policy: str = CATEGORY_ID
) -> Converted:
    """Boxes taken from a file as they are.

    Args:
        answered: images that the file has an entry for; None if it does not list images without
            boxes.
        label_policy: how the file encodes categories, in words.
    """
    images, boxes = len(detections.image_ids), len(detections)
    counts = Counts(
        images=images,
        answers=len(np.unique(detections.image)) if answered is None else answered,
        missing=0 if answered is None else images - answered,
        unparsed=0,
        broken_format=0,
        truncated=0,
        boxes_read=boxes,
        unknown_labels=0,
        outside=0,
        nothing_left=0,
        boxes_kept=boxes,
        queries=images,
    )
    return Converted(detections, counts, {}, label_policy=label_policy, of_text=False)


def _images_of(answers: Sequence[Answer]) -> tuple[Id, ...]:
    return tuple(dict.fromkeys(answer.image.id for answer in answers))


def _detections(
    read: Sequence[ReadAnswer], image_ids: tuple[Id, ...], category_ids: tuple[Id, ...]
) -> Detections:
    """The boxes whose label is a category, as columns."""
    names = [name for one in read for name in one.categories]
    kept = np.flatnonzero([name is not None for name in names])
    counts = np.array([len(one.categories) for one in read], dtype=np.int64)
    source = np.repeat(np.arange(len(read)), counts)[kept]
    images = place_of_each([one.answer.image.id for one in read], image_ids)
    boxes_xyxy = np.concatenate([np.zeros((0, 4)), *(one.boxes for one in read)])[kept]
    return Detections(
        image_ids,
        category_ids,
        images[source],
        place_of_each([names[place] for place in kept.tolist()], category_ids),
        xyxy_to_xywh(boxes_xyxy),
        np.concatenate([np.zeros(0), *(one.scores for one in read)])[kept],
        source,
    )
