"""Turns rows of referring expressions into MDETR's form of COCO annotations, which mmdet and the
suite `refcoco` read."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.coco_records import is_finite_number
from swift_plugin_visionr1.data.images import image_size
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.frames import Size

KEYS = ("file_name", "image_id", "bbox", "expression")


def mdetr_annotations(
    rows: Iterable[Mapping[str, Any]], sizes: Mapping[str, Size], dataset_name: str
) -> dict[str, Any]:
    """Make one image entry and one annotation for each expression.

    Args:
        rows: "file_name", "image_id", "bbox" as [x, y, width, height] in original pixels,
            "expression".
        sizes: (width, height) in pixels by file name, e.g. from `image_sizes`.
        dataset_name: "refcoco", "refcoco+" or "refcocog", as mmdet's RefExpMetric expects it.

    Raises:
        InputError: a row lacks a key or has an invalid value, or the size of its image is unknown.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        _check(row, number, sizes)
        width, height = sizes[row["file_name"]]
        images.append(
            {
                "id": number,
                "file_name": row["file_name"],
                "width": width,
                "height": height,
                "original_id": row["image_id"],
                "caption": row["expression"],
                "dataset_name": dataset_name,
            }
        )
        box = list(row["bbox"])
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": 1,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
        )
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "object"}],
    }


def _check(row: Mapping[str, Any], number: int, sizes: Mapping[str, Size]) -> None:
    for key in KEYS:
        if key not in row:
            raise InputError(f"expected {', '.join(KEYS)} in row {number}, got no {key}")
    for key in ("file_name", "expression"):
        if not isinstance(row[key], str):
            raise InputError(f"expected {key} of row {number} to be a text, got {row[key]!r}")
    box = row["bbox"]
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(is_finite_number, box)):
        raise InputError(
            f"expected bbox of row {number} to be four numbers [x, y, width, height], got {box!r}"
        )
    if row["file_name"] not in sizes:
        raise InputError(
            f"expected the size of the image in row {number}, got no size for {row['file_name']}"
        )


def image_sizes(folder: Path, file_names: Iterable[str]) -> dict[str, Size]:
    """(width, height) of image files, in pixels as stored.

    Raises:
        ImageError: a file is missing or not an image.
    """
    return {name: image_size(folder / name) for name in dict.fromkeys(file_names)}
