"""Griffon's rows of detection (DET and RANDDET of `scripts/datasets`): an image, and the boxes
[x1, y1, x2, y2] of each category.

A category with an empty list of boxes is absent (RANDDET). All others are absent from the rows of
sets that are annotated exhaustively, which Visual Genome is not.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..image_search import as_path, folders_around
from ..sample import Request, Sample, Source, to_xyxy
from ..tally import Tally
from .coco import image_size
from .expressions import count_rows, is_rows_file, rows_of
from .files_of import BAD_BOX, NO_LABEL
from .shapes import four_numbers
from .splits import split_of

BAD_ROW = "rows without an image_path and objects"
IN_PART = re.compile(r"(?:^|[^a-z])(?:vg|randdet|visual_?genome)(?:[^a-z]|$)", re.IGNORECASE)


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    if not is_rows_file(path):
        return False
    try:
        return any(_is_row(row) and row["objects"] for row in _some(path))
    except InputError:
        return False


def _some(path: Path) -> Iterator[Any]:
    """The first rows, which tell what the file is."""
    return (row for _, row in zip(range(50), rows_of(path), strict=False))


def _is_row(row: Any) -> bool:
    if not isinstance(row, Mapping) or as_path(row.get("image_path")) is None:
        return False
    objects = row.get("objects")
    return isinstance(objects, list) and all(
        isinstance(each, dict) and {"category_name", "bboxes"} <= set(each) for each in objects[:1]
    )


def open_griffon(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    path = request.path
    layout, unit = request.box_form("xyxy")
    names: dict[str, None] = {}
    is_exhaustive = not IN_PART.search(path.stem)
    for row in rows_of(path):
        if _is_row(row):
            names |= {name: None for each in row["objects"] if (name := _name(each))}
            of_part = IN_PART.search(str(row.get("dataset_name") or ""))
            is_exhaustive = is_exhaustive and not of_part and all(map(_has_boxes, row["objects"]))
    return Source(
        name=path.name.split(".")[0],
        format="griffon",
        files=(path,),
        images=request.folders(*folders_around(path)),
        categories=tuple(names),
        exhaustive=is_exhaustive,
        tasks=("detection", "grounding", "referring"),
        read=lambda tally: _samples(path, layout, unit, tally),
        layout="xywh" if layout == "xywh" else "xyxy",
        count=count_rows(path),
    )


def _name(each: Any) -> str:
    name = each.get("category_name") if isinstance(each, dict) else None
    return name.strip() if isinstance(name, str) else ""


def _has_boxes(each: Any) -> bool:
    return not isinstance(each, dict) or each.get("bboxes") != []


def _samples(path: Path, layout: str, unit: float, tally: Tally) -> Iterator[Sample]:
    for number, row in enumerate(rows_of(path), start=1):
        where = f"row {number}"
        if not _is_row(row):
            tally.drop(BAD_ROW, where)
            continue
        boxes: list[list[float]] = []
        labels: list[str] = []
        absent: list[str] = []
        unsure: list[str] = []
        for each in row["objects"]:
            name, given = _name(each), each.get("bboxes") if isinstance(each, dict) else None
            if not name:
                tally.drop(NO_LABEL, where)
                continue
            read = [four_numbers(box if isinstance(box, list) else ()) for box in _listed(given)]
            sound = [box for box in read if box is not None]
            boxes += sound
            labels += [name] * len(sound)
            if given == []:
                absent.append(name)
            elif len(sound) < len(read) or not read:
                tally.drop(BAD_BOX, f"{name} in {where}", max(len(read) - len(sound), 1))
                unsure.append(name)
        yield Sample(
            id=row["image_path"],
            image=row["image_path"],
            size=image_size(row),
            boxes_xyxy=to_xyxy(boxes, layout),
            labels=tuple(labels),
            absent=tuple(name for name in absent if name not in labels),
            unsure=tuple(dict.fromkeys(unsure)),
            split=split_of(path.name),
            unit=unit,
        )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
