"""Answers to COCO results: parse, original frame, clip, label to category, score; and a count of what went wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from swift_plugin_visionr1.boxes import is_inside, is_valid
from swift_plugin_visionr1.coords import QwenResize, Size, convert
from swift_plugin_visionr1.formats import Format

from ..data.annotations import Id, Image
from ..errors import InputError
from .answer import Answer, ReadAnswer
from .confidence import scores
from .labels import CategoryNames

CocoResult = dict[str, Any]  # image_id, category_id, bbox as [x, y, width, height] in original pixels, score


@dataclass(frozen=True)
class Counts:
    """What came in and what became of it. boxes_read = boxes_kept + unknown_labels + nothing_left.

    Attributes:
        images: images of the annotation file.
        answers: answers joined to them.
        missing: images without an answer, evaluated as images without detections.
        unparsed: answers with issues and without a box that do not say that there is nothing.
        broken_format: answers with any issue of template or content, the unparsed included.
        truncated: answers whose generation ended before they did.
        boxes_read: boxes found in the answers.
        unknown_labels: boxes dropped because their label is no category name.
        outside: boxes that leave the image; they are clipped to it.
        nothing_left: boxes with a known label dropped because they lie outside the image altogether.
        boxes_kept: boxes that the metric sees.
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


@dataclass(frozen=True)
class Converted:
    """What the metric sees, and what it was made from.

    Attributes:
        results: COCO results in the order in which equal scores rank.
        counts: what became of answers and boxes.
        unknown_labels: how often each label that names no category came, most frequent first.
        answers: every answer as it was read; empty where the prediction file held boxes, not text.
        warnings: what a person should know before trusting the numbers.
    """

    results: list[CocoResult]
    counts: Counts
    unknown_labels: dict[str, int]
    answers: tuple[ReadAnswer, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Converter:
    format: Format
    resize: QwenResize
    names: CategoryNames
    policy: str

    def __call__(self, answer: Answer, tally: Counter[str], unknown: Counter[str]) -> list[CocoResult]:
        image, parsed = answer.image, self.format.parse(answer.text)
        processed = processed_size(self.resize, image)
        issues = parsed.issues + self.format.content_issues(parsed, processed)
        tally["truncated"] += answer.truncated
        tally["broken_format"] += bool(issues)
        tally["unparsed"] += bool(issues) and not len(parsed.boxes) and not parsed.says_nothing
        tally["boxes_read"] += len(parsed.boxes)
        # Before the conversion: its rounding would push a box on the border outside.
        tally["outside"] += int((~is_inside(parsed.boxes, processed)).sum())
        boxes = np.clip(convert(parsed.boxes, processed, image.size), 0, np.array(image.size * 2))
        kept = []
        for box, label, score in zip(boxes, parsed.labels, scores(self.policy, boxes, image.size), strict=True):
            category = self.names.find(label)
            if category is None:
                unknown[label] += 1
            elif not is_valid(box[None])[0]:
                tally["nothing_left"] += 1
            else:
                xywh = [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()]
                kept.append({"image_id": image.id, "category_id": category, "bbox": xywh, "score": float(score)})
        return kept


def processed_size(resize: QwenResize, image: Image) -> Size:
    """`QwenResize.processed_size` with an error that names the image."""
    try:
        return resize.processed_size(image.size)
    except ValueError as error:
        raise InputError(f"image {image.id!r} ({image.file_name}): {error}") from None


def to_coco_results(
    answers: Sequence[Answer], format: Format, resize: QwenResize, categories: Mapping[Id, str], images: int,
    policy: str = "const",
) -> Converted:  # fmt: skip
    """Convert answers; their order, and the order of the boxes in each, is kept.

    Args:
        answers: one per image, as from `join`.
        format: how the answers are written.
        resize: the frame of the answers: how inference turned image sizes into processed sizes.
        categories: category id -> name.
        images: number of images in the annotation file.
        policy: a key of `confidence.POLICIES`.

    Raises:
        InputError: category names are ambiguous, or the model cannot have seen an image of that size.
    """
    convert_answer = _Converter(format, resize, CategoryNames(categories), policy)
    tally: Counter[str] = Counter(unparsed=0, broken_format=0, truncated=0, boxes_read=0, outside=0, nothing_left=0)
    unknown: Counter[str] = Counter()
    results = [result for answer in answers for result in convert_answer(answer, tally, unknown)]
    counts = Counts(
        images=images, answers=len(answers), missing=images - len(answers), unknown_labels=unknown.total(),
        boxes_kept=len(results), **tally,
    )  # fmt: skip
    return Converted(results, counts, dict(unknown.most_common()))
