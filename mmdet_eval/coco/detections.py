"""Detected boxes as columns: what travels from the reader of a file to metrics and reports."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.data.coco_records import check_record, is_finite_number
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import Boxes, as_boxes, xywh_to_xyxy

from .annotations import Annotations, Id
from .columns import Indices, freeze, group_by, place_of_each

CocoResult = dict[str, Any]  # image_id, category_id, bbox as in `Detections.boxes_xywh`, score
PLAIN = frozenset((int, float))


@dataclass(frozen=True, eq=False)
class Detections:
    """n boxes in the order in which equal scores of an image rank. The arrays are read-only.

    Boxes are kept as COCO writes them: taken to corners and back, 32 may become a little less, and
    a box would count as small instead of medium.

    Attributes:
        image_ids: of all images of the data set, in the annotation file's order.
        category_ids: of all categories, in the annotation file's order.
        image: (n,) index into `image_ids`.
        category: (n,) index into `category_ids`.
        boxes_xywh: (n, 4) float64, in pixels of the original image.
        score: (n,) float64.
        source: (n,) which answer, or which result of the file, the box comes from; from 0.
    """

    image_ids: tuple[Id, ...]
    category_ids: tuple[Id, ...]
    image: Indices
    category: Indices
    boxes_xywh: Boxes
    score: NDArray[np.float64]
    source: Indices

    def __post_init__(self) -> None:
        freeze(self)

    def __len__(self) -> int:
        return len(self.score)

    @property
    def boxes_xyxy(self) -> Boxes:
        """(n, 4) corners, in pixels of the original image."""
        return xywh_to_xyxy(self.boxes_xywh)

    @cached_property
    def by_image(self) -> list[Indices]:
        """For each of `image_ids`, the indices of its boxes, in their order."""
        return group_by(self.image, len(self.image_ids))

    def take(self, chosen: NDArray[Any] | slice) -> "Detections":
        """The boxes chosen by indices, a mask or a slice, in that order."""
        columns = [field.name for field in fields(self) if not field.name.endswith("_ids")]
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    def to_results(self) -> list[CocoResult]:
        """The boxes as COCO results."""
        columns = (self.image, self.category, self.boxes_xywh, self.score)
        images, categories = self.image_ids, self.category_ids
        return [
            {
                "image_id": images[image],
                "category_id": categories[category],
                "bbox": box,
                "score": score,
            }
            for image, category, box, score in zip(*(c.tolist() for c in columns), strict=True)
        ]


def to_detections(
    annotations: Annotations, results: Sequence[CocoResult], where: str = ""
) -> Detections:
    """The columns of COCO results.

    Args:
        where: the end of a result's name in errors, such as " of results.json".

    Raises:
        InputError: a result names an unknown image or category, or has a bbox or score that is not
            finite.
    """
    try:
        if (detections := _plain_columns(annotations, results)) is not None:
            return detections
    except (KeyError, TypeError, ValueError, OverflowError):
        pass  # one by one, so that the error names the result
    images, categories = set(annotations.image_ids), set(annotations.category_ids)
    for number, result in enumerate(results):
        _check(result, f"result {number}{where}", images, categories)
    return _columns(annotations, results)


def _check(result: Any, what: str, images: set[Id], categories: set[Id]) -> None:
    if not isinstance(result, dict):
        raise InputError(
            f"expected {what} to be an object with image_id, category_id, bbox and score, got "
            f"{result!r}"
        )
    check_record(result, what, images, categories)
    if not is_finite_number(result.get("score")):
        raise InputError(
            f"expected {what} to have a finite score, got {result.get('score')!r}: "
            "--score does not apply to given boxes; write a score into each result"
        )


def _plain_columns(annotations: Annotations, results: Sequence[CocoResult]) -> Detections | None:
    """The columns if all numbers are Python's and finite, else None."""
    boxes, scores = [result["bbox"] for result in results], [result["score"] for result in results]
    # numpy reads text as numbers and None as NaN
    if not set(map(type, chain(chain.from_iterable(boxes), scores))) <= PLAIN:
        return None
    detections = _columns(annotations, results)
    finite = np.isfinite(detections.boxes_xywh).all() and np.isfinite(detections.score).all()
    return detections if finite else None


def _columns(annotations: Annotations, results: Sequence[CocoResult]) -> Detections:
    ids = annotations.image_ids, annotations.category_ids
    return Detections(
        *ids,
        place_of_each([result["image_id"] for result in results], ids[0]),
        place_of_each([result["category_id"] for result in results], ids[1]),
        as_boxes([result["bbox"] for result in results]),
        np.array([result["score"] for result in results], dtype=np.float64),
        np.arange(len(results)),
    )
