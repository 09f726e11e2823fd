"""Tries another way to read answers before it is proposed.

This also looks at the annotations. The result is printed as a hint and never changes a number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.formats import ParsedCompletion
from swift_plugin_visionr1.geometry.boxes import Boxes, as_boxes, iou, is_valid, xywh_to_xyxy
from swift_plugin_visionr1.geometry.frames import Frame, View
from swift_plugin_visionr1.text import share

from ..coco.annotations import Annotations, Id
from .answer import Answer

RIGHT = 0.5  # IoU
THIN = 0.002  # fraction of the image's side; a thinner box is implausible
TruthsOf = Mapping[Id, tuple[Boxes, tuple[Id, ...]]]  # by image: xyxy in its pixels, categories
Find = Callable[[Answer, str], Id | None]  # the category of a label in an answer


@dataclass(frozen=True)
class Trial:
    """What one way to read some answers finds.

    Attributes:
        boxes: boxes read.
        known: those whose label is a category.
        inside: those that lie inside the image and are not too thin.
        good: those for which both hold.
        clean: answers without an issue of the format.
        hits: annotated boxes found at IoU .5 with the right category.
        truths: annotated boxes to be found; 0 if no annotations are available.
        overlap: the summed IoU of the boxes found.
    """

    boxes: int
    known: int
    inside: int
    good: int
    clean: int
    hits: int
    truths: int
    overlap: float

    def describe(self) -> str:
        """In words."""
        if not self.boxes:
            return "reads no box"
        text = (
            f"reads {self.boxes} boxes, {share(self.known, self.boxes)} with a known label and "
            f"{share(self.inside, self.boxes)} inside the image"
        )
        hits = f", and finds {share(self.hits, self.truths)} annotated boxes at IoU .5"
        return text + (hits if self.truths else "")


def truths_of(annotations: Annotations, answers: Sequence[Answer]) -> TruthsOf:
    """What the images of the answers show, without crowds."""
    truths, ids = annotations.truths, annotations.category_ids
    images = {answer.image.id for answer in answers}
    shown = zip(annotations.image_ids, truths.by_image, strict=True)
    return {
        image: (
            xywh_to_xyxy(truths.boxes_xywh[places]),
            tuple(ids[place] for place in truths.category[places].tolist()),
        )
        for image, places in shown
        if image in images and len(places)
    }


def try_reading(
    answers: Sequence[Answer],
    parsed: Sequence[ParsedCompletion],
    frame: Frame,
    views: Sequence[View],
    find: Find,
    truths: TruthsOf,
) -> Trial:
    """Count what the parsed answers find in this frame; all arguments but `find` and `truths` are
    parallel."""
    rows = [
        _one(answer, one, frame, view, find, truths)
        for answer, one, view in zip(answers, parsed, views, strict=True)
    ]
    sums = (sum(column) for column in zip(*rows, strict=True))
    values: dict[str, Any] = dict(zip((field.name for field in fields(Trial)), sums, strict=True))
    return Trial(**values)


def _one(
    answer: Answer,
    parsed: ParsedCompletion,
    frame: Frame,
    view: View,
    find: Find,
    truths: TruthsOf,
) -> tuple[float, ...]:
    asked = answer.query.category
    names = [find(answer, label) for label in parsed.labels]
    known = np.array([name is not None for name in names], dtype=bool)
    boxes = frame.to_image(parsed.boxes, view)
    thick = (boxes[:, 2:] - boxes[:, :2] >= THIN * np.array(view.size)).all(axis=1)
    inside = frame.is_inside(parsed.boxes, view) & thick
    there, categories = truths.get(answer.image.id, (as_boxes([]), ()))
    wanted = np.array([asked in (None, name) for name in categories], dtype=bool)
    usable = known & is_valid(boxes)
    named = [names[place] for place in np.flatnonzero(usable)]
    kept = [categories[place] for place in np.flatnonzero(wanted)]
    pairs = _overlaps(boxes[usable], named, there[wanted], kept)
    counts = len(boxes), known.sum(), inside.sum(), (known & inside).sum(), not parsed.issues
    return *map(int, counts), len(pairs), len(kept), sum(pairs)


def _overlaps(
    boxes: Boxes, names: Sequence[Id | None], there: Boxes, categories: Sequence[Id]
) -> list[float]:
    """The IoU of each annotated box that is found by a box of its category."""
    same = np.array([[name == category for category in categories] for name in names], dtype=bool)
    return [overlap for _, _, overlap in best_pairs(boxes, there, same)]


def best_pairs(
    boxes: Boxes, there: Boxes, allowed: NDArray[np.bool_] | None = None
) -> list[tuple[int, int, float]]:
    """Pairs of (n, 4) and (m, 4) xyxy boxes that overlap enough, and their IoU: each box at most
    once, best first; `allowed` is (n, m)."""
    if not len(boxes) or not len(there):
        return []
    table, pairs = iou(boxes, there), []
    if allowed is not None:
        table = np.where(allowed, table, 0.0)
    while table.max() >= RIGHT:
        row, column = np.unravel_index(table.argmax(), table.shape)
        pairs.append((int(row), int(column), float(table[row, column])))
        table[row], table[:, column] = 0.0, 0.0
    return pairs
