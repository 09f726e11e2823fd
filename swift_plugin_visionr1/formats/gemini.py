"""Gemini and Gemma: a list of {"box_2d": [ymin, xmin, ymax, xmax], "label": "..."} in thousandths, y first.

A "bbox_2d" is not read: that is the key of Qwen, whose numbers have x first. Segmentation's "mask" is passed over.
"""

from ..coords import FRAMES
from .json_boxes import JsonBoxes
from .layout import JsonLayout

OTHER_KEYS = ("box", "boxes_2d", "bounding_box")

GEMINI = JsonBoxes(
    name="gemini",
    frame=FRAMES["norm1000"],
    layout=JsonLayout("box_2d", order="yxyx"),
    others=OTHER_KEYS,
    indent="  ",
)
