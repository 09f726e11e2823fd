"""What annotations and results have in common, checked alike."""

import sys
from collections.abc import Container, Hashable, Mapping
from typing import Any

import numpy as np

from ..errors import InputError


def check_record(record: Mapping[str, Any], what: str, images: Container[Any], categories: Container[Any]) -> None:
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
            raise InputError(f"expected {what} to have a {name} that the annotation file lists, got {value!r}")
    box = record.get("bbox")
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(is_finite_number, box)):
        raise InputError(f"expected {what} to have a bbox of four finite numbers [x, y, width, height], got {box!r}")


def is_finite_number(value: object) -> bool:
    """Whether `value` is a number, neither NaN nor infinite nor too large for a float."""
    return isinstance(value, int | float | np.integer | np.floating) and bool(abs(value) <= sys.float_info.max)
