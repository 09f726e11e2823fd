"""How a JSON answer names its parts: the settings of the format `json`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class JsonLayout:
    """One object of the answer's list.

    Attributes:
        box: key of the list of four numbers, or four keys of a number each.
        label: key of the label.
        order: what the four numbers are; `xywh` and `cxcywh` have width and height.
        decimals: how many a coordinate is written with; 0 for integers.
    """

    box: str | tuple[str, str, str, str] = "bbox_2d"
    label: str = "label"
    order: Literal["xyxy", "yxyx", "xywh", "cxcywh"] = "xyxy"
    decimals: int = 0
