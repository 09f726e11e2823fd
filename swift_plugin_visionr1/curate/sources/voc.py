"""Pascal VOC's XML: one file for each image.

VOC's corners are 1-based and inclusive, so [xmin - 1, ymin - 1, xmax, ymax] in our frame. Other
tools write 0-based corners in the same form: a corner at 0 anywhere proves it for the whole source.
supervision and mmdet subtract 1 from all four, which makes each box a pixel too small.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from ...errors import InputError
from ...geometry.boxes import as_boxes
from ..sample import Request, Sample, Source
from ..tally import Tally
from .files_of import BAD_BOX, NO_LABEL, UNREADABLE, first_of, image_beside, walk
from .shapes import four_numbers
from .splits import split_of

AT_ZERO = re.compile(rb"<[xy]min>\s*0+(?:\.0*)?\s*</")
DIFFICULT = "boxes that are marked as difficult"
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def root_of(path: Path) -> Element | None:
    """The root of an XML file, read without external entities; None if it cannot be read as XML.

    Raises:
        InputError: defusedxml is not installed.
    """
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import parse
    except ImportError:
        raise InputError(need_of("defusedxml", path)) from None
    try:
        return parse(path).getroot()
    except (ParseError, DefusedXmlException, OSError, ValueError, LookupError):
        return None


def roots(files: Iterable[Path], tally: Tally) -> Iterator[tuple[Path, Element]]:
    """The files that are XML, each with its root; the others are counted."""
    for file in files:
        if (root := root_of(file)) is None:
            tally.drop(UNREADABLE, file.name)
        else:
            yield file, root


def need_of(package: str, path: Path) -> str:
    """The message where a package is missing."""
    return (
        f"expected {package} to read {path}, which is not installed: "
        "pip install 'swift-plugin-visionr1[data]'"
    )


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    if not path.is_dir():
        return False
    file = first_of(path, ".xml")
    if file is None:
        return False
    start = file.read_bytes()[:4096]
    is_voc = b"<annotation>" in start or b"<annotation " in start
    return is_voc and not (path / "Sentences").is_dir()


def open_voc(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    files = list(walk(request.path, ".xml"))
    names: dict[str, None] = {}
    zero_based = False
    for file in files:
        raw = file.read_bytes()
        zero_based = zero_based or bool(AT_ZERO.search(raw))
        names |= dict.fromkeys(_names(file))
    base = 0 if zero_based or request.boxes else 1
    splits = _splits(request.path)
    how = "0-based, because some are at 0" if zero_based else "1-based, as VOC writes them"
    return Source(
        name=request.path.name,
        format="voc",
        files=tuple(files),
        images=request.folders(*_image_folders(request.path, files)),
        categories=tuple(names),
        exhaustive=True,
        tasks=("detection", "grounding", "referring"),
        count=len(files),
        read=lambda tally: _samples(files, request, splits, base, tally),
        notes=() if request.boxes else (f"corners were read as {how}",),
    )


def _names(file: Path) -> list[str]:
    if (root := root_of(file)) is None:
        return []  # counted when it is read
    objects = root.findall("object")
    names = [(each.findtext("name") or "").strip() for each in objects]
    return [name for name in names if name]


def _image_folders(folder: Path, files: list[Path]) -> list[Path]:
    near = [file.parent for file in files]
    beside = [file.parent.parent / "JPEGImages" for file in files]
    beside += [file.parent.parent / "images" for file in files]
    return [*dict.fromkeys(beside), *dict.fromkeys(near), folder]


def _splits(folder: Path) -> dict[tuple[Path, str], str]:
    """(folder of ImageSets, stem) -> split."""
    splits: dict[tuple[Path, str], str] = {}
    for name in ("train", "val", "test"):
        for file in walk(folder, f"{name}.txt"):
            if file.name == f"{name}.txt" and "ImageSets" in file.parts:
                place = file.parents[list(file.parts)[::-1].index("ImageSets")]
                for line in file.read_text("utf-8", "replace").splitlines():
                    if line.split():
                        splits.setdefault((place, line.split()[0]), name)
    return splits


def _samples(
    files: list[Path],
    request: Request,
    splits: dict[tuple[Path, str], str],
    base: int,
    tally: Tally,
) -> Iterator[Sample]:
    for file, root in roots(files, tally):
        boxes, labels, partly, unsure = _objects(root, file, base, tally)
        split = splits.get((file.parent.parent, file.stem)) or split_of(file.parent.name)
        yield Sample(
            id=file.stem,
            image=_image(root, file, request),
            size=_size(root),
            boxes_xyxy=as_boxes(boxes),
            labels=tuple(labels),
            not_exhaustive=tuple(dict.fromkeys(partly)),
            unsure=tuple(dict.fromkeys(unsure)),
            split=split,
        )


def _objects(
    root: Element, file: Path, base: int, tally: Tally
) -> tuple[list[list[float]], list[str], list[str], list[str]]:
    boxes: list[list[float]] = []
    labels: list[str] = []
    partly: list[str] = []
    unsure: list[str] = []
    for each in root.findall("object"):
        label = (each.findtext("name") or "").strip()
        corners = each.find("bndbox")
        values = [corners.findtext(name) if corners is not None else None for name in CORNERS]
        box = four_numbers(values)
        if not label:
            tally.drop(NO_LABEL, file.name)
            continue
        if box is None or (each.findtext("difficult") or "").strip() == "1":
            tally.drop(BAD_BOX if box is None else DIFFICULT, f"{label} in {file.name}")
            (unsure if box is None else partly).append(label)
            continue
        boxes.append([box[0] - base, box[1] - base, box[2], box[3]])
        labels.append(label)
    return boxes, labels, partly, unsure


def _size(root: Element) -> tuple[int, int] | None:
    sides: list[Any] = [root.findtext(f"size/{side}") for side in ("width", "height")]
    numbers = four_numbers([*sides, 1, 1])
    if numbers is None or min(numbers) < 1:
        return None
    return int(numbers[0]), int(numbers[1])


def _image(root: Element, file: Path, request: Request) -> str:
    """The image's path: what the file says if it is there, else the file's own name."""
    said = (root.findtext("filename") or "").strip().replace("\\", "/")
    split = file.parent.name
    near = [file.parent.parent / "JPEGImages", file.parent.parent / "images", file.parent]
    if request.images:
        near = [request.images / split, request.images, *near]
    for folder in near:
        if said and (folder / said).is_file():
            return str((folder / said).resolve())
    beside = image_beside(tuple(near), file.stem)
    return str(beside.resolve()) if beside else said or file.stem
