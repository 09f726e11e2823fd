"""What annotations and results have in common, checked alike."""

import sys
from collections.abc import Container, Hashable, Mapping
from typing import Any

import numpy as np

from swift_plugin_visionr1.errors import InputError


def check_record(
    record: Mapping[str, Any], what: str, images: Container[Any], categories: Container[Any]
) -> None:
    """Check that the record's image and category are known and its bbox is four finite numbers.

    Args:
        record: an annotation or a result with image_id, category_id and bbox.
        what: names it in the error.
        images: ids of the images.
        categories: ids of the categories.

    Raises:
        InputError: it is not so.
    """
    for name, known in (("image_id", images), ("category_id", categories)):
        value = record.get(name)
        if not isinstance(value, Hashable) or value not in known:
            raise InputError(
                f"expected {what} to have a {name} that the annotation file lists, got {value!r}"
            )
    box = record.get("bbox")
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(is_finite_number, box)):
        raise InputError(
            f"expected {what} to have a bbox of four finite numbers [x, y, width, height], got "
            f"{box!r}"
        )


def check_truth(record: Mapping[str, Any], what: str) -> None:
    """Check the area and iscrowd of an annotation, which may lack them: COCOeval takes any text for
    a crowd.

    Args:
        record: an annotation.
        what: names it in the error.

    Raises:
        InputError: the area is no finite number that is at least 0, or iscrowd is neither 0 nor 1.
    """
    area, crowd = record.get("area"), record.get("iscrowd")
    if area is not None and not (is_finite_number(area) and area >= 0):
        raise InputError(f"expected {what} to have as area a number of square pixels, got {area!r}")
    if crowd is not None and not (is_finite_number(crowd) and crowd in (0, 1)):
        raise InputError(f"expected {what} to have an iscrowd of 0 or 1, got {crowd!r}")


def is_finite_number(value: object) -> bool:
    """Whether `value` is a number, neither NaN nor infinite nor too large for a float."""
    return isinstance(value, int | float | np.integer | np.floating) and bool(
        abs(value) <= sys.float_info.max
    )
