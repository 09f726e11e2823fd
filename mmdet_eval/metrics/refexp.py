"""Referring expressions: is the first box of the answer the right one?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import Boxes, is_valid, overlaps

from ..coco.annotations import Annotations

NO_BOX = np.zeros(4)  # is not valid


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
    firsts = np.array([there[0] if len(there) else NO_BOX for there in boxes]).reshape(-1, 4)
    usable = is_valid(firsts)
    ious = np.zeros(len(truths))
    ious[usable] = overlaps(firsts[usable].T, truths[usable].T)[0]
    hits = ious >= threshold
    return RefExpScores(float(hits.mean()) if len(hits) else None, len(hits), hits, ious)


def refexp_truths(annotations: Annotations) -> Boxes:
    """(n, 4) xyxy boxes that the expressions of `annotations.images` refer to, in pixels of the
    original images.

    Raises:
        InputError: an image has no expression, or not exactly one annotation (as in gRefCOCO).
    """
    truths = annotations.truths
    counts = np.bincount(truths.image, minlength=len(annotations.images))
    for image, count in zip(annotations.images, counts.tolist(), strict=True):
        if not image.caption or count != 1:
            raise InputError(
                f"expected image {image.id!r} of {annotations.path} to have one annotation and a "
                '"caption", the expression that refers to it (MDETR\'s form), got '
                f"{count} and {image.caption!r}"
            )
    return truths.boxes_xyxy[np.argsort(truths.image)]
