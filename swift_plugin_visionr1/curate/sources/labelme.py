"""LabelMe: a JSON file beside each image. Its coordinates are of the image with its EXIF rotation
applied. Shapes of one label and one group are one object."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...files import read_json
from ...geometry.boxes import as_boxes
from ..image_search import ImageFinder
from ..sample import Request, Sample, Source, is_id
from ..tally import Tally
from .coco import image_size
from .files_of import (
    BAD_BOX,
    NO_AREA_KIND,
    NO_LABEL,
    NOT_ANNOTATED,
    UNREADABLE,
    is_image,
    walk,
)
from .shapes import around, around_circle
from .splits import split_of

FLAT = ("point", "points", "line", "linestrip")
SHAPES = ("rectangle", "polygon", "mask", "oriented_rectangle")


def is_labelme(path: Path) -> bool:
    """Whether it is a file of LabelMe's."""
    try:
        start = path.read_bytes()[: 1 << 20]
    except OSError:
        return False
    return b'"shapes"' in start and b'"imagePath"' in start


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    if path.is_file():
        return path.suffix == ".json" and is_labelme(path)
    files = walk(path, ".json")
    return any(is_labelme(file) for _, file in zip(range(5), files, strict=False))


def open_labelme(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    path = request.path
    files = [path] if path.is_file() else list(walk(path, ".json"))
    folder = path.parent if path.is_file() else path
    names = {
        label: None
        for file in files
        for label in (_label(shape) for shape in _shapes(_read(file)))
        if label
    }
    return Source(
        name=folder.name,
        format="labelme",
        files=tuple(files),
        images=request.folders(folder),
        categories=tuple(sorted(names)),
        exhaustive=True,
        tasks=("detection", "grounding", "referring"),
        count=len(files),
        read=lambda tally: _samples(files, folder, request, tally),
        upright=True,
    )


def _read(file: Path) -> Any:
    try:
        return read_json(file)
    except InputError:
        return None


def _shapes(data: Any) -> list[Any]:
    shapes = data.get("shapes") if isinstance(data, dict) else None
    return shapes if isinstance(shapes, list) else []


def _label(shape: Any) -> str:
    label = shape.get("label") if isinstance(shape, dict) else None
    return label.strip() if isinstance(label, str) else ""


def _samples(files: list[Path], folder: Path, request: Request, tally: Tally) -> Iterator[Sample]:
    used: set[Path] = set()
    for file in files:
        data = _read(file)
        if not isinstance(data, dict) or not isinstance(data.get("shapes"), list):
            tally.drop(UNREADABLE, file.name)
            used |= {image for image in file.parent.glob(file.stem + ".*") if is_image(image)}
            continue
        image = _image(data, file, request)
        if isinstance(image, str):
            used.add(Path(image))
        boxes, labels, partly = _objects(data, file, tally)
        size = {"width": data.get("imageWidth"), "height": data.get("imageHeight")}
        yield Sample(
            id=file.stem,
            image=image,
            size=image_size(size),
            boxes_xyxy=as_boxes(boxes),
            labels=tuple(labels),
            unsure=tuple(dict.fromkeys(partly)),
            split=split_of(file.parent.name),
        )
    for image in walk(folder, "") if len(files) > 1 else ():
        if is_image(image) and image.resolve() not in used:
            tally.drop(NOT_ANNOTATED, image.name)


def _image(data: dict[str, Any], file: Path, request: Request) -> Any:
    """Its path; what the file holds itself where that is missing."""
    said = str(data.get("imagePath") or "").replace("\\", "/")
    folders = (file.parent, *((request.images,) if request.images else ()))
    path = ImageFinder(folders).find(said) if said else None
    held = _held(data.get("imageData")) if path is None else b""
    if held:
        return {"bytes": held, "path": said or f"{file.stem}.png"}
    return path or said or file.stem


def _held(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _objects(
    data: dict[str, Any], file: Path, tally: Tally
) -> tuple[list[list[float]], list[str], list[str]]:
    boxes: list[list[float]] = []
    labels: list[str] = []
    partly: list[str] = []
    groups: dict[tuple[str, Any], int] = {}
    for shape in data["shapes"]:
        label = _label(shape)
        if not label:
            tally.drop(NO_LABEL, file.name)
            continue
        kind = shape.get("shape_type") or "polygon"
        box = _box(kind, shape.get("points"))
        if box is None:
            tally.drop(NO_AREA_KIND if kind in FLAT else BAD_BOX, f"{label} in {file.name}")
            partly.append(label)
            continue
        group = shape.get("group_id") if is_id(shape.get("group_id")) else None
        known = groups.get((label, group)) if group is not None else None
        if known is not None:
            boxes[known] = around([boxes[known][:2], boxes[known][2:], box[:2], box[2:]]) or box
            continue
        if group is not None:
            groups[label, group] = len(boxes)
        boxes.append(box)
        labels.append(label)
    return boxes, labels, partly


def _box(kind: str, points: Any) -> list[float] | None:
    if kind == "circle":
        return around_circle(points)
    return around(points) if kind in SHAPES else None
