"""YOLO's txt files with a data.yaml (Ultralytics), or with the list of names that Label Studio,
LabelImg and CVAT write in its place.

A line is `class cx cy w h`, or a polygon `class x1 y1 x2 y2 ...`, in fractions of the upright
image. Each line is read by itself; Ultralytics reads a box among polygons as two points.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ...data.image_paths import name_parts
from ...errors import InputError
from ...files import load_yaml
from ...geometry.boxes import as_boxes
from ..sample import Request, Sample, Source
from ..tally import Tally
from .files_of import BAD_BOX, is_image, walk
from .shapes import around, four_numbers

SPLITS = ("train", "val", "test")
NAMES = ("classes.txt", "obj.names")  # one a line
NO_CLASS = "boxes of classes that are not in names"
BEYOND = "boxes with numbers that are not in 0-1"
NO_IMAGE = "label files without an image"
MARGIN = 0.01  # that a number may be beyond 0-1; Ultralytics drops the whole image then


def yaml_of(path: Path) -> Path | None:
    """The data.yaml of a folder or its list of names, or the file itself."""
    if path.is_file():
        files = [path] if path.suffix in (".yaml", ".yml") else []
    elif path.is_dir():
        files = [path / "data.yaml", path / "data.yml", *sorted(path.glob("*.y*ml"))]
        files += [path / name for name in NAMES]
    else:
        files = []
    return next((file for file in files if file.is_file() and _is_data(file)), None)


def _is_data(file: Path) -> bool:
    if file.name in NAMES:
        images = (image for image in walk(file.parent, "") if is_image(image))
        return any(_labels(image).is_file() for image in images)
    try:
        data = load_yaml(file)
    except InputError:
        return False
    return isinstance(data, dict) and "names" in data and any(name in data for name in SPLITS)


def _data(file: Path) -> dict[str, Any]:
    """What a data.yaml says, or would say."""
    if file.name not in NAMES:
        return dict(load_yaml(file))
    names = file.read_text("utf-8-sig", "replace").splitlines()
    return {"names": [name for name in names if name.strip()], "train": "."}


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return yaml_of(path) is not None


def open_yolo(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    file = yaml_of(request.path)
    if file is None:
        raise InputError(f"expected a data.yaml with names and train at {request.path}, got none")
    data = _data(file)
    names = _class_names(data["names"], file)
    root = _root(file, data)
    images = {
        split: _images(
            data.get(split) or (data.get("valid") if split == "val" else None), root, file
        )
        for split in SPLITS
    }
    if not any(images.values()):
        raise InputError(
            f"expected images where {file} says (path, train, val, test), got none under {root}: "
            "correct its `path`"
        )
    empty = [split for split in SPLITS if data.get(split) and not images[split]]
    labels = [_labels(image) for some in images.values() for image in some]
    return Source(
        name=file.parent.name if file.name in ("data.yaml", *NAMES) else file.stem,
        format="yolo",
        files=(file, *(label for label in labels if label.is_file())),
        images=request.folders(root),
        categories=tuple(names.values()),
        exhaustive=True,
        tasks=("detection", "grounding", "referring"),
        count=len(labels),
        read=lambda tally: _samples(images, names, tally),
        upright=True,
        notes=tuple(f"{file.name} names {data[split]} for {split}: no images" for split in empty),
    )


def _class_names(names: Any, file: Path) -> dict[int, str]:
    if isinstance(names, list):
        return {index: str(name).strip() for index, name in enumerate(names)}
    if isinstance(names, dict) and all(str(key).isdigit() for key in names):
        return {int(key): str(name).strip() for key, name in names.items()}
    raise InputError(f"expected names in {file} to be a list or `number: name`, got {names!r}")


def _root(file: Path, data: dict[str, Any]) -> Path:
    """Where its paths start: `path` if that is a folder here, else that of the file."""
    said = data.get("path")
    if isinstance(said, str):
        for place in (file.parent / said, file.parent.parent / said):
            if place.is_dir():
                return place
    return file.parent


def _images(value: Any, root: Path, file: Path) -> list[Path]:
    """The image files of a split: of folders, or of lists in .txt files."""
    images: list[Path] = []
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, str):
            continue
        place = _place(each, root, file)
        if place is None:
            continue
        if place.is_dir():
            images += [path for path in walk(place, "") if is_image(path)]
            continue
        for line in place.read_text("utf-8-sig", "replace").splitlines():
            if line.strip():
                images.append(_place(line.strip(), root, file) or root / line.strip())
    return images


def _place(name: str, root: Path, file: Path) -> Path | None:
    """A path of the file as it is here: Roboflow's start with "../" too many, others with a folder
    of another machine."""
    for base in (root, file.parent):
        if (base / name).exists():
            return base / name
    parts = name_parts(name)
    for start in range(len(parts)):
        for base in (root, file.parent):
            path = base.joinpath(*parts[start:])
            if path.exists():
                return path
    return None


def _labels(image: Path) -> Path:
    """The label file of an image: the last folder `images` becomes `labels`."""
    parts = list(image.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _samples(
    images: dict[str, list[Path]], names: dict[int, str], tally: Tally
) -> Iterator[Sample]:
    seen: set[Path] = set()
    for split, some in images.items():
        for image in some:
            label = _labels(image)
            seen.add(label)
            lines = label.read_text("utf-8-sig", "replace").splitlines() if label.is_file() else []
            boxes, labels, partly = _boxes(lines, names, label, tally)
            yield Sample(
                id=PurePosixPath(image.name).stem,
                image=str(image.resolve()),
                size=None,
                boxes_xyxy=as_boxes(boxes),
                labels=tuple(labels),
                unsure=tuple(dict.fromkeys(partly)),
                split=split,
                unit=1.0,
            )
    for folder in sorted({label.parent for label in seen}):
        for file in sorted(folder.glob("*.txt")) if "labels" in folder.parts else []:
            if file not in seen and file.name not in NAMES:
                tally.drop(NO_IMAGE, file.name)


def _boxes(
    lines: list[str], names: dict[int, str], file: Path, tally: Tally
) -> tuple[list[list[float]], list[str], list[str]]:
    boxes, labels, partly = [], [], []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        where = f"line {number} of {file.name}"
        name = _name(words[0], names)
        if name is None:
            tally.drop(NO_CLASS, where)
            continue
        box = _box(words[1:])
        if box is None or not _is_fraction(words[1:]):
            tally.drop(BAD_BOX if box is None else BEYOND, where)
            partly.append(name)
            continue
        boxes.append(box)
        labels.append(name)
    return boxes, labels, partly


def _name(word: str, names: dict[int, str]) -> str | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return names.get(int(number)) if number == number // 1 else None


def _is_fraction(words: list[str]) -> bool:
    return all(-MARGIN <= float(word) <= 1 + MARGIN for word in words)


def _box(words: list[str]) -> list[float] | None:
    if len(words) == 4:
        numbers = four_numbers(words)
        if numbers is None:
            return None
        cx, cy, w, h = numbers
        return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
    if len(words) < 6 or len(words) % 2:
        return None
    return around([words[place : place + 2] for place in range(0, len(words), 2)])
