"""Gemini and Gemma: a list of {"box_2d": [ymin, xmin, ymax, xmax], "label": "..."} in thousandths,
y first.

A "bbox_2d" is not read: that is the key of Qwen, whose numbers have x first. Segmentation's "mask"
is passed over.
Questions: put together from those of the Gemini API's documentation (image understanding) and
google-gemini/cookbook (Spatial_understanding.ipynb); of Gemma's own we found none.
"""

from ..geometry.frames import FRAMES
from .base import Questions
from .json_boxes import JsonBoxes
from .json_layout import JsonLayout

OTHER_KEYS = ("box", "boxes_2d", "bounding_box")

_ANSWER = (
    'Output a JSON list where each entry contains the 2D bounding box in the key "box_2d", as '
    "[ymin, xmin, ymax, "
    'xmax] normalized to 0-1000, and the text label in the key "label".'
)
QUESTIONS = Questions(
    f"Detect all objects of the following categories: {{}}. {_ANSWER}",
    f"Detect the {{}} in the image. {_ANSWER}",
)

GEMINI = JsonBoxes(
    name="gemini",
    frame=FRAMES["norm1000"],
    layout=JsonLayout("box_2d", order="yxyx"),
    others=OTHER_KEYS,
    indent="  ",
    questions=QUESTIONS,
)
