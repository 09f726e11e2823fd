"""Boxes around other shapes, in whatever unit these are."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...data.coco_records import is_finite_number

Box = list[float]


def around(points: Any) -> Box | None:
    """[x1, y1, x2, y2] around points [[x, y], ...] in any order; None if they are not points."""
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < 2 or not np.isfinite(array).all():
        return None
    return [*array.min(axis=0).tolist(), *array.max(axis=0).tolist()]


def around_circle(points: Any) -> Box | None:
    """The box around a circle, given by its middle and a point of its rim."""
    box = around(points)
    if box is None or len(points) != 2:
        return None
    (x, y), rim = points
    radius = math.dist((x, y), rim)
    return [x - radius, y - radius, x + radius, y + radius]


def around_turned(box_xyxy: Sequence[float], degrees: float, pivot: Sequence[float]) -> Box:
    """The box around a box that is turned clockwise (y points down) about a point."""
    x1, y1, x2, y2 = box_xyxy
    if not degrees:
        return [x1, y1, x2, y2]
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) - pivot
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    turned = corners @ turn + pivot
    return [*turned.min(axis=0).tolist(), *turned.max(axis=0).tolist()]


def around_ellipse(part: Sequence[float], degrees: float = 0) -> Box:
    """The box around an ellipse (middle x, middle y, radius, radius) turned about its middle."""
    x, y, across, down = part
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    half_width = math.hypot(across * cos, down * sin)
    half_height = math.hypot(across * sin, down * cos)
    return [x - half_width, y - half_height, x + half_width, y + half_height]


def four_numbers(values: Sequence[Any]) -> Box | None:
    """Four finite numbers, which may be written as text; None if they are not that."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):  # an integer beyond every float
        return None
    return numbers if len(numbers) == 4 and all(map(is_finite_number, numbers)) else None
