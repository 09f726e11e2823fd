"""Rex-Omni's evaluation data, which LocateAnything uses too: a line for each image and question,
`{"image_path", "categories", "gt": {label: [[x1, y1, x2, y2], ...]}}`, boxes in pixels
(IDEA-Research/Rex-Omni, evaluation; data Mountchicken/Rex-Omni-EvalData)."""

from typing import Any

from swift_plugin_visionr1.data.row_files import read_rows
from swift_plugin_visionr1.declared import check_value
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.frames import Size

from ...coco.annotations import ASKED
from ..spec import DatasetSpec
from .content import Content, corners_to_xywh, rows_with, size_in

KINDS: dict[str, Any] = {"image_path": str, "gt": dict[str, list[Any]]}


def read_rex_omni(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    ids: dict[str, int] = {}
    sizes: dict[str, Size] = {}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for where, row in rows_with(KINDS, read_rows(spec.ann), spec):
        names = row.get("categories") or tuple(row["gt"])
        names = check_value(names, tuple[str, ...], f"categories in {where}")
        asked = [ids.setdefault(name, len(ids) + 1) for name in names]
        width, height = size_in(spec.images, row["image_path"], sizes)
        number = len(images) + 1
        entry = {"id": number, "file_name": row["image_path"], "width": width, "height": height}
        images.append(entry | {ASKED: asked})
        for name, boxes in row["gt"].items():
            category = ids.setdefault(name, len(ids) + 1)
            annotations += [
                {"image_id": number, "category_id": category, "bbox": box, "iscrowd": 0}
                for box in corners_to_xywh(boxes, where)
            ]
    if not images:
        raise InputError(f"expected rows in {spec.ann}, got none")
    numbered = [
        {"id": number, "area": record["bbox"][2] * record["bbox"][3], **record}
        for number, record in enumerate(annotations, start=1)
    ]
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    return Content({"images": images, "annotations": numbered, "categories": categories})
