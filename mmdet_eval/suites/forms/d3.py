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
from .content import Content, require_files

INTRA = "intra"


def read_d3(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    data = read_json(spec.ann)
    absent = {one["id"] for one in _with_ids(read_json(spec.needs[0]), "categories", spec.needs[0])}
    categories = [
        one | {"absence": one["id"] in absent} for one in _with_ids(data, "categories", spec.ann)
    ]
    images = _with_ids(data, "images", spec.ann)
    if spec.split == INTRA:
        asked = _asked(spec)
        unknown = [image["id"] for image in images if image["id"] not in asked]
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


def _with_ids(data: Any, name: str, path: Path) -> list[dict[str, Any]]:
    """A list of COCO annotations whose entries have whole numbers as ids; raises InputError."""
    records = data.get(name) if isinstance(data, dict) else None
    if not isinstance(records, list) or not all(
        isinstance(one, dict) and type(one.get("id")) is int for one in records
    ):
        raise InputError(
            f'expected {path} to be COCO annotations with a list "{name}" of entries with whole '
            "numbers as ids"
        )
    return records


def _asked(spec: DatasetSpec) -> dict[Any, list[Any]]:
    """Image id -> the descriptions of its group."""
    require_files(spec, 3)
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
