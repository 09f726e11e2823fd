"""A source held against the headers of its images: what is wrong with all of it stops it, with the
option that mends it; what is wrong with single records is counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..data.box_faults import TOLERANCE, BoxEvidence, SourceFault, find_box_fault
from ..data.image_faults import ImageEvidence, find_image_fault
from ..data.images import Header
from ..errors import ImageError, InputError
from ..geometry.boxes import LAYOUTS, Boxes
from ..geometry.frames import Size
from .headers import with_headers
from .image_search import MISSING, locate
from .mending import mend_all
from .sample import Id, Sample, Source
from .tally import Tally

FEW = 2  # wrong records that may be wrong by themselves in a source of any size
DIGITS = 2  # of a number in a message
AT_ONCE = 1024  # samples
MOST_BOXES = 400_000  # that are judged together; of larger sources every second image, and so on
Exif = Literal["as format", "rotate", "ignore"]
Sizes = Literal["as written", "file", "scale"]
OTHER_SIZE = "images whose file has another size than the annotations say"
UNREADABLE = {
    "missing": MISSING,
    "empty": "images whose file is empty",
    "unreadable": "images that cannot be opened",
    "too_large": "images with too many pixels",
}
TURNED = "images that are turned as their EXIF header says"
IGNORED = "images whose EXIF rotation is left alone, as viewers would not show them"
RESIZED = "images whose boxes were scaled to the size of the file"
OPTIONS = {
    "exif_orientation": "--exif rotate, if they were drawn on what a viewer shows; else --exif "
    "ignore",
    "wrong_size": "--sizes scale multiplies the boxes by the ratio; --sizes file takes the "
    "boxes as pixels of the file",
    "swapped_size": "--sizes file takes the boxes as pixels of the file",
}


@dataclass(frozen=True)
class Truth:
    """How a source's boxes relate to its images.

    Attributes:
        exif: "rotate": boxes belong to the image as viewers show it; "ignore": to the pixels as
            stored; "as format": what the format says.
        sizes: what counts where the annotations say another size than the file has.
        workers: processes that read headers.
    """

    exif: Exif = "as format"
    sizes: Sizes = "as written"
    workers: int = 1


def true_samples(source: Source, tally: Tally, truth: Truth) -> Iterator[Sample]:
    """The source's samples with paths and sizes of their images, and boxes inside them.

    Raises:
        InputError: at the end, if the source as a whole is wrong, or no image was found.
    """
    count, samples = 0, _placed_samples(source, tally, truth, evidence := _Evidence(source))
    while some := list(islice(samples, AT_ONCE)):
        count += len(some)
        yield from mend_all(some, tally)
    evidence.raise_fault()
    if not count:
        raise InputError(_nothing(source, tally))


def _placed_samples(
    source: Source, tally: Tally, truth: Truth, evidence: "_Evidence"
) -> Iterator[Sample]:
    """The samples in pixels of their images, without those of which this cannot be known."""
    upright = truth.exif == "rotate" or (truth.exif == "as format" and source.upright)
    for sample, header in with_headers(locate(source, tally), truth.workers):
        if isinstance(header, ImageError):
            tally.drop(UNREADABLE.get(header.code, "images elsewhere"), sample.image)
            continue
        size = header.shown_size if upright else header.size
        placed = _placed(sample, header, size, upright, truth.sizes, tally)
        # An image of another size stays in the evidence, but not in the data.
        shown = header if truth.exif == "as format" and not source.upright else None
        evidence.add(placed, size, shown)
        if placed.size == size:
            yield placed
        else:
            tally.drop(OTHER_SIZE, f"image {sample.id}")


def _placed(
    sample: Sample, header: Header, size: Size, upright: bool, sizes: Sizes, tally: Tally
) -> Sample:
    """The sample in pixels of its image."""
    if upright and header.orientation != 1:
        tally.mend(TURNED, sample.image if isinstance(sample.image, str) else sample.id)
        sample = replace(sample, turned=True)
    elif header.orientation != 1:
        tally.mend(IGNORED, sample.image if isinstance(sample.image, str) else sample.id)
    if sample.unit or sample.size is None:
        return sample.in_pixels(size)
    if sample.size == size or sizes == "as written":
        return sample
    tally.mend(RESIZED, f"image {sample.id}")
    ratio = np.array([*size, *size]) / np.array([*sample.size, *sample.size])
    boxes = sample.boxes_xyxy * ratio if sizes == "scale" else sample.boxes_xyxy
    return replace(sample, boxes_xyxy=boxes, size=size)


def _nothing(source: Source, tally: Tally) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in tally.dropped.most_common(3))
    places = ", ".join(map(str, source.images)) or "no folder"
    return (
        f"expected images of {source.name} that can be used, got none ({reasons or 'no records'}); "
        f"they were looked for in {places}: --images says where they are"
    )


class _SizedSample(NamedTuple):
    """What is kept of an image: its number, the size that the source says and that of the file,
    and the EXIF orientation, 1 where it is not in question."""

    number: int
    id: Id
    image: str
    said: Size
    boxes_xyxy: Boxes
    stored: Size
    turn: int


class _Evidence:
    """Boxes and sizes of a source, thinned out where there are too many."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.every, self.seen, self.boxes = 1, 0, 0
        self.parts: list[_SizedSample] = []

    def add(self, sample: Sample, size: Size, header: Header | None) -> None:
        """One image; `header` where its EXIF rotation is in question."""
        self.seen += 1
        if (self.seen - 1) % self.every:
            return
        name = sample.image if isinstance(sample.image, str) else ""
        turn = 1 if header is None else header.orientation
        said = sample.size or size
        self.parts.append(
            _SizedSample(self.seen, sample.id, name, said, sample.boxes_xyxy, size, turn)
        )
        self.boxes += len(sample.boxes_xyxy)
        if self.boxes > MOST_BOXES or len(self.parts) > MOST_BOXES:
            self.every *= 2
            self.parts = [part for part in self.parts if not (part.number - 1) % self.every]
            self.boxes = sum(len(part.boxes_xyxy) for part in self.parts)

    def raise_fault(self) -> None:
        """Raise InputError if the source as a whole is wrong."""
        if not self.parts:
            return
        boxes, images = self._boxes(), self._images()
        fault = find_image_fault(images, boxes)
        if fault is not None and fault.code != "exif_orientation" and _are_single(images.differs):
            fault = None
        if fault is None and (fault := find_box_fault(boxes)) is not None:
            fault = None if _is_single(fault, boxes) else fault
        if fault is not None:
            raise InputError(self._message(fault, boxes))

    def _boxes(self) -> BoxEvidence:
        counts = [len(part.boxes_xyxy) for part in self.parts]
        numbers = np.concatenate([part.boxes_xyxy for part in self.parts])
        if self.source.layout == "xywh":
            numbers = np.hstack([numbers[:, :2], numbers[:, 2:] - numbers[:, :2]])
        sizes = np.array([part.said for part in self.parts], dtype=float)
        place = np.repeat(np.arange(len(counts)), counts)
        return BoxEvidence(numbers, self.source.layout, sizes[place], place)

    def _images(self) -> ImageEvidence:
        said = np.array([part.said for part in self.parts], dtype=float)
        stored = np.array([part.stored for part in self.parts], dtype=float)
        turns = np.array([part.turn for part in self.parts])
        return ImageEvidence(np.arange(len(self.parts)), said, stored, turns)

    def _message(self, fault: SourceFault, boxes: BoxEvidence) -> str:
        part = self.parts[fault.image]
        shown = f"image {part.id}" + (f" ({part.image})" if part.image else "")
        if fault.box is not None:
            numbers = np.round(boxes.numbers[fault.box], DIGITS).tolist()
            shown += f", {part.stored[0]} x {part.stored[1]}, with the box {numbers}"
        option = OPTIONS.get(fault.code) or _box_option(fault.code, boxes)
        mend = f". To mend it here: {option}" if option else ""
        return (
            f"expected boxes and sizes in {self.source.name} that fit its images: {fault.text} "
            f"(see {shown}){mend}"
        )


