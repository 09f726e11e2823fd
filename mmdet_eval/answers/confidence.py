"""Confidence policies: a VLM's text carries no scores, yet AP ranks by them."""

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.boxes import Boxes
from swift_plugin_visionr1.coords import Size

_TIES = "boxes that tie rank by ascending image id, then in the order of the answer"
POLICIES = {
    "const": f"const: every score is 1.0, so the order of the boxes decides AP; {_TIES}",
    "area": f"area: the share of the image that a box covers, larger first; {_TIES}",
}


def scores(policy: str, boxes: Boxes, size: Size) -> NDArray[np.float64]:
    """(n,) scores in [0, 1] for (n, 4) xyxy boxes in pixels of the original image of `size` (width, height)."""
    if policy == "area":
        return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / (size[0] * size[1])
    return np.ones(len(boxes))
