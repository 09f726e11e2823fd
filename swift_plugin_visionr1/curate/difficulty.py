"""How difficult an image is, from its annotation: the paper's "greater number of object categories
and instances", small objects, and crowding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes
from .sample import Sample

SMALL = 32.0  # COCO's limit: a box of fewer than 32 x 32 pixels is small


@dataclass(frozen=True)
class Terms:
    """Each term is 1 at the number given here; their sum is the difficulty.

    Attributes:
        instances: boxes of an image.
        categories: different categories of an image.
        small: share of small boxes, below 32 x 32 pixels.
        crowding: share of boxes whose middle lies in another box.
        challenging: the difficulty from which on an image is challenging.
    """

    instances: float = 8.0
    categories: float = 4.0
    small: float = 1.0
    crowding: float = 1.0
    challenging: float = 1.0


def difficulty(sample: Sample, terms: Terms) -> dict[str, float]:
    """The terms of one image."""
    boxes = sample.boxes_xyxy
    if not len(boxes):
        return dict.fromkeys(("instances", "categories", "small", "crowding"), 0.0)
    sides = boxes[:, 2:] - boxes[:, :2]
    small = np.mean(sides[:, 0] * sides[:, 1] < SMALL**2)
    return {
        "instances": len(boxes) / terms.instances,
        "categories": len(set(sample.labels)) / terms.categories,
        "small": float(small) / terms.small,
        "crowding": crowding(boxes) / terms.crowding,
    }


def crowding(boxes_xyxy: Boxes) -> float:
    """The share of boxes (n, 4) whose middle lies in another box.

    >>> crowding(np.array([[0, 0, 10, 10], [1, 1, 8, 8], [20, 20, 30, 30.0]]))
    0.6666666666666666
    """
    if len(boxes_xyxy) < 2:
        return 0.0
    middle = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    over = (middle[:, None] >= boxes_xyxy[None, :, :2]).all(axis=2)
    within: NDArray[np.bool_] = np.asarray(
        over & (middle[:, None] <= boxes_xyxy[None, :, 2:]).all(axis=2)
    )
    np.fill_diagonal(within, False)
    return float(np.mean(np.any(within, axis=1)))
