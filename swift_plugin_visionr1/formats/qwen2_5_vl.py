"""Qwen2.5-VL: a list of {"bbox_2d": [x1, y1, x2, y2], "label": "..."} in pixels of the processed
image.

Also MiMo-VL, VLM-R1, DeepEyes and others that were trained from it. A "box_2d" is not read: that is
the key of Gemini, whose numbers have y first, and what a Qwen model that was asked for it means is
unknown.
"""

from ..geometry.frames import FRAMES
from .json_boxes import JsonBoxes
from .json_layout import JsonLayout

OTHER_KEYS = (
    "bbox",
    "bboxes",
    "bboxes_2d",
    "box",
    "boxes",
    "bounding_box",
    "coordinates",
    "position",
)

QWEN2_5_VL = JsonBoxes(
    name="qwen2_5_vl", frame=FRAMES["processed"], layout=JsonLayout(), others=OTHER_KEYS
)
