"""Annotated boxes as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.geometry.boxes import Boxes, as_boxes, xywh_to_xyxy

from .columns import Indices, freeze, group_by, place_of_each


@dataclass(frozen=True, eq=False)
class Truths:
    """m annotations in the file's order. The arrays are read-only.

    Attributes:
        images: number of images.
        image: (m,) index into the annotation file's images.
        category: (m,) index into its categories.
        boxes_xywh: (m, 4) in pixels of the original image.
        area: (m,) as annotated, in square pixels.
        crowd: (m,) bool.
    """

    images: int
    image: Indices
    category: Indices
    boxes_xywh: Boxes
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def boxes_xyxy(self) -> Boxes:
        """(m, 4) corners, in pixels of the original image."""
        return xywh_to_xyxy(self.boxes_xywh)

    @cached_property
    def by_image(self) -> list[Indices]:
        """For each image, the indices of its annotations other than crowds, in their order."""
        counted = np.flatnonzero(~self.crowd)
        return [counted[places] for places in group_by(self.image[counted], self.images)]


def to_truths(
    records: Sequence[Mapping[str, Any]], images: Sequence[Any], categories: Sequence[Any]
) -> Truths:
    """The columns of repaired records.

    Args:
        images: ids of the file's images.
        categories: ids of its categories.
    """
    return Truths(
        len(images),
        place_of_each([record["image_id"] for record in records], images),
        place_of_each([record["category_id"] for record in records], categories),
        as_boxes([record["bbox"] for record in records]),
        np.array([record["area"] for record in records], dtype=np.float64),
        np.array([bool(record["iscrowd"]) for record in records], dtype=bool),
    )
