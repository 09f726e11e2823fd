"""COCO annotations: read, checked, and repaired where COCOeval would silently count wrong."""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.frames import Size

from .checks import check_record, check_truth
from .repairs import keep_classes, repaired

Id = int | str


@dataclass(frozen=True)
class Image:
    """An image of the annotation file.

    Attributes:
        id: as in the file.
        file_name: relative to the folder of the images; "" where the file has none.
        size: (width, height) of the original image in pixels.
        caption: the referring expression, where the file is of that kind.
    """

    id: Id
    file_name: str
    size: Size
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Annotations:
    """A COCO annotation file.

    Attributes:
        path: the file as given.
        sha256: of the file as given.
        images: in the file's order.
        categories: category id -> name, in the file's order, which need not be the order of the
            ids.
        data: the file's content after the repairs.
        repairs: what was changed for the metric, in words; empty when the file is used as it is.
    """

    path: Path
    sha256: str
    images: tuple[Image, ...]
    categories: dict[Id, str]
    data: dict[str, Any]
    repairs: tuple[str, ...]

    @contextmanager
    def metric_file(self) -> Iterator[Path]:
        """A file with `data`: the original where nothing was repaired, else a temporary copy."""
        if not self.repairs:
            yield self.path
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "annotations.json"
            copy.write_text(json.dumps(self.data), encoding="utf-8")
            yield copy

    def present(self) -> dict[Id, tuple[Id, ...]]:
        """Image id -> the categories that it has an annotation of which is no crowd, in the file's
        order."""
        found: dict[Id, set[Id]] = {image.id: set() for image in self.images}
        for record in self.data["annotations"]:
            if not record["iscrowd"]:
                found[record["image_id"]].add(record["category_id"])
        return {key: tuple(c for c in self.categories if c in here) for key, here in found.items()}

    def unannotated(self) -> tuple[str, ...]:
        """Names of the categories without any annotation, in the file's order; AP leaves them
        out."""
        found = {record["category_id"] for record in self.data["annotations"]}
        return tuple(name for key, name in self.categories.items() if key not in found)


def read_annotations(path: str | Path, classes: Sequence[str] | None = None) -> Annotations:
    """Read and check a COCO annotation file.

    Args:
        classes: names of the categories to keep, in any order, as mmdet's metainfo has them; the
            other categories and their annotations are left out (Roboflow's exports have a
            supercategory as category 0). None keeps all.

    Raises:
        InputError: the file cannot be read, lacks something, or contradicts itself, or has no
            category of that name.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        data = json.loads(raw)
    except OSError as error:
        raise InputError(f"expected a COCO annotation file, got {path}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(
            f"expected {path} to be a COCO annotation file, got text that is not JSON ({error})"
        ) from None
    return _checked(path, hashlib.sha256(raw).hexdigest(), data, classes)


def _checked(path: Path, sha256: str, data: Any, classes: Sequence[str] | None) -> Annotations:
    images, annotations, categories = (
        _section(data, name, path) for name in ("images", "annotations", "categories")
    )
    names = {
        c["id"]: str(_field(c, "name", f"category {c['id']}"))
        for c in _with_unique_ids(categories, "categories")
    }
    known = tuple(_image(record) for record in _with_unique_ids(images, "images"))
    image_ids = {image.id for image in known}
    for record in annotations:
        what = f"annotation {record.get('id')}"
        check_record(record, what, image_ids, names)
        check_truth(record, what)
    repairs: list[str] = []
    if classes is not None:
        categories, annotations = keep_classes(categories, annotations, classes, path, repairs)
        names = {category["id"]: names[category["id"]] for category in categories}
    fixed = repaired(annotations, repairs)
    data = {**data, "categories": categories, "annotations": fixed}
    return Annotations(path, sha256, known, names, data, tuple(repairs))


def _section(data: Any, name: str, path: Path) -> list[dict[str, Any]]:
    found = data.get(name) if isinstance(data, dict) else None
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise InputError(
            f'expected {path} to be COCO annotations with a list of objects "{name}", got none'
        )
    if not found and name != "annotations":
        raise InputError(
            f'expected {path} to have at least one entry in "{name}", got an empty list'
        )
    return found


def _field(record: dict[str, Any], name: str, what: str) -> Any:
    if record.get(name) is None:
        raise InputError(
            f'expected {what} of the annotation file to have "{name}", got {sorted(record)}'
        )
    return record[name]


def _with_unique_ids(records: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    ids = [_field(record, "id", f"every entry of {what}") for record in records]
    # COCOeval sorts ids with numpy, which turns a mixed list into strings that match nothing.
    if {type(i) for i in ids} not in ({int}, {str}):
        raise InputError(
            f"expected the ids of {what} to be all integers or all strings, got {ids[:5]}..."
        )
    if len(set(ids)) < len(ids):
        twice = Counter(ids).most_common(1)[0][0]
        raise InputError(
            f"expected each id of {what} once in the annotation file, got {twice!r} more than once"
        )
    return records


def _image(record: dict[str, Any]) -> Image:
    size = tuple(_field(record, side, f"image {record['id']}") for side in ("width", "height"))
    if not all(type(side) in (int, float) and side > 0 and side == side // 1 for side in size):
        raise InputError(
            f"expected image {record['id']} to have its width and height in pixels, whole numbers "
            f"above 0, got {size}"
        )
    # LVIS v1 has no file_name; mmdet takes the path of the image's address for it.
    name = record.get("file_name") or str(record.get("coco_url") or "").removeprefix(
        "http://images.cocodataset.org/"
    )
    return Image(
        record["id"], str(name), (int(size[0]), int(size[1])), str(record.get("caption") or "")
    )
