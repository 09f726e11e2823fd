"""How a JSON answer names its parts: the settings of the format `json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..geometry.boxes import Boxes

Order = Literal["xyxy", "yxyx", "xywh", "cxcywh"]
MAX_DECIMALS = 15  # more than a float64 has


@dataclass(frozen=True)
class JsonLayout:
    """One object of the answer's list.

    Attributes:
        box: the key of a list of four numbers, or four keys with one number each.
        label: the key of the label.
        order: what the four numbers are; `xywh` and `cxcywh` hold width and height.
        decimals: how many decimals a coordinate has; 0 for integers.
    """

    box: str | tuple[str, str, str, str] = "bbox_2d"
    label: str = "label"
    order: Order = "xyxy"
    decimals: int = 0

    def __post_init__(self) -> None:
        if not all(isinstance(key, str) and key for key in self.keys) or len(
            set(self.keys)
        ) not in (1, 4):
            raise ValueError(
                f"expected box to be a key or a list of four different keys, got {self.box!r}"
            )
        if not isinstance(self.label, str) or not self.label or self.label in self.keys:
            raise ValueError(
                f"expected label to be a key that the box does not use, got {self.label!r}"
            )
        if self.order not in get_args(Order):
            raise ValueError(
                f"expected order to be one of {', '.join(get_args(Order))}, got {self.order!r}"
            )
        if type(self.decimals) is not int or not 0 <= self.decimals <= MAX_DECIMALS:
            raise ValueError(
                f"expected decimals to be an integer from 0 to {MAX_DECIMALS}, got "
                f"{self.decimals!r}"
            )

    @property
    def keys(self) -> tuple[str, ...]:
        """The box's key, or its four."""
        return (self.box,) if isinstance(self.box, str) else tuple(self.box)

    @property
    def slack(self) -> tuple[float, float]:
        """How far the near and the far corner of a box may move because the four numbers are
        rounded one by one."""
        unit = 1.001 * 10.0**-self.decimals  # the thousandth is for sums of floats
        if self.order == "cxcywh":
            return 0.75 * unit, 0.75 * unit  # half a unit of the centre, a quarter of half the size
        return 0.0, unit if self.order == "xywh" else 0.0

    def to_xyxy(self, written: Boxes) -> Boxes:
        """The corners of (n, 4) boxes that are written as the layout's four numbers, in the same
        frame."""
        if self.order == "xyxy":
            return written
        if self.order == "yxyx":
            return written[:, [1, 0, 3, 2]]
        first, size = written[:, :2], written[:, 2:]
        start = first if self.order == "xywh" else first - size / 2
        return np.hstack([start, start + size])

    def from_xyxy(self, corners: Sequence[float]) -> Sequence[float]:
        """The four numbers that write a box with the corners x1, y1, x2, y2, rounded to the
        layout's decimals."""
        x1, y1, x2, y2 = (
            corners
            if self.order == "cxcywh"
            else [round(float(v), self.decimals) + 0.0 for v in corners]
        )
        numbers = {
            "xyxy": (x1, y1, x2, y2),
            "yxyx": (y1, x1, y2, x2),
            "xywh": (
                x1,
                y1,
                x2 - x1,
                y2 - y1,
            ),  # from rounded corners: so the far corner is not rounded twice
            "cxcywh": ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
        }
        return numbers[self.order]
