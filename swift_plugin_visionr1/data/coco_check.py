"""The annotations of a COCO file checked against themselves and against the headers of their
images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..geometry.boxes import as_boxes
from ..geometry.frames import Size
from .box_faults import ROUNDING, TOLERANCE, BoxEvidence, SourceFault, find_box_fault
from .coco import Id, Image
from .coco_mending import Records
from .image_faults import ImageEvidence, find_image_fault, orientation_note

Stored = tuple[Size, int]  # (width, height) in an image's header, and its EXIF orientation


@dataclass(frozen=True)
class CocoCheck:
    """What the check says.

    Attributes:
        fault: what is wrong with the source as a whole; None where at most single records are.
        example: the record that shows it, in words.
        notes: what is unusual, in words.
        loose: number of boxes that leave their image by at most the tolerance.
        outside: number of boxes that leave it by more.
        other_size: the images whose file is of another size, where these are single ones.
    """

    fault: SourceFault | None
    example: str
    notes: tuple[str, ...]
    loose: int
    outside: int
    other_size: frozenset[Id]

    def raise_fault(self, path: Path) -> None:
        """Raise InputError with the cause and the remedy where there is a fault."""
        if self.fault is not None:
            raise InputError(
                f"expected boxes and sizes in {path} to belong to its images, got a file of which "
                f"{self.fault.text} (see {self.example})"
            )


def check_coco(
    images: Sequence[Image],
    annotations: Records,
    stored: Mapping[Id, Stored] | None = None,
) -> CocoCheck:
    """Check all annotations together.

    Args:
        images: of the file.
        annotations: of these images, as from `read_coco`.
        stored: what the headers of the image files say, by image id; images may be missing.
    """
    boxes = box_evidence(images, annotations)
    files = _image_evidence(images, stored or {})
    fault = find_image_fault(files, boxes) or find_box_fault(boxes)
    beyond = boxes.beyond()
    note = None if fault else orientation_note(files)
    return CocoCheck(
        fault,
        _example(fault, images, annotations) if fault else "",
        (note,) if note else (),
        int(((beyond > ROUNDING) & (beyond <= TOLERANCE)).sum()),
        int((beyond > TOLERANCE).sum()),
        frozenset(images[place].id for place in files.index[files.differs].tolist()),
    )


def box_evidence(images: Sequence[Image], annotations: Records) -> BoxEvidence:
    """The boxes of a COCO file as arrays; images are numbered by their place in the file."""
    place = {image.id: index for index, image in enumerate(images)}
    sizes = np.array([image.size for image in images], dtype=np.float64)
    image = np.array([place[record["image_id"]] for record in annotations], dtype=np.int64)
    numbers = as_boxes([record["bbox"] for record in annotations])
    return BoxEvidence(numbers, "xywh", sizes[image], image)


def _image_evidence(images: Sequence[Image], stored: Mapping[Id, Stored]) -> ImageEvidence:
    known = [index for index, image in enumerate(images) if image.id in stored]
    headers = [stored[images[index].id] for index in known]
    return ImageEvidence(
        np.array(known, dtype=np.int64),
        np.array([images[index].size for index in known], dtype=np.float64).reshape(-1, 2),
        np.array([size for size, _ in headers], dtype=np.float64).reshape(-1, 2),
        np.array([orientation for _, orientation in headers], dtype=np.int64),
    )


def _example(fault: SourceFault, images: Sequence[Image], annotations: Records) -> str:
    image = images[fault.image]
    where = f"image {image.id}" + (f" ({image.file_name})" if image.file_name else "")
    if fault.box is None:
        return where
    record = annotations[fault.box]
    return (
        f"annotation {record.get('id')} of {where}, {image.size[0]} x {image.size[1]}, with the "
        f"bbox {record['bbox']}"
    )
