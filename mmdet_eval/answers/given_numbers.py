"""Checks the numbers of given boxes by themselves: negative sizes, fractions, scores outside 0 to
1."""

import numpy as np

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import Boxes
from swift_plugin_visionr1.text import share

from ..coco.detections import Detections

LOOKED_AT = 20_000  # boxes, spread over the file: a faulty file shows in them
MOST = 0.5  # of the boxes: the number would be meaningless
UNIT = 1.01  # no box of an image in pixels ends there
LAYOUT = "[x, y, width, height] in pixels of the original image"


def number_warnings(detections: Detections) -> tuple[str, ...]:
    """What to know before trusting the numbers.

    Raises:
        InputError: most boxes cannot be boxes in pixels, so the numbers would be meaningless.
    """
    step = max(1, len(detections) // LOOKED_AT)
    boxes, scores = detections.boxes_xywh[::step], detections.score[::step]
    _check_fractions(boxes)
    if len(boxes) and (boxes[:, 2:] == 0).any(axis=1).all():
        raise InputError(
            f"expected boxes as {LAYOUT}, got only boxes without area: each has a size of 0"
        )
    negative = int((boxes[:, 2:] < 0).any(axis=1).sum())
    if negative > MOST * len(boxes):
        raise InputError(
            f"expected boxes as {LAYOUT}, got a negative width or height in "
            f"{share(negative, len(boxes))} of them: write the upper left corner, then the size"
        )
    warnings = []
    if negative:
        warnings.append(
            f"{share(negative, len(boxes))} boxes have a negative width or height and match "
            f"nothing: bbox is {LAYOUT}"
        )
    if len(scores) and (scores.min() < 0 or scores.max() > 1):
        warnings.append(
            f"the scores range from {scores.min():g} to {scores.max():g}, not from 0 to 1: AP only "
            "ranks by them, so it is valid if a higher score means a more confident box"
        )
    return tuple(warnings)


def _check_fractions(boxes: Boxes) -> None:
    drawn = boxes[(boxes[:, 2:] > 0).all(axis=1)]  # some files are filled up with zeros
    unit = int((np.abs(drawn).max(axis=1) <= UNIT).sum()) if len(drawn) else 0
    if unit > MOST * len(drawn):
        raise InputError(
            f"expected boxes as {LAYOUT}, got {share(unit, len(drawn))} of them between 0 and 1: "
            "they are fractions of the image, so multiply them by its width and height"
        )
