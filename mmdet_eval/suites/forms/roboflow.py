"""Roboflow's exports in COCO form, as the package rf100vl downloads them.

An export has a placeholder as category 0, with the supercategory "none"; the downloader removes it
and counts from 0. If it finds another first category, it overwrites the file with `null`
(roboflow/rf100-vl @3fff05a, dataset.py).
"""

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import read_json

from ..spec import DatasetSpec
from .content import Content


def read_roboflow(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    data = read_json(spec.ann)
    if data is None:
        raise InputError(
            f"expected COCO annotations in {spec.ann}, got null: the downloader of rf100vl "
            "overwrites the file if its first category is not a placeholder; download the project "
            "from Roboflow in COCO form"
        )
    categories = data.get("categories") if isinstance(data, dict) else None
    if not isinstance(categories, list) or not isinstance(data.get("annotations"), list):
        return Content(data)  # the check of every file says what is missing
    records = [one for one in data["annotations"] if isinstance(one, dict)]
    used = any(one.get("category_id") == 0 for one in records)
    unused = [
        one
        for one in categories
        if isinstance(one, dict)
        and one.get("supercategory") == "none"
        and one.get("id") == 0
        and not used
        and len(categories) > 1
    ]
    if not unused:
        return Content(data)
    kept = [one for one in categories if one not in unused]
    note = f"Roboflow's placeholder {unused[0].get('name')!r} left out of the categories"
    return Content(data | {"categories": kept}, (note,))
