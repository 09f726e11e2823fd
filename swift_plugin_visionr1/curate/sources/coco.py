"""COCO instances files and all that have their form: Objects365, V3Det, ODinW, Roboflow, LVIS, and
MDETR's files of captions, whose one category says nothing.

LVIS: `neg_category_ids` are verified to be absent, all else without a box is unknown;
`not_exhaustive_category_ids` are there, not all of them boxed (lvis-dataset/lvis-api).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.coco_records import is_finite_number
from ...data.json_stream import TOP, stream_json
from ...errors import InputError
from ...files import read_json
from ...geometry.boxes import Boxes
from ..image_search import folders_around, locate
from ..sample import Phrase, Request, Sample, Source, to_xyxy
from ..tally import Tally
from .coco_table import CROWD, CocoTable
from .splits import split_of

URL = "http://images.cocodataset.org/"
CROWDS = "boxes of crowds, or marked to be ignored"
UNKNOWN_CATEGORY = "annotations of categories that are not listed"
NO_NAME = "image records without a file name"
PEEKED = 50  # records that tell what a file is
WITHOUT_BOXES = ("captions_", "panoptic_", "image_info_")  # of COCO
TREE = "*category_tree.json"
WHOLE = ("_annotations.coco.json", "annotations_without_background.json")  # of ODinW, best first


def peek(path: Path) -> dict[str, dict[str, Any]]:
    """The first record of each list of a JSON file, as far as its first records show."""
    first: dict[str, dict[str, Any]] = {}
    for count, (name, record) in enumerate(stream_json(path)):
        if isinstance(record, dict):
            first.setdefault(name, record)
        if count >= PEEKED or name == TOP:
            break
    return first


def is_coco_file(path: Path) -> bool:
    """Whether a JSON file has images and annotations in COCO's form."""
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        first = peek(path)
    except InputError:
        return False
    image, box = first.get("images", {}), first.get("annotations", {})
    is_image = "id" in image and bool({"file_name", "coco_url"} & set(image))
    return (is_image and "split" not in image) or ("image_id" in box and "bbox" in box)


def coco_files(folder: Path) -> list[Path]:
    """The COCO files of a folder: Roboflow's in its splits, those of instances where there are also
    others, and one of the files of the same images that ODinW has in each split."""
    if not folder.is_dir():
        return []
    places = [folder, folder / "annotations", *sorted(p for p in folder.iterdir() if p.is_dir())]
    files = [file for place in places if place.is_dir() for file in sorted(place.glob("*.json"))]
    files = [file for file in dict.fromkeys(files) if _is_best(file) and is_coco_file(file)]
    instances = [file for file in files if file.name.startswith("instances")]
    return instances or [file for file in files if not file.name.startswith(WITHOUT_BOXES)]


def _is_best(file: Path) -> bool:
    """Whether no file beside it is known to list the same images, and more of them."""
    best = next((name for name in WHOLE if (file.parent / name).is_file()), file.name)
    return file.name == best


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return is_coco_file(path) or bool(coco_files(path))


