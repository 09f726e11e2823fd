"""CVAT's XML 1.1, for images and for videos: continuous 0-based corners."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from ...errors import InputError
from ...geometry.boxes import as_boxes
from ..sample import Request, Sample, Source
from ..tally import Tally
from .coco import image_size
from .files_of import BAD_BOX, NO_AREA_KIND, NO_LABEL, image_beside
from .shapes import around, around_ellipse, around_turned, four_numbers
from .splits import split_of
from .voc import need_of

SHAPES = ("box", "polygon", "polyline", "points", "mask", "ellipse", "cuboid", "skeleton")
WHOLE_IMAGE = "tag"  # what CVAT calls a label without a place
FRAME = "frame_{:06d}"  # CVAT's own name of a video's frame
NO_NAME = "images without a name"
Object = tuple[str, list[float]]


def is_cvat(path: Path) -> bool:
    """Whether it is a file of CVAT's."""
    if path.suffix != ".xml" or not path.is_file():
        return False
    start = path.read_bytes()[:2048]
    return b"<annotations>" in start or b"<annotations " in start


def files_of(path: Path) -> list[Path]:
    """The CVAT files at a path."""
    files = [path] if path.is_file() else sorted(path.glob("*.xml")) if path.is_dir() else []
    return [file for file in files if is_cvat(file)]


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return bool(files_of(path))


def open_cvat(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    files = files_of(request.path)
    folder = request.path if request.path.is_dir() else request.path.parent
    folders = request.folders(folder, folder / "images", *_subsets(folder / "images"))
    names: dict[str, None] = {}
    for file in files:
        for element in _elements(file):
            if element.tag == "meta":
                names |= dict.fromkeys(_declared(element))
            label = (element.get("label") or "").strip() if element.tag != WHOLE_IMAGE else ""
            names |= {label: None} if label else {}
    return Source(
        name=request.path.stem,
        format="cvat",
        files=tuple(files),
        images=folders,
        categories=tuple(names),
        exhaustive=True,
        tasks=("detection", "grounding", "referring"),
        read=lambda tally: _samples(files, folders, tally),
        count=sum(file.read_bytes().count(b"<image ") for file in files),
    )


def _subsets(folder: Path) -> list[Path]:
    return sorted(place for place in folder.glob("*") if place.is_dir())


def _declared(meta: Element) -> Iterator[str]:
    for label in meta.iter("label"):
        if label.findtext("type") == WHOLE_IMAGE:
            continue
        if name := (label.findtext("name") or "").strip():
            yield name


def _elements(path: Path) -> Iterator[Element]:
    """Each image, track, shape and the meta data, once they are read whole."""
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import iterparse
    except ImportError:
        raise InputError(need_of("defusedxml", path)) from None
    try:
        for _, element in iterparse(path, events=("end",)):
            yield element
            if element.tag in ("image", "track"):
                element.clear()
    except (ParseError, DefusedXmlException, OSError, ValueError) as error:
        raise InputError(f"expected XML in {path}, got: {error}; export it again") from None


def _samples(files: list[Path], folders: tuple[Path, ...], tally: Tally) -> Iterator[Sample]:
    for file in files:
        frames: dict[int, list[Object]] = {}
        partly: dict[int, list[str]] = {}
        size, count = None, 0
        for element in _elements(file):
            if element.tag == "image":
                yield from _image(element, tally)
            elif element.tag == "track":
                _track(element, frames, partly, tally)
            elif element.tag == "original_size":
                sides = [element.findtext(side) for side in ("width", "height")]
                known = four_numbers([*sides, 1, 1])
                size = (int(known[0]), int(known[1])) if known else None
            elif element.tag == "size" and (element.text or "").strip().isdigit():
                count = int(element.text or 0)
        if frames:  # of a video; of its frames without an object those that are here
            for number in range(count):
                if number not in frames and image_beside(folders, FRAME.format(number)):
                    frames[number] = []
        for number in sorted(set(frames) | set(partly)):
            path = image_beside(folders, FRAME.format(number))
            yield Sample(
                id=number,
                image=str(path) if path else FRAME.format(number),
                size=size,
                boxes_xyxy=as_boxes([box for _, box in frames.get(number, [])]),
                labels=tuple(label for label, _ in frames.get(number, [])),
                unsure=tuple(dict.fromkeys(partly.get(number, []))),
            )


def _image(element: Element, tally: Tally) -> Iterator[Sample]:
    name = (element.get("name") or "").strip()
    if not name:
        tally.drop(NO_NAME, f"image {element.get('id')}")
        return
    objects: list[Object] = []
    partly: list[str] = []
    for shape in element:
        if shape.tag in SHAPES:
            _add(shape, shape.get("label"), name, objects, partly, tally)
        elif shape.tag == WHOLE_IMAGE:  # it may be a category, too
            partly.append((shape.get("label") or "").strip())
    sides = four_numbers([element.get("width"), element.get("height"), 1, 1])
    size = {"width": sides[0], "height": sides[1]} if sides else {}
    yield Sample(
        id=_number(element.get("id"), name),
        image=name,
        size=image_size(size),
        boxes_xyxy=as_boxes([box for _, box in objects]),
        labels=tuple(label for label, _ in objects),
        unsure=tuple(dict.fromkeys(partly)),
        split=split_of(element.get("subset") or ""),
    )


def _number(text: str | None, name: str) -> int | str:
    return int(text) if text and text.isdigit() else name


def _track(
    element: Element,
    frames: dict[int, list[Object]],
    partly: dict[int, list[str]],
    tally: Tally,
) -> None:
    for shape in element:
        frame = shape.get("frame") or ""
        if shape.tag in SHAPES and frame.isdigit() and shape.get("outside") != "1":
            number = int(frame)
            where = FRAME.format(number)
            objects = frames.setdefault(number, [])
            missing = partly.setdefault(number, [])
            _add(shape, element.get("label"), where, objects, missing, tally)


def _add(
    shape: Element,
    label: str | None,
    where: str,
    objects: list[Object],
    partly: list[str],
    tally: Tally,
) -> None:
    name = (label or "").strip()
    if not name:
        tally.drop(NO_LABEL, where)
        return
    box = _box(shape)
    if box is None:
        flat = shape.tag in ("points", "polyline", "skeleton", "cuboid")
        tally.drop(NO_AREA_KIND if flat else BAD_BOX, f"{name} in {where}")
        partly.append(name)
        return
    objects.append((name, box))


def _box(shape: Element) -> list[float] | None:
    of = shape.get
    if shape.tag == "box":
        box = four_numbers([of("xtl"), of("ytl"), of("xbr"), of("ybr")])
        turn = four_numbers([of("rotation") or 0, 0, 0, 0])
        if box is None or turn is None:
            return None
        return around_turned(box, turn[0], [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    if shape.tag == "polygon":
        return around([pair.split(",") for pair in (of("points") or "").split(";")])
    if shape.tag == "mask":
        part = four_numbers([of("left"), of("top"), of("width"), of("height")])
        return part and [part[0], part[1], part[0] + part[2], part[1] + part[3]]
    if shape.tag == "ellipse":
        part = four_numbers([of("cx"), of("cy"), of("rx"), of("ry")])
        turn = four_numbers([of("rotation") or 0, 0, 0, 0])
        return around_ellipse(part, turn[0]) if part and turn else None
    return None
