"""JSON by settings: for a model that writes a list of objects in a layout and a frame of its own.

Moondream's objects, for example, are `box: [x_min, y_min, x_max, y_max]`, `decimals: 3`, frame `norm1`.
"""

from .json_boxes import JsonBoxes

JSON = JsonBoxes()