def open_coco(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    if request.path.is_file():
        return _open_file(request, tally)
    files = coco_files(request.path)
    parts = [_open_file(replace(request, path=file), tally) for file in files]
    return parts[0] if len(parts) == 1 else merge(request.path.name, parts)


def merge(name: str, parts: list[Source]) -> Source:
    """Several sources of the same kind as one, such as the splits of an export."""
    categories = dict.fromkeys(name for part in parts for name in part.categories)

    def read(tally: Tally) -> Iterator[Sample]:
        for part in parts:
            yield from locate(part, tally)

    return replace(
        parts[0],
        name=name,
        files=tuple(file for part in parts for file in part.files),
        categories=tuple(categories),
        images=tuple(dict.fromkeys(folder for part in parts for folder in part.images)),
        read=read,
        count=sum(part.count for part in parts),
    )


def _open_file(request: Request, tally: Tally) -> Source:
    path = request.path
    table = CocoTable(path, tally)
    names = _names(table)
    kind = _kind(path, table)
    split = split_of(path.stem) or split_of(path.parent.name)
    layout, unit = request.box_form("xywh")
    reader = _CocoReader(table, names, kind, split, layout, unit)
    captions = kind in ("expressions", "phrases")
    tasks = {
        "expressions": ("referring",),
        "phrases": ("grounding",),
    }.get(kind, ("detection", "grounding", "referring"))
    tree = next(iter(sorted(path.parent.glob(TREE))), None)
    return Source(
        name=path.stem if path.stem != "_annotations.coco" else path.parent.name,
        format="lvis" if kind == "lvis" else "coco",
        files=(path, *([tree] if tree else [])),
        images=request.folders(*folders_around(path, *_coco_folders(path))),
        categories=() if captions else tuple(dict.fromkeys(names.values())),
        exhaustive=kind == "coco",
        tasks=tasks,  # type: ignore[arg-type]
        read=reader.samples,
        layout="xywh" if layout == "xywh" else "xyxy",
        relatives=_relatives(tree) if tree else {},
        count=table.images.count,
    )


def _coco_folders(path: Path) -> list[str]:
    """Folders such as train2017 or, for a file of that split, train, which lie beside that of the
    annotations or in `images`."""
    split = split_of(path.stem)
    return [
        str(each.relative_to(base))
        for base in (path.parent, path.parent.parent)
        for name in ("*20[0-9][0-9]", *((split,) if split else ()))
        for each in (*sorted(base.glob(name)), *sorted(base.glob(f"images/{name}")))
        if each.is_dir()
    ]


def _names(table: CocoTable) -> dict[Any, str]:
    """Category id -> name, without Roboflow's placeholder: category 0 is the project's name, has no
    boxes, and is the supercategory of the others."""
    above = {str(record.get("supercategory")) for record in table.categories.values()}
    return {
        number: str(record["name"]).strip()
        for number, record in table.categories.items()
        if number in table.used
        or not (record.get("supercategory") == "none" and str(record["name"]) in above)
    }


def _kind(path: Path, table: CocoTable) -> str:
    first, _ = next(table.rows())
    if "neg_category_ids" in first or "not_exhaustive_category_ids" in first:
        return "lvis"
    if not isinstance(first.get("caption"), str):
        return "coco"
    spans = any("tokens_positive" in table.extra(row) for _, rows in _some(table) for row in rows)
    of_refs = "ref" in str(first.get("dataset_name") or path.stem).lower()
    return "phrases" if spans and not of_refs else "expressions"


def _some(table: CocoTable) -> Iterator[tuple[dict[str, Any], NDArray[np.void]]]:
    for count, pair in enumerate(table.rows()):
        if count == PEEKED:
            return
        yield pair


def _relatives(tree: Path) -> Mapping[str, frozenset[str]]:
    """Name -> names of its ancestors and descendants, from V3Det's category tree."""
    data = read_json(tree)
    names = {str(number): str(name) for number, name in data.get("id2name", {}).items()}
    related: dict[str, set[str]] = {}
    for above, below in data.get("ancestor2descendant", {}).items():
        for one in below:
            pair = names.get(str(above), str(above)), names.get(str(one), str(one))
            related.setdefault(pair[0], set()).add(pair[1])
            related.setdefault(pair[1], set()).add(pair[0])
    return {name: frozenset(others) for name, others in related.items()}


class _CocoReader:
    """Makes the samples of one file."""

    def __init__(
        self,
        table: CocoTable,
        names: dict[Any, str],
        kind: str,
        split: str,
        layout: str,
        unit: float,
    ) -> None:
        self.table, self.kind, self.split = table, kind, split
        self.layout, self.unit = layout, unit
        self.by_id = names
        self.names = [names.get(number, "") for number in table.numbers]

    def samples(self, tally: Tally) -> Iterator[Sample]:
        for block in self.table.blocks():
            boxes = to_xyxy(block.rows["bbox"], self.layout)
            labels = [self.names[number] for number in block.rows["category"].tolist()]
            is_odd = (block.rows["flag"] != 0) | np.array([not each for each in labels], np.bool_)
            odd = set(block.rows["image"][is_odd].tolist())
            for place, image in enumerate(block.images):
                name, of = image_name(image), block.of(place)
                if not name:
                    tally.drop(NO_NAME, f"image {image['id']}")
                elif self.kind in ("expressions", "phrases"):
                    yield self._captioned(image, name, block.rows[of])
                else:
                    flags = block.rows["flag"][of].tolist() if place in odd else None
                    yield self._boxed(image, name, boxes[of], labels[of], flags, tally)

    def _boxed(
        self,
        image: dict[str, Any],
        name: str,
        boxes: Boxes,
        labels: list[str],
        flags: list[int] | None,
        tally: Tally,
    ) -> Sample:
        partly: list[str] = []
        unsure: list[str] = []
        if flags is not None:
            for label, flag in zip(labels, flags, strict=True):
                if not label:
                    tally.drop(UNKNOWN_CATEGORY, f"image {image['id']}")
                elif flag == CROWD:
                    partly.append(label)
                    tally.drop(CROWDS, f"image {image['id']}")
                elif flag:
                    unsure.append(label)
            kept = [i for i, label in enumerate(labels) if label and not flags[i]]
            boxes, labels = boxes[kept], [labels[i] for i in kept]
        partly += self._called(image.get("not_exhaustive_category_ids"))
        return Sample(
            id=image["id"],
            image=name,
            size=image_size(image),
            boxes_xyxy=boxes,
            labels=tuple(labels),
            absent=tuple(self._called(image.get("neg_category_ids"))),
            not_exhaustive=tuple(dict.fromkeys(partly)),
            unsure=tuple(dict.fromkeys(unsure)),
            split=self.split,
            unit=self.unit,
        )

    def _called(self, numbers: Any) -> list[str]:
        if not isinstance(numbers, list):
            return []
        return [self.by_id[number] for number in numbers if number in self.by_id]

    def _captioned(self, image: dict[str, Any], name: str, rows: NDArray[np.void]) -> Sample:
        caption = str(image["caption"]).strip()
        real = [i for i, row in enumerate(rows) if not self.table.extra(row).get("empty")]
        rows = rows[real]
        phrases: tuple[Phrase, ...] = ()
        if caption:
            phrases = (Phrase(caption, tuple(range(len(rows)))),)
        if self.kind == "phrases":
            phrases = self._spans(caption, rows)
        return Sample(
            id=image.get("original_id", image["id"]),
            image=name,
            size=image_size(image),
            boxes_xyxy=to_xyxy(rows["bbox"], self.layout),
            phrases=phrases,
            split=self.split,
            unit=self.unit,
        )

    def _spans(self, caption: str, rows: NDArray[np.void]) -> tuple[Phrase, ...]:
        """MDETR's phrases: the characters of the caption that each box is for."""
        boxes: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            spans = self.table.extra(row).get("tokens_positive") or []
            text = " ".join(caption[start:stop] for start, stop in spans).strip()
            if text:
                boxes.setdefault(text, []).append(index)
        return tuple(Phrase(text, tuple(of), "grounding") for text, of in boxes.items())


def image_name(image: Mapping[str, Any]) -> str:
    """The file's name; LVIS v1 has only the address, whose end is the path."""
    name = image.get("file_name") or str(image.get("coco_url") or "").removeprefix(URL)
    return name if isinstance(name, str) else ""


def image_size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    """(width, height) in pixels; None if the record has none that an image could have."""
    sides: list[Any] = [image.get("width"), image.get("height")]
    if all(is_finite_number(side) and side >= 1 for side in sides):
        return int(sides[0]), int(sides[1])
    return None
