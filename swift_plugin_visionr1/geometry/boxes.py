"""Axis-aligned boxes as float64 arrays of shape (n, 4): x1, y1, x2, y2 in pixels, edges exclusive
(no +1)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
LIMIT = 1e9  # pixels; far beyond any image, far below where areas overflow


def as_boxes(values: object) -> Boxes:
    """Copy `values` into an (n, 4) float64 array; `[]` gives shape (0, 4).

    Raises:
        ValueError: the values are not rows of four numbers.
    """
    boxes = np.array(values, dtype=np.float64)
    if boxes.size == 0:
        return np.zeros((0, 4))
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(
            "expected boxes of shape (n, 4) as [x1, y1, x2, y2], got an array of shape "
            f"{boxes.shape}"
        )
    return boxes


def xywh_to_xyxy(boxes_xywh: Boxes) -> Boxes:
    """(n, 4) corners of boxes that are written as upper left corner, width and height."""
    return np.hstack([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]])


def cxcywh_to_xyxy(boxes_cxcywh: Boxes) -> Boxes:
    """(n, 4) corners of boxes that are written as middle, width and height."""
    middle, half = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:] / 2
    return np.hstack([middle - half, middle + half])


def xyxy_to_xywh(boxes_xyxy: Boxes) -> Boxes:
    """(n, 4) upper left corner, width and height, as COCO writes boxes."""
    return np.hstack([boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]])


LAYOUTS: dict[str, Callable[[Boxes], Boxes]] = {
    "xyxy": lambda boxes_xyxy: boxes_xyxy,
    "xywh": xywh_to_xyxy,
    "cxcywh": cxcywh_to_xyxy,
}
"""How four numbers are written as a box, and the way from there to corners."""


def is_valid(boxes: Boxes) -> NDArray[np.bool_]:
    """(n,) whether a box has x1 < x2, y1 < y2 and coordinates that an image could have (no NaN,
    below LIMIT)."""
    x1, y1, x2, y2 = boxes.T
    ordered = (x1 < x2) & (y1 < y2) & ((x2 - x1) * (y2 - y1) > 0)  # an area may underflow
    return np.asarray((np.abs(boxes) < LIMIT).all(axis=1) & ordered, dtype=np.bool_)


def is_inside(boxes: Boxes, size: tuple[float, float]) -> NDArray[np.bool_]:
    """(n,) whether a box lies within an image of `size` (width, height), borders included."""
    (width, height), (x1, y1, x2, y2) = size, boxes.T
    inside = (np.minimum(x1, x2) >= 0) & (np.maximum(x1, x2) <= width)
    return np.asarray(
        inside & (np.minimum(y1, y2) >= 0) & (np.maximum(y1, y2) <= height), dtype=np.bool_
    )


def iou(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union of every pair, (n, m), for valid boxes (n, 4) and (m, 4) in the same
    frame."""
    return iou_and_giou(a, b)[0]


def giou(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Generalised IoU of every pair, (n, m) in (-1, 1] (Rezatofighi et al., CVPR 2019)."""
    return iou_and_giou(a, b)[1]


def iou_and_giou(a: Boxes, b: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both overlaps of every pair in one pass; float32 arrays stay float32."""
    return overlaps(a.T[:, :, None], b.T[:, None])


def overlaps(a: Boxes, b: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """IoU and GIoU of two sets of columns x1, y1, x2, y2, which are broadcast against each other.

    Columns rather than corners: for the tens of boxes of one answer this halves the time.
    """
    ax1, ay1, ax2, ay2 = a
    bx1, by1, bx2, by2 = b
    width = np.minimum(ax2, bx2) - np.maximum(ax1, bx1)
    height = np.minimum(ay2, by2) - np.maximum(ay1, by1)
    inter = np.maximum(width, 0) * np.maximum(height, 0)
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - inter
    hull_width = np.maximum(ax2, bx2) - np.minimum(ax1, bx1)
    hull = hull_width * (np.maximum(ay2, by2) - np.minimum(ay1, by1))
    overlap = inter / union
    return overlap, overlap - (hull - union) / hull
