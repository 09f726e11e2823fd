"""COCO instances files: the one reader for preparing data, asking models and evaluating answers."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import json_in, read_bytes
from ..geometry.frames import Size
from ..text import listed, short
from .coco_mending import Records, of_classes, without_unused_twins
from .coco_records import are_plain, check_record, check_truth, read_size, required, with_whole_ids

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
class CocoFile:
    """A COCO instances file whose records have been checked.

    Attributes:
        path: the file as given.
        sha256: of the file as given.
        images: in the file's order.
        categories: category id -> name, in the file's order, which need not be the order of the
            ids.
        data: the file's content after the changes.
        changes: what was mended or left out, counted, in words; empty when the file is used as it
            is.
    """

    path: Path
    sha256: str
    images: tuple[Image, ...]
    categories: dict[Id, str]
    data: dict[str, Any]
    changes: tuple[str, ...]

    @property
    def annotations(self) -> Records:
        """The annotations after the changes; each has a known image and category and a bbox of four
        numbers."""
        records: Records = self.data["annotations"]
        return records


def read_coco(path: str | Path, classes: Sequence[str] | None = None) -> CocoFile:
    """Read and check a COCO instances file.

    The structure must be right; what is mended or left out is counted in `changes`. Annotations
    that COCOeval counts stay: crowds, and boxes that leave their image, have no area or occur
    twice.

    Args:
        path: the JSON file.
        classes: names of the categories to keep, in any order; the other categories and their
            annotations are left out (Roboflow's exports have a supercategory as category 0). None
            keeps all.

    Raises:
        InputError: the file cannot be read, lacks something, or contradicts itself, or has no
            category of that name. The message names the record and its field.
    """
    path = Path(path)
    raw, data = _load(path)
    return check_content(data, path, hashlib.sha256(raw).hexdigest(), classes)


def check_content(
    data: Any, path: Path, sha256: str, classes: Sequence[str] | None = None
) -> CocoFile:
    """`read_coco` for content that was read already, or made from a file of another form.

    Args:
        data: changed in place.
        path: of the file that it comes from.
        sha256: of that file.
    """
    changes: list[str] = []
    images, categories, annotations = _sections(data, path, changes)
    known = tuple(_image(record) for record in _with_unique_ids(images, "images"))
    _check_categories(categories)
    image_ids, names = {image.id for image in known}, {record["id"] for record in categories}
    plain = are_plain(annotations, image_ids, names)
    for place, record in enumerate(() if plain else annotations, start=1):
        what = _called(record, place)
        check_record(record, what, image_ids, names)
        check_truth(record, what)
    categories = without_unused_twins(categories, annotations, changes)
    if classes is not None:
        categories, annotations = of_classes(categories, annotations, classes, path, changes)
    content = {**data, "images": images, "categories": categories, "annotations": annotations}
    return CocoFile(
        path,
        sha256,
        known,
        {record["id"]: str(record["name"]) for record in categories},
        content,
        tuple(changes),
    )


def _load(path: Path) -> tuple[bytes, Any]:
    raw = read_bytes(path)
    if not raw.strip():
        raise InputError(f"expected a COCO annotation file, got {path}, which is empty")
    return raw, json_in(raw, path)


def _sections(data: Any, path: Path, changes: list[str]) -> tuple[Records, Records, Records]:
    """Images, categories and annotations, their ids as integers where they are whole floats."""
    sections, mended = [], 0
    for name, ids in (
        ("images", ("id",)),
        ("categories", ("id",)),
        ("annotations", ("id", "image_id", "category_id")),
    ):
        records, count = with_whole_ids(_section(data, name, path), ids)
        sections.append(records)
        mended += count
    if mended:
        changes.append(f"{mended} records have ids such as 7.0, read as 7")
    return sections[0], sections[1], sections[2]


def _section(data: Any, name: str, path: Path) -> Records:
    if not isinstance(data, dict):
        raise InputError(
            f'expected {path} to be COCO annotations with a list of objects "{name}", got a '
            f"{type(data).__name__}: is it a file of results?"
        )
    records = data.get(name)
    if not isinstance(records, list):
        raise InputError(
            f'expected {path} to be COCO annotations with a list of objects "{name}", got '
            f"{_kind(data, name)}"
        )
    for place, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise InputError(
                f'expected {path} to be COCO annotations with a list of objects "{name}", got '
                f"{short(repr(record))} as its entry {place}"
            )
    if not records and name != "annotations":
        raise InputError(
            f'expected {path} to have at least one entry in "{name}", got an empty list'
        )
    return records


def _kind(data: dict[str, Any], name: str) -> str:
    if name in data:
        return f"a {type(data[name]).__name__} there"
    return f"only {listed(data) or 'an empty object'}"


def _with_unique_ids(records: Records, what: str) -> Records:
    ids = [required(record, "id", f"every entry of {what}") for record in records]
    # COCOeval sorts ids with numpy, which turns a mixed list into strings that match nothing.
    if {type(i) for i in ids} not in ({int}, {str}):
        raise InputError(
            f"expected the ids of {what} to be all integers or all strings, got "
            f"{short(repr(ids[:5]))}..."
        )
    if len(set(ids)) < len(ids):
        twice = Counter(ids).most_common(1)[0][0]
        raise InputError(
            f"expected each id of {what} once in the annotation file, got {twice!r} more than once"
        )
    return records


def _image(record: dict[str, Any]) -> Image:
    what = f"image {record['id']}"
    # LVIS v1 has no file_name; mmdet takes the path of the image's address for it.
    name = record.get("file_name") or str(record.get("coco_url") or "").removeprefix(
        "http://images.cocodataset.org/"
    )
    return Image(record["id"], str(name), read_size(record, what), str(record.get("caption") or ""))


def _check_categories(records: Records) -> None:
    for record in _with_unique_ids(records, "categories"):
        required(record, "name", f"category {record['id']}")


def _called(record: dict[str, Any], place: int) -> str:
    number = record.get("id")
    return f"annotation {number}" if number is not None else f"annotation number {place}"
