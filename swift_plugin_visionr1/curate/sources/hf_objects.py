"""Hugging Face's `objects` columns in parquet: boxes and categories of an image.

Boxes are [x, y, width, height] unless `--boxes` says otherwise. `objects` is a mapping of lists or
a list of mappings; names of categories are in the file's own description.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ...data.row_files import read_file
from ...errors import InputError
from ..sample import Request, Sample, Source, is_id, to_xyxy
from ..tally import Tally
from .coco import image_size
from .files_of import BAD_BOX, NO_LABEL
from .shapes import four_numbers
from .splits import split_of

BOXES = ("bbox", "bboxes", "box", "boxes")
CATEGORIES = ("category", "categories", "label", "labels", "category_id", "name")
BAD_ROW = "rows without an image and objects"
UNNAMED = (
    "its categories are numbers without names, and are asked for as such: save it with a "
    "ClassLabel, or with names as `category`"
)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix == ".parquet" else []
    return sorted(path.rglob("*.parquet")) if path.is_dir() else []


def _schema(path: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]
    except ImportError:
        raise InputError(f"expected pyarrow to read {path}: pip install pyarrow") from None
    try:
        return parquet.read_schema(path)
    except (ArrowException, OSError) as error:
        raise InputError(f"expected a parquet file at {path}, got: {error}") from None


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    files = _files(path)
    return bool(files) and {"objects", "image"} <= set(_schema(files[0]).names)


def open_hf_objects(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    files = _files(request.path)
    names = _class_names(_schema(files[0]))
    layout, unit = request.box_form("xywh")
    labels = dict.fromkeys(names) if names else _seen(files, names)
    return Source(
        name=request.path.stem,
        format="hf_objects",
        files=tuple(files),
        images=request.folders(request.path if request.path.is_dir() else request.path.parent),
        categories=tuple(labels),
        exhaustive=True,
        tasks=("detection", "grounding", "referring"),
        read=lambda tally: _samples(files, names, layout, unit, tally),
        layout="xywh" if layout == "xywh" else "xyxy",
        count=sum(_row_count(file) for file in files),
        notes=(UNNAMED,) if labels and all(label.isdigit() for label in labels) else (),
    )


def _row_count(file: Path) -> int:
    from pyarrow import parquet

    return int(parquet.read_metadata(file).num_rows)


def _class_names(schema: Any) -> list[str]:
    """The names of the ClassLabel, from the description that `datasets` writes into the file."""
    raw = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(raw)["info"]["features"] if raw else {}
    except (ValueError, KeyError, TypeError):
        return []
    return _names_in(features.get("objects") if isinstance(features, dict) else None)


def _names_in(node: Any) -> list[str]:
    if isinstance(node, dict):
        if node.get("_type") == "ClassLabel" and isinstance(node.get("names"), list):
            return [str(name) for name in node["names"]]
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        if names := _names_in(child):
            return names
    return []


def _seen(files: list[Path], names: list[str]) -> dict[str, None]:
    from pyarrow import parquet

    seen: dict[str, None] = {}
    for file in files:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=256, columns=["objects"]):
            for row in batch.to_pylist():
                seen |= {
                    str(label): None for _, label in _pairs(row["objects"]) if label is not None
                }
    return dict.fromkeys(sorted(seen))


def _samples(
    files: list[Path], names: list[str], layout: str, unit: float, tally: Tally
) -> Iterator[Sample]:
    for file in files:
        split = split_of(file.stem) or split_of(file.parent.name)
        for number, row in read_file(file):
            where = f"row {number} of {file.name}"
            image = row.get("image") if isinstance(row, Mapping) else None
            if not image or isinstance(row, str) or row.get("objects") is None:
                tally.drop(BAD_ROW, where)
                continue
            boxes, labels, partly = _objects(row["objects"], names, where, tally)
            yield Sample(
                id=row["image_id"] if is_id(row.get("image_id")) else f"{file.stem}_{number}",
                image=_held(image),
                size=image_size(row),
                boxes_xyxy=to_xyxy(boxes, layout),
                labels=tuple(labels),
                unsure=tuple(dict.fromkeys(partly)),
                split=split,
                unit=unit,
            )


def _held(image: Any) -> Any:
    """The path of an image, or a mapping with its bytes."""
    if isinstance(image, str) or image.get("bytes"):
        return image
    return image.get("path") or image


def _pairs(objects: Any) -> list[tuple[Any, Any]]:
    """(box, category) of each object."""
    if isinstance(objects, Mapping):
        boxes: list[Any] = next((objects[k] for k in BOXES if objects.get(k) is not None), [])
        kinds: list[Any] = next((objects[k] for k in CATEGORIES if objects.get(k) is not None), [])
        return list(zip_longest(boxes, kinds))
    some = objects if isinstance(objects, list) else []
    return [
        (
            next((each[key] for key in BOXES if key in each), None),
            next((each[key] for key in CATEGORIES if each.get(key) is not None), None),
        )
        for each in some
        if isinstance(each, Mapping)
    ]


def _objects(
    objects: Any, names: list[str], where: str, tally: Tally
) -> tuple[list[list[float]], list[str], list[str]]:
    boxes: list[list[float]] = []
    labels: list[str] = []
    partly: list[str] = []
    for numbers, kind in _pairs(objects):
        label = _label(kind, names)
        box = four_numbers(numbers) if isinstance(numbers, list) else None
        if not label:
            tally.drop(NO_LABEL, where)
        elif box is None:
            tally.drop(BAD_BOX, f"{label} in {where}")
            partly.append(label)
        else:
            boxes.append(box)
            labels.append(label)
    return boxes, labels, partly


def _label(kind: Any, names: list[str]) -> str:
    if isinstance(kind, int) and names:
        return names[kind] if 0 <= kind < len(names) else ""
    return "" if kind is None else str(kind).strip()
