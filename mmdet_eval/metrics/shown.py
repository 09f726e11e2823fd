"""Boxes of classes that their annotated image shows, which macro F1 is computed from."""

import numpy as np
from numpy.typing import NDArray

from ..coco.columns import Indices
from ..coco.detections import Detections
from ..coco.truths import Truths


def cells(detections: Detections | Truths, classes: int) -> Indices:
    """(n,) one number for the image and the class of each box: image * K + class."""
    return detections.image * classes + detections.category


def is_shown(
    detections: Detections, truths: Truths, classes: int, counted: Indices | slice = slice(None)
) -> NDArray[np.bool_]:
    """(n,) whether a box's class is annotated in its image.

    Args:
        counted: which of the annotations count; all by default.
    """
    return np.isin(cells(detections, classes), np.unique(cells(truths, classes)[counted]))
