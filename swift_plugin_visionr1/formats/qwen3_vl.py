"""Qwen3-VL and Qwen3.5: Qwen2.5-VL's JSON, with coordinates in thousandths of the image's sides."""

from ..coords import FRAMES
from .json_boxes import JsonBoxes
from .layout import JsonLayout
from .qwen2_5_vl import OTHER_KEYS

QWEN3_VL = JsonBoxes(name="qwen3_vl", frame=FRAMES["norm1000"], layout=JsonLayout(), others=OTHER_KEYS)
