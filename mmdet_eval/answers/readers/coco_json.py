"""COCO results: a JSON list of {image_id, category_id, bbox [x, y, width, height] in original
pixels, score}."""

from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.data.coco_records import check_record, is_finite_number
from swift_plugin_visionr1.errors import InputError

from ...coco.annotations import Annotations
from ...coco.results import CocoResult
from .result_ids import check_ids, check_names


def read_results(data: list[Any], path: Path, annotations: Annotations) -> list[CocoResult]:
    """Check COCO results against the annotations, and return them in ascending order of the image
    ids, otherwise in the given order.

    Raises:
        InputError: a result lacks something, names an unknown image or category, or has a bbox or
            score that is not finite.
    """
    images = {image.id for image in annotations.images}
    if not _all_good(data, images, set(annotations.categories)):
        check_ids(data, path, annotations)
        for number, result in enumerate(data):
            _check(result, f"result {number} of {path}", images, annotations)
    check_names(data, path, annotations)
    return sorted(data, key=lambda result: result["image_id"])


def _all_good(results: list[Any], images: set[Any], categories: set[Any]) -> bool:
    """A quick check of all results at once. If it fails, they are checked one by one."""
    if not results:
        return True
    try:
        numbers = (
            np.array([result["bbox"] for result in results]),
            np.array([result["score"] for result in results]),
        )
        known = images.issuperset(result["image_id"] for result in results)
        known = known and categories.issuperset(result["category_id"] for result in results)
    except (TypeError, KeyError, ValueError, IndexError):
        return False
    plain = all(array.dtype.kind in "iuf" and np.isfinite(array).all() for array in numbers)
    return known and plain and numbers[0].shape == (len(results), 4) and numbers[1].ndim == 1


def _check(result: Any, what: str, images: set[Any], annotations: Annotations) -> None:
    if not isinstance(result, dict):
        raise InputError(
            f"expected {what} to be an object with image_id, category_id, bbox and score, got "
            f"{result!r}"
        )
    check_record(result, what, images, annotations.categories)
    if not is_finite_number(result.get("score")):
        raise InputError(
            f"expected {what} to have a finite score, got {result.get('score')!r}: "
            "--score does not apply to given boxes; write a score into each result"
        )
