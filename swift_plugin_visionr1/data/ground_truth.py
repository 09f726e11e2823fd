"""The `solution` of a dataset row: the annotated boxes that a completion is scored against."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SolutionError
from ..geometry.boxes import Boxes, as_boxes, is_valid
from ..geometry.frames import Size
from ..text import short
from .box_faults import ROUNDING, TOLERANCE, BoxEvidence, beyond, find_box_fault

EXPECTED = (
    'expected "solution" to be a JSON string {"width": W, "height": H, "boxes": [[x1, y1, x2, y2], '
    "...], "
    '"labels": ["...", ...]} with boxes in pixels of the original image'
)
LARGEST_SIDE = 10**6  # pixels of an image


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Annotations of one image.

    Attributes:
        size: (width, height) of the original image in pixels.
        boxes: (m, 4) float64 xyxy in pixels of the original image, inside it, not writeable.
        labels: m labels.
        clipped: how many of the boxes left the image by more than rounding, and were clipped.
    """

    size: Size
    boxes: Boxes
    labels: tuple[str, ...]
    clipped: int = 0


def read_solution(
    solution: object, width: int | None = None, height: int | None = None
) -> GroundTruth:
    """Read our `solution`, or the one of the authors' published data:
    `[[label, [x1, y1, x2, y2]], ...]`.

    Args:
        solution: the JSON string of the row.
        width: the row's column `width` in pixels, which the authors' form needs.
        height: the row's column `height`.

    Raises:
        SolutionError: what was expected and what came.
    """
    if not isinstance(solution, str):
        raise SolutionError(f"{EXPECTED}; got {type(solution).__name__}: {short(solution)}")
    if isinstance(width, list | dict) or isinstance(height, list | dict):
        raise SolutionError(
            f"expected columns width and height in pixels, got {short(width)} and {short(height)}"
        )
    return _read(solution, width, height)


@lru_cache(maxsize=4096)  # every generation of a prompt comes with the same solution
def _read(solution: str, width: int | None, height: int | None) -> GroundTruth:
    try:
        data = json.loads(solution)
    except (ValueError, RecursionError) as error:
        raise SolutionError(
            f"{EXPECTED}; got text that is not JSON ({error}): {short(solution)}"
        ) from None
    if isinstance(data, list):
        data = _from_pairs(data, width, height)
    if not isinstance(data, dict):
        raise SolutionError(f"{EXPECTED}; got a {type(data).__name__}: {short(solution)}")
    missing = [key for key in ("width", "height", "boxes", "labels") if key not in data]
    if missing:
        raise SolutionError(f"{EXPECTED}; got no {', '.join(missing)}: {short(solution)}")
    return _checked(data)


def _from_pairs(pairs: list[Any], width: int | None, height: int | None) -> dict[str, Any]:
    boxes: list[Any] = []
    labels: list[Any] = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], list):
            raise SolutionError(
                f"{EXPECTED}, or a list of [label, [x1, y1, x2, y2]]; got an entry {short(pair)}"
            )
        of_label = pair[1] if pair[1] and isinstance(pair[1][0], list) else [pair[1]]
        boxes += of_label
        labels += [pair[0]] * len(of_label)
    if width is None or height is None:
        raise SolutionError(
            "expected columns width and height beside a solution of [label, box] pairs; got none"
        )
    return {"width": width, "height": height, "boxes": boxes, "labels": labels}


def _whole(side: Any) -> Any:
    """640.0, as tables write it, as 640; anything else as it is."""
    return int(side) if type(side) is float and side.is_integer() else side


def _checked(data: dict[str, Any]) -> GroundTruth:
    size = _whole(data["width"]), _whole(data["height"])
    if not all(type(side) is int and 0 < side <= LARGEST_SIDE for side in size):
        raise SolutionError(
            f"expected width and height to be whole numbers of pixels above 0, got {short(size)}"
        )
    try:
        boxes = as_boxes(data["boxes"])
    except (ValueError, TypeError, OverflowError) as error:
        raise SolutionError(
            f"expected boxes as [[x1, y1, x2, y2], ...] in numbers, got {error}"
        ) from None
    labels = data["labels"]
    if (
        not isinstance(labels, list)
        or not all(isinstance(v, str) for v in labels)
        or len(labels) != len(boxes)
    ):
        raise SolutionError(
            f"expected labels to be a list of {len(boxes)} strings, got {short(labels)}"
        )
    boxes, clipped = _in_image(boxes, size)
    boxes.flags.writeable = False  # every row with the same solution shares them
    return GroundTruth(size, boxes, tuple(labels), clipped)


def _in_image(boxes: Boxes, size: Size) -> tuple[Boxes, int]:
    """The boxes clipped to their image, and how many of them left it by more than rounding."""
    if not (valid := is_valid(boxes)).all():
        raise _not_a_box(boxes, valid)
    if len(boxes) and boxes.max() <= 1 < min(size):
        raise SolutionError(
            f"expected boxes in pixels of the original image of {size[0]} x {size[1]}, got all of "
            f"them within its first pixel, such as {boxes[0].tolist()}: are they normalised to 1?"
        )
    over = beyond(boxes, np.array([size]))
    if not over.any():
        return boxes, 0
    inside = np.clip(boxes, 0, [*size, *size])
    for index in np.flatnonzero((over > TOLERANCE) | ~is_valid(inside)):
        raise SolutionError(
            f"expected box {index} inside the original image of {size[0]} x {size[1]} pixels, got "
            f"{boxes[index].tolist()}: {_cause(boxes, size)}"
        )
    return inside, int((over > ROUNDING).sum())


def _not_a_box(boxes: Boxes, valid: NDArray[np.bool_]) -> SolutionError:
    infinite = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
    index = infinite[0] if len(infinite) else np.flatnonzero(~valid)[0]
    numbers = boxes[index].tolist()
    if len(infinite):
        return SolutionError(
            f"expected numbers of pixels in box {index}, got {numbers}: leave this box out"
        )
    return SolutionError(
        f"expected x1 < x2 and y1 < y2 in box {index}, got {numbers}: is it [x, y, width, height]?"
    )


def _cause(boxes: Boxes, size: Size) -> str:
    """Why boxes of a row leave their image, as far as a single row can tell."""
    sizes = np.tile(np.array(size, dtype=np.float64), (len(boxes), 1))
    fault = find_box_fault(BoxEvidence(boxes, "xyxy", sizes, np.zeros(len(boxes), dtype=np.int64)))
    if fault is None or fault.code == "out_of_image":
        return "is it of this image, and of its original size?"
    return fault.text
