"""What is wrong with the boxes of a whole source: numbers of another layout, frame or image.

One box seldom proves it: it may be wrong by itself. A fault of the source shows in how many boxes
leave their image, and in what all boxes of those images would be if they were read another way.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import LAYOUTS, Boxes
from ..text import share

Layout = Literal["xyxy", "xywh"]
Floats = NDArray[np.float64]

ROUNDING = 0.5  # pixels by which a rounded box may leave its image
TOLERANCE = 3.0  # pixels by which loosely drawn boxes do, as in Objects365 and OpenImages
SINGLE = 0.01  # share of boxes that may be wrong by themselves
SINGLE_OF_FEW = 0.05  # the same where less than ENOUGH boxes are wrong
UNEXPLAINED = 0.1  # the same where no other layout, frame or image explains them
EXPLAINED = 0.95  # of the boxes of the images in question lie inside, read another way
MOST_FLAT = 0.5  # share of boxes without area
REACH = 0.9  # of a side; boxes in a frame reach its borders
HALF = 0.5  # of a side, beyond which some box of many nearly always reaches
ENOUGH = 20  # boxes, below which how far they reach says nothing

WORDS = {
    "xyxy": "two corners [x1, y1, x2, y2]",
    "xywh": "[x, y, width, height]",
    "cxcywh": "middle, width and height",
}
REMEDY = {
    "xyxy": "write [x1, y1, x2, y2], in pixels of the original image",
    "xywh": "write [x, y, width, height], in pixels of the original image",
}


@dataclass(frozen=True, eq=False)
class BoxEvidence:
    """The boxes of a source, as written.

    Attributes:
        numbers: (n, 4) as written.
        layout: what they ought to be.
        sizes: (n, 2) width and height in pixels of each box's image.
        image: (n,) which image each box is of, as any number.
    """

    numbers: Boxes
    layout: Layout
    sizes: Floats
    image: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "BoxEvidence":
        """The boxes chosen by a mask (n,)."""
        return BoxEvidence(
            self.numbers[chosen], self.layout, self.sizes[chosen], self.image[chosen]
        )

    def beyond(self) -> Floats:
        """(n,) pixels by which each box leaves its image; infinite if its corners are in the wrong
        order."""
        return beyond(LAYOUTS[self.layout](self.numbers), self.sizes)

    def flat(self) -> NDArray[np.bool_]:
        """(n,) whether a box has no width or no height."""
        boxes = LAYOUTS[self.layout](self.numbers)
        return np.asarray((boxes[:, :2] == boxes[:, 2:]).any(axis=1))

    def fits(self, layout: str, sizes: Floats) -> bool:
        """Whether nearly all boxes lie inside images of `sizes` (n, 2), read in another layout."""
        inside = beyond(LAYOUTS[layout](self.numbers), sizes) <= TOLERANCE
        return bool(len(inside) and np.mean(inside) >= EXPLAINED)


@dataclass(frozen=True)
class SourceFault:
    """A fault of a whole source.

    Attributes:
        code: names the kind of fault, for programs.
        text: the cause and the remedy.
        image: number of an image that shows it, as in `BoxEvidence.image`.
        box: index of a box that shows it; None where the image does.
    """

    code: str
    text: str
    image: int
    box: int | None = None


def beyond(boxes_xyxy: Boxes, sizes: Floats) -> Floats:
    """(n,) pixels by which each box leaves its image of `sizes` (n, 2), 0 for a box inside;
    infinite where x1 > x2 or y1 > y2."""
    over = np.maximum(boxes_xyxy[:, 2:] - sizes, -boxes_xyxy[:, :2]).max(axis=1, initial=0)
    ordered = (boxes_xyxy[:, :2] <= boxes_xyxy[:, 2:]).all(axis=1)
    return np.where(ordered, over, np.inf)


def find_box_fault(evidence: BoxEvidence) -> SourceFault | None:
    """The likeliest fault of the boxes as a whole; None if only single ones are wrong."""
    if not len(evidence.numbers):
        return None
    if fault := _flat_boxes(evidence) or _unit_boxes(evidence):
        return fault
    wrong = evidence.beyond() > TOLERANCE
    if np.mean(wrong) <= (SINGLE if wrong.sum() >= ENOUGH else SINGLE_OF_FEW):
        return _of_a_square(evidence, 1000, REACH) or _of_a_square(evidence, 100, HALF)
    suspects = evidence.of(np.isin(evidence.image, evidence.image[wrong]))
    code, text = _explain(suspects)
    if code == "out_of_image" and np.mean(wrong) <= UNEXPLAINED:
        return None
    many = f"{share(int(wrong.sum()), len(wrong))} boxes leave their image"
    reversed_ = np.isinf(evidence.beyond())
    if reversed_.any():
        many += f" or have x1 > x2 or y1 > y2 ({int(reversed_.sum())})"
    return _fault(evidence, code, f"{many}, {text}", int(np.flatnonzero(wrong)[0]))


def _fault(evidence: BoxEvidence, code: str, text: str, box: int) -> SourceFault:
    return SourceFault(code, text, int(evidence.image[box]), box)


def _flat_boxes(evidence: BoxEvidence) -> SourceFault | None:
    flat = evidence.flat()
    if np.mean(flat) <= MOST_FLAT:
        return None
    text = f"{share(int(flat.sum()), len(flat))} boxes have no area: {REMEDY[evidence.layout]}"
    return _fault(evidence, "no_area", text, int(np.flatnonzero(flat)[0]))


def _unit_boxes(evidence: BoxEvidence) -> SourceFault | None:
    """Boxes normalised to the unit square, as YOLO and some converters write them."""
    least, most = evidence.numbers.min(axis=1), evidence.numbers.max(axis=1)
    unit = (least >= -0.01) & (most <= 1.01) & (evidence.sizes.min(axis=1) > 2)
    if np.mean(unit) <= SINGLE:
        return None
    text = (
        f"{share(int(unit.sum()), len(unit))} boxes are normalised to 0-1: multiply them by the "
        f"width and height of their image; {REMEDY[evidence.layout]}"
    )
    return _fault(evidence, "norm1", text, int(np.flatnonzero(unit)[0]))


def _of_a_square(evidence: BoxEvidence, side: int, reach: float) -> SourceFault | None:
    """Boxes normalised to 0-1000 or to percent in images so large that none leaves its image, nor
    reaches far in it."""
    boxes = LAYOUTS[evidence.layout](evidence.numbers)
    if len(boxes) < ENOUGH or evidence.numbers.max() > side + TOLERANCE:
        return None
    filled = [
        LAYOUTS[layout](evidence.numbers)[:, 2:].max(axis=0) / side
        for layout in ("xyxy", "xywh")
        if evidence.fits(layout, np.full_like(evidence.sizes, side))
    ]
    in_image = (boxes[:, 2:] / evidence.sizes).max(axis=0)
    if not any(min(each) > 0.95 for each in filled) or max(in_image) > reach:
        return None
    text = (
        f"no number is above {side} although the images are larger, and no box reaches beyond "
        f"{in_image[0]:.0%} of the width and {in_image[1]:.0%} of the height: they are normalised "
        f"to 0-{side}; {REMEDY[evidence.layout]}"
    )
    return _fault(evidence, f"norm{side}", text, int(evidence.numbers.max(axis=1).argmax()))


def _explain(evidence: BoxEvidence) -> tuple[str, str]:
    """Code and text for boxes that leave their images, or are reversed."""
    sizes, remedy = evidence.sizes, REMEDY[evidence.layout]
    for layout in ("xyxy", "xywh", "cxcywh"):
        if layout != evidence.layout and evidence.fits(layout, sizes):
            return layout, f"and fit as {WORDS[layout]}: {remedy}"
    swapped = sizes[:, ::-1]
    if not np.array_equal(swapped, sizes):
        if evidence.fits(evidence.layout, swapped):
            return (
                "swapped_boxes",
                "and fit with width and height swapped: either the sizes are swapped, or the boxes "
                f"have y first, or they belong to images turned by 90 degrees, such as by an EXIF "
                f"orientation; {remedy}",
            )
        for layout in ("xyxy", "xywh"):
            if evidence.fits(layout, swapped):
                words = "[y1, x1, y2, x2]" if layout == "xyxy" else "[y, x, height, width]"
                return "y_first", f"and fit as {words}: {remedy}"
    for layout in ("xyxy", "xywh"):
        boxes = LAYOUTS[layout](evidence.numbers)
        if (
            evidence.fits(layout, np.full_like(sizes, 1000))
            and boxes[:, 2:].max(axis=0).min() >= REACH * 1000
        ):
            return "norm1000", f"and fit as {WORDS[layout]} normalised to 0-1000: {remedy}"
    return _other_image(evidence)


def _other_image(evidence: BoxEvidence) -> tuple[str, str]:
    """Boxes of larger images than these, or boxes that fit no explanation."""
    boxes, remedy = LAYOUTS[evidence.layout](evidence.numbers), REMEDY[evidence.layout]
    over = evidence.beyond()
    reach = (boxes[:, 2:] / evidence.sizes).max(axis=0)
    if np.isinf(over).any():
        return (
            "corner_order",
            f"and fit no usual layout: write the upper left corner first; {remedy}",
        )
    if boxes.min() >= -TOLERANCE and reach.min() > 1.05 and np.mean(over > TOLERANCE) > 0.1:
        return (
            "other_size",
            f"to the right and below only, up to {reach[0]:.2f} times the width and "
            f"{reach[1]:.2f} times the height: they belong to larger images, such as those before "
            f"they were shrunk, or are normalised to 0-1000; {remedy}",
        )
    return (
        "out_of_image",
        f"by up to {over.max():.0f} pixels, and fit no usual layout: clip them if they are loose; "
        "do images and annotations belong to the same data set?",
    )
