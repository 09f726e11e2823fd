"""COCO content made from files of other forms."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.curate.sources.shapes import four_numbers
from swift_plugin_visionr1.data.image_paths import find_image
from swift_plugin_visionr1.data.images import image_size
from swift_plugin_visionr1.declared import check_value
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import as_boxes, xyxy_to_xywh
from swift_plugin_visionr1.geometry.frames import Size

from ..spec import DatasetSpec

OBJECT = {"id": 1, "name": "object"}  # the one category of files of expressions


@dataclass(frozen=True)
class Content:
    """What a file holds, as COCO annotations.

    Attributes:
        data: images, annotations and categories.
        notes: what was left out or changed, in words.
        files: the files that were read, if not only the annotation file.
    """

    data: dict[str, Any]
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Expression:
    """An expression and the boxes that it refers to: none, one or several.

    Attributes:
        file_name: of the image, relative to the folder of images.
        size: (width, height) of the image in pixels.
        text: the expression.
        boxes_xywh: in pixels of the image.
        about: what else the image's entry says, such as its domain.
    """

    file_name: str
    size: Size
    text: str
    boxes_xywh: Sequence[Sequence[float]]
    about: Mapping[str, Any] = field(default_factory=dict)


def content_of(expressions: Iterable[Expression], spec: DatasetSpec) -> dict[str, Any]:
    """One entry of images for each expression, numbered from 1, as in MDETR's files.

    Raises:
        InputError: there is no expression.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, one in enumerate(expressions, start=1):
        width, height = one.size
        entry = {"id": number, "file_name": one.file_name, "width": width, "height": height}
        images.append({**one.about, **entry, "caption": one.text})
        annotations += [
            {"image_id": number, "category_id": 1, "bbox": list(box), "iscrowd": 0}
            | {"area": box[2] * box[3]}
            for box in one.boxes_xywh
        ]
    if not images:
        part = f" of the split {spec.split!r}" if spec.split else ""
        raise InputError(f"expected expressions{part} in {spec.ann}, got none")
    numbered = [{"id": number, **record} for number, record in enumerate(annotations, start=1)]
    return {"images": images, "annotations": numbered, "categories": [dict(OBJECT)]}


def require_files(spec: DatasetSpec, count: int) -> None:
    """Raise InputError if the suite's file names fewer other files of a data set than its form
    reads."""
    if len(spec.needs) < count:
        raise InputError(
            f"expected `needs` of {spec.name} to name {count} files, which the form {spec.form} "
            f"reads beside {spec.ann}, got {len(spec.needs)}"
        )


def size_in(folder: Path, file_name: str, known: dict[str, Size]) -> Size:
    """(width, height) of an image, from its header, which is read once.

    Raises:
        ImageError: the image is missing or cannot be opened.
    """
    if file_name not in known:
        known[file_name] = image_size(find_image(folder, file_name) or folder / file_name)
    return known[file_name]


def rows_with(
    kinds: Mapping[str, Any], rows: Iterable[tuple[int, Mapping[str, Any] | str]], spec: DatasetSpec
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of a file and their places in words.

    Args:
        kinds: the keys that each row must have, with the types of their values.

    Raises:
        InputError: a row is not an object, lacks one of the keys, or has another value there.
    """
    for number, row in rows:
        where = f"row {number} of {spec.ann}"
        if not isinstance(row, Mapping):
            raise InputError(f"{where}: expected an object, got {row!r:.80}")
        lacking = [key for key in kinds if row.get(key) is None]
        if lacking:
            raise InputError(
                f"{where}: expected {', '.join(kinds)}, got no {', '.join(lacking)}: is it another "
                f"file than the suite's? It has {', '.join(map(str, row))}"
            )
        for key, kind in kinds.items():
            check_value(row[key], kind, f"{key} in {where}")
        yield where, row


def corners_to_xywh(boxes: Any, where: str) -> list[list[float]]:
    """Boxes [x1, y1, x2, y2] of a file as COCO writes them.

    Raises:
        InputError: they are not lists of four finite numbers.
    """
    read = [four_numbers(box) if isinstance(box, list) else None for box in boxes]
    if None in read:
        wrong = boxes[read.index(None)]
        raise InputError(
            f"{where}: expected boxes of four numbers [x1, y1, x2, y2], got {wrong!r:.80}"
        )
    boxes_xywh: list[list[float]] = xyxy_to_xywh(as_boxes(read)).tolist()
    return boxes_xywh
