"""What is wrong with the image sizes of a whole source, compared with its image files' headers.

Models are shown the pixels as they are stored. Viewers and annotation tools also turn the image by
the orientation in its EXIF header, so boxes that were drawn there belong to the turned image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import LAYOUTS
from ..text import listed, share
from .box_faults import (
    SINGLE,
    SINGLE_OF_FEW,
    TOLERANCE,
    BoxEvidence,
    Floats,
    SourceFault,
    beyond,
)
from .image_check import UPRIGHT

PIXEL = 1  # by which rounding changes a side


@dataclass(frozen=True, eq=False)
class ImageEvidence:
    """The images of a source, without those whose header was not read.

    Attributes:
        index: (m,) which image each is, as in `BoxEvidence.image`.
        said: (m, 2) width and height as the annotations say.
        stored: (m, 2) width and height in the file's header, before EXIF.
        orientation: (m,) of EXIF, 1 to 8; 1 is upright.
    """

    index: NDArray[np.int64]
    said: Floats
    stored: Floats
    orientation: NDArray[np.int64]

    @property
    def turned(self) -> NDArray[np.bool_]:
        """(m,) whether viewers show it turned by 90 degrees."""
        return self.orientation >= 5

    @property
    def differs(self) -> NDArray[np.bool_]:
        """(m,) whether the annotations say another size than the header."""
        return np.asarray((self.said != self.stored).any(axis=1))


def find_image_fault(images: ImageEvidence, boxes: BoxEvidence) -> SourceFault | None:
    """The likeliest fault of the sizes as a whole; None if only single ones are wrong."""
    if not len(images.index):
        return None
    return _turned(images, boxes) or _sizes(images, boxes)


def _turned(images: ImageEvidence, boxes: BoxEvidence) -> SourceFault | None:
    """Boxes or sizes that belong to the image as viewers show it, not as it is stored."""
    turned = images.turned
    if not turned.any():
        return None
    of_turned = boxes.of(np.isin(boxes.image, images.index[turned]))
    stored = images.stored[turned][np.searchsorted(images.index[turned], of_turned.image)]
    boxes_xyxy = LAYOUTS[boxes.layout](of_turned.numbers)
    leaving = beyond(boxes_xyxy, stored) > TOLERANCE
    as_shown = beyond(boxes_xyxy, stored[:, ::-1]) > TOLERANCE
    sizes = turned & (images.said == images.stored[:, ::-1]).all(axis=1) & images.differs
    boxes_fit = leaving.sum() > SINGLE * len(leaving) and as_shown.sum() < leaving.sum() / 2
    if not (boxes_fit or sizes.any()):
        return None
    text = _tagged(images, turned)
    if sizes.any():
        text += f"; the annotations give {int(sizes.sum())} of them the size that viewers show"
    if leaving.any():
        text += (
            f"; {int(leaving.sum())} of their {len(leaving)} boxes leave the image as stored, "
            f"{int(as_shown.sum())} the image as shown"
        )
    return SourceFault(
        "exif_orientation",
        f"{text}; models are shown the pixels as stored: {UPRIGHT}",
        _first(images, turned),
    )


def _sizes(images: ImageEvidence, boxes: BoxEvidence) -> SourceFault | None:
    """Sizes that differ from those of the image files."""
    differs = images.differs
    if np.mean(differs) <= SINGLE or _are_single(images, differs):
        return None
    said, stored = images.said[differs], images.stored[differs]
    many = f"{share(int(differs.sum()), len(differs))} images"
    example = (
        f"such as {said[0][0]:g} x {said[0][1]:g} for a file of {stored[0][0]:g} x {stored[0][1]:g}"
    )
    of_these = boxes.of(np.isin(boxes.image, images.index[differs]))
    place = np.searchsorted(images.index[differs], of_these.image)
    of_files = of_these.fits(boxes.layout, stored[place])
    of_annotations = of_these.fits(boxes.layout, said[place])
    swapped = np.mean((said == stored[:, ::-1]).all(axis=1)) > 0.5
    if of_files and not of_annotations:
        remedy = "the boxes fit the files: write the width and height of the files"
    elif swapped:
        remedy = (
            "write the width first; or use the images that were annotated, if these were turned "
            "afterwards"
        )
    else:
        remedy = (
            "the images were resized after they were annotated: use the original ones, or "
            "multiply boxes and sizes by the ratio"
        )
    what = "width and height swapped" if swapped else "another size than their file"
    text = f"{many} have {what}, {example}; {remedy}"
    return SourceFault("swapped_size" if swapped else "wrong_size", text, _first(images, differs))


def _are_single(images: ImageEvidence, differs: NDArray[np.bool_]) -> bool:
    """Whether a few images are off by a rounded pixel, or one of several is."""
    off = np.abs(images.said - images.stored).max() <= PIXEL
    return bool(off and (np.mean(differs) <= SINGLE_OF_FEW or differs.sum() == 1 < len(differs)))


def _tagged(images: ImageEvidence, chosen: NDArray[np.bool_]) -> str:
    values = listed(sorted(set(images.orientation[chosen].tolist())), 8)
    count = f"{int(chosen.sum())} of {len(chosen)}"
    return f"{count} images carry an EXIF orientation ({values})"


def _first(images: ImageEvidence, chosen: NDArray[np.bool_]) -> int:
    return int(images.index[np.flatnonzero(chosen)[0]])
