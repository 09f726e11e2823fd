"""The annotations of a COCO file checked against themselves and against the headers of their
images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import InputError
from ..geometry.boxes import as_boxes
from .box_faults import ROUNDING, TOLERANCE, BoxEvidence, SourceFault, find_box_fault
from .coco import Id, Image
from .coco_mending import Records
from .image_faults import ImageEvidence, find_image_fault

if TYPE_CHECKING:
    from .images import Header  # needs Pillow

Reason = Literal["no_area", "loose", "outside"]


@dataclass(frozen=True)
class CocoCheck:
    """What the check says.

    Attributes:
        fault: what is wrong with the source as a whole; None if only single records are wrong.
        example: the record that shows it, in words.
        counts: reason -> annotations that are unusual by themselves.
        other_size: the images whose file has another size, if these are single ones.
    """

    fault: SourceFault | None
    example: str
    counts: Mapping[Reason, tuple[dict[str, Any], ...]]
    other_size: frozenset[Id]

    def raise_fault(self, path: Path) -> None:
        """Raise InputError with the cause and the remedy if there is a fault."""
        if self.fault is not None:
            raise InputError(
                f"expected boxes and sizes in {path} that fit its images: {self.fault.text} (see "
                f"{self.example})"
            )


def check_coco(
    images: Sequence[Image],
    annotations: Records,
    stored: Mapping[Id, "Header"] | None = None,
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
    return CocoCheck(
        fault,
        _example(fault, images, annotations) if fault else "",
        _counted(boxes, annotations),
        frozenset(images[place].id for place in files.index[files.differs].tolist()),
    )


def _counted(boxes: BoxEvidence, annotations: Records) -> dict[Reason, tuple[dict[str, Any], ...]]:
    beyond = boxes.beyond()
    masks: dict[Reason, Any] = {
        "no_area": boxes.flat() | np.isinf(beyond),
        "loose": (beyond > ROUNDING) & (beyond <= TOLERANCE),
        "outside": (beyond > TOLERANCE) & np.isfinite(beyond),
    }
    return {
        reason: tuple(annotations[index] for index in np.flatnonzero(mask).tolist())
        for reason, mask in masks.items()
        if mask.any()
    }


def box_evidence(images: Sequence[Image], annotations: Records) -> BoxEvidence:
    """The boxes of a COCO file as arrays; images are numbered by their place in the file."""
    place = {image.id: index for index, image in enumerate(images)}
    sizes = np.array([image.size for image in images], dtype=np.float64)
    image = np.array([place[record["image_id"]] for record in annotations], dtype=np.int64)
    numbers = as_boxes([record["bbox"] for record in annotations])
    return BoxEvidence(numbers, "xywh", sizes[image], image)


def _image_evidence(images: Sequence[Image], stored: Mapping[Id, "Header"]) -> ImageEvidence:
    known = [index for index, image in enumerate(images) if image.id in stored]
    headers = [stored[images[index].id] for index in known]
    return ImageEvidence(
        np.array(known, dtype=np.int64),
        np.array([images[index].size for index in known], dtype=np.float64).reshape(-1, 2),
        np.array([header.size for header in headers], dtype=np.float64).reshape(-1, 2),
        np.array([header.orientation for header in headers], dtype=np.int64),
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
