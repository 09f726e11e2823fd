"""Referring expressions: is the first box of the answer the right one?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import Boxes, as_boxes, iou, is_valid

from ..coco.annotations import Annotations, Id


@dataclass(frozen=True, eq=False)
class RefExpScores:
    """Accuracy of referring expressions; MDETR's files have one image entry per expression.

    Attributes:
        accuracy: fraction of the n images that are hits; None without images.
        count: n.
        hits: (n,) bool, in the order of the images.
        ious: (n,) IoU of the answer's first box and the annotated one; 0 if the answer has no box.
    """

    accuracy: float | None
    count: int
    hits: NDArray[np.bool_]
    ious: NDArray[np.float64]


def refexp_scores(boxes: Sequence[Boxes], truths: Boxes, threshold: float = 0.5) -> RefExpScores:
    """Compare the first box of each image with the annotated one; an image without a box is a miss.

    Args:
        boxes: for each of n images, (k, 4) xyxy in the answer's order, in pixels of the original
            image.
        truths: (n, 4) xyxy in the same frame.
        threshold: the least IoU of a hit.
    """
    pairs = zip(boxes, truths, strict=True)
    ious = np.array([_overlap(found[:1], truth[None]) for found, truth in pairs], dtype=np.float64)
    hits = ious >= threshold
    return RefExpScores(float(hits.mean()) if len(hits) else None, len(hits), hits, ious)


def refexp_truths(annotations: Annotations) -> Boxes:
    """(n, 4) xyxy boxes that the expressions of `annotations.images` refer to, in pixels of the
    original images.

    Raises:
        InputError: an image has no expression, or not exactly one annotation (as in gRefCOCO).
    """
    found: dict[Id, list[list[float]]] = {image.id: [] for image in annotations.images}
    for record in annotations.data["annotations"]:
        x, y, width, height = record["bbox"]
        found[record["image_id"]].append([x, y, x + width, y + height])
    for image in annotations.images:
        if not image.caption or len(found[image.id]) != 1:
            raise InputError(
                f"expected image {image.id!r} of {annotations.path} to have one annotation and a "
                '"caption", the expression that refers to it (MDETR\'s form), got '
                f"{len(found[image.id])} and {image.caption!r}"
            )
    return as_boxes([boxes[0] for boxes in found.values()])


def _overlap(found: Boxes, truth: Boxes) -> float:
    return float(iou(found, truth)[0, 0]) if len(found) and is_valid(found)[0] else 0.0
