"""JSON by settings: for a model that writes a list of objects in a layout and a frame of its own.

Moondream's objects, for example, are `box: [x_min, y_min, x_max, y_max]`, `decimals: 3`, frame
`norm1`. Two lists side by side, {"bboxes": [[...], ...], "labels": [...]}, are read too: ms-swift
turns what Florence-2 writes into them.
"""

from .json_boxes import JsonBoxes
from .qwen2_5_vl import OTHER_KEYS

JSON = JsonBoxes(others=OTHER_KEYS)
