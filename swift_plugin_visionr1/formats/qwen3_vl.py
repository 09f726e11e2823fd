"""Qwen3-VL and Qwen3.5: Qwen2.5-VL's JSON, with coordinates in thousandths of the image's sides.

Question: QwenLM/Qwen3-VL, cookbooks/2d_grounding.ipynb.
"""

from ..geometry.frames import FRAMES
from .base import Questions
from .json_boxes import JsonBoxes
from .json_layout import JsonLayout
from .qwen2_5_vl import OTHER_KEYS

QUESTIONS = Questions(
    'Locate every instance that belongs to the following categories: "{}". Report bbox coordinates '
    "in JSON format."
)

QWEN3_VL = JsonBoxes(
    name="qwen3_vl",
    frame=FRAMES["norm1000"],
    layout=JsonLayout(),
    others=OTHER_KEYS,
    questions=QUESTIONS,
)
