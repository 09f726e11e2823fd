"""D³, the description detection dataset: 422 descriptions as categories, of which 106 name what is
absent ("a dog without a leash").

The boxes are in `d3_json/d3_full_annotations.json`; the descriptions that name an absence are the
categories of `d3_abs_annotations.json`. Intra-scenario, an image is asked about the descriptions of
its own group only: `d3_pkl/images.pkl` and `groups.pkl` say which (shikras/d-cube, doc.md).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.pickles import read_pickle
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import read_json

from ...coco.annotations import ASKED
from ..spec import DatasetSpec
from .content import Content

INTRA = "intra"


def read_d3(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    data, absent = read_json(spec.ann), {one["id"] for one in _categories(spec.needs[0])}
    categories = [one | {"absence": one["id"] in absent} for one in _categories(spec.ann, data)]
    images = data.get("images")
    if spec.split == INTRA and isinstance(images, list):
        asked = _asked(spec)
        unknown = [image.get("id") for image in images if image.get("id") not in asked]
        if unknown:
            raise InputError(
                f"expected the group of every image of {spec.ann} in {spec.needs[1]}, got none for "
                f"{len(unknown)}, such as {unknown[0]!r}"
            )
        images = [image | {ASKED: asked[image["id"]]} for image in images]
    boxes = data.get("annotations")
    if isinstance(boxes, list):  # they are numbered anew, because COCOeval cannot handle number 0
        boxes = [one | {"published_id": one.get("id")} for one in boxes if isinstance(one, dict)]
    made = {"images": images, "categories": categories, "annotations": boxes}
    return Content(data | made, files=(spec.ann, *spec.needs))


def _categories(path: Path, data: Any = None) -> list[dict[str, Any]]:
    data = read_json(path) if data is None else data
    categories = data.get("categories") if isinstance(data, dict) else None
    if not isinstance(categories, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), int) for one in categories
    ):
        raise InputError(
            f'expected {path} to be COCO annotations with a list "categories" that have whole ids'
        )
    return categories


def _asked(spec: DatasetSpec) -> dict[Any, list[Any]]:
    """Image id -> the descriptions of its group."""
    images, groups = (_records(path) for path in spec.needs[1:3])
    try:
        return {
            key: list(groups[image["group_id"]]["inner_sent_id"]) for key, image in images.items()
        }
    except (KeyError, TypeError) as error:
        raise InputError(
            f"expected group_id of each image in {spec.needs[1]} and inner_sent_id of each group "
            f"in {spec.needs[2]}, got none: {error}"
        ) from None


def _records(path: Path) -> Mapping[Any, Any]:
    records = read_pickle(path)
    if not isinstance(records, dict):
        raise InputError(f"expected {path} to hold records by id, got a {type(records).__name__}")
    return records