def _are_single(wrong: NDArray[np.bool_], most: int = FEW) -> bool:
    """Whether so few of a small source are wrong that each may be wrong by itself."""
    return bool(0 < wrong.sum() <= most and np.mean(wrong) <= 0.5)


def _is_single(fault: SourceFault, boxes: BoxEvidence) -> bool:
    """The same for its boxes: a few more if no other layout explains them."""
    numbers = boxes.numbers
    unit = ((numbers >= -0.01) & (numbers <= 1.01)).all(axis=1)
    wrong = (boxes.beyond() > TOLERANCE) | boxes.flat() | unit
    return _are_single(wrong, FEW if fault.code in LAYOUTS or "norm" in fault.code else 2 * FEW)


def _box_option(code: str, boxes: BoxEvidence) -> str | None:
    """The `--boxes` that reads the numbers as what the fault says they are."""
    if code in LAYOUTS:
        return f"--boxes {code}"
    units = {
        "norm1": (1.0, "norm1"),
        "norm100": (100.0, "percent"),
        "norm1000": (1000.0, "norm1000"),
    }
    if code not in units:
        return None
    side, unit = units[code]
    fitting = [layout for layout in LAYOUTS if _fits(LAYOUTS[layout](boxes.numbers), side)]
    best = next((layout for layout in (boxes.layout, *fitting) if layout in fitting), "xyxy")
    return f"--boxes {best}-{unit}"


def _fits(boxes_xyxy: Boxes, side: float) -> bool:
    """Whether nearly all boxes lie in a square, corners in order."""
    inside = (boxes_xyxy >= -0.02 * side).all(axis=1) & (boxes_xyxy <= 1.02 * side).all(axis=1)
    ordered = (boxes_xyxy[:, :2] < boxes_xyxy[:, 2:]).all(axis=1)
    return bool(np.mean(inside & ordered) > 0.95)
