"""gRefCOCO: expressions of one, several or no objects.

Either as published, `grefs(unc).json` beside `instances.json`, or in MDETR's form, COCO annotations
with one entry of images for each expression. There an expression without a target has one
annotation, of category -1 and without a box (henghuiding/gRefCOCO, grefexp_coco_format.py).
"""

from typing import Any

from swift_plugin_visionr1.curate.sources.refs import open_refs
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import read_bytes, read_json

from ..spec import DatasetSpec
from .content import OBJECT, Content
from .referring import from_source

NO_TARGET = -1


def read_grefcoco(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    if read_bytes(spec.ann, 64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return Content(_of_mdetr(read_json(spec.ann), spec))
    return from_source(open_refs, spec)


def _of_mdetr(data: dict[str, Any], spec: DatasetSpec) -> dict[str, Any]:
    records = data.get("annotations")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InputError(
            f'expected {spec.ann} to be COCO annotations with a list of objects "annotations", '
            f"got {sorted(data)}"
        )
    kept = [
        record | {"category_id": OBJECT["id"]}
        for record in records
        if record.get("category_id") != NO_TARGET and not record.get("empty")
    ]
    return data | {"annotations": kept, "categories": [dict(OBJECT)]}
