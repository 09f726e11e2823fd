"""Signs that the numbers in a data set are not xyxy boxes in pixels of the original image.

One row seldom proves it, but many boxes show a wrong frame by how far they reach. In a correct data
set some box touches the right and the lower border of its image and none goes beyond. So the likely
frame is the one whose borders the numbers reach without crossing them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.boxes import Boxes, cxcywh_to_xyxy, xywh_to_xyxy
from ...text import share
from ..findings import Finding, note, problem

BORDER = 1.0  # pixels by which boxes may leave a frame: rounding
ENOUGH = 20  # boxes, below which how far they reach says nothing
SHORT, FULL = 0.9, 0.95  # of a side: less is short of the border, more reaches it
TILTED, LEVEL = 0.25, 0.15  # of a side, by which the room on both sides of all boxes differs
UNEXPLAINED = ("corner_order", "out_of_image")  # codes of what fits no usual frame or layout
FEW = 0.6  # of the boxes that would leave their image, if those of all rows were in another frame
TOLERANCE = 0.005  # share of boxes that may be wrong in themselves


@dataclass(frozen=True, eq=False)
class LikelyFrame:
    """A frame in which the boxes may be written.

    Attributes:
        code: of the finding.
        sides: (n, 2) width and height of each box's image in that frame.
        words: what is wrong then.
    """

    code: str
    sides: NDArray[np.float64]
    words: str


@dataclass(frozen=True)
class Evidence:
    """Boxes of many rows with their images.

    Attributes:
        boxes: (n, 4) numbers as written.
        sizes: (n, 2) width and height of each box's image in pixels.
        processed: (n, 2) of what the model sees of it.
    """

    boxes: Boxes
    sizes: NDArray[np.float64]
    processed: NDArray[np.float64]

    def fits(self, boxes: Boxes, sides: NDArray[np.float64]) -> bool:
        """Whether the (n, 4) xyxy boxes lie within (n, 2) sides, but for a few."""
        inside = (boxes[:, :2] >= -BORDER).all(axis=1) & (boxes[:, 2:] <= sides + BORDER).all(
            axis=1
        )
        ordered = (boxes[:, :2] <= boxes[:, 2:]).all(axis=1)
        return bool(np.mean(inside & ordered) >= 1 - TOLERANCE)

    def reach(self, sides: NDArray[np.float64]) -> tuple[float, float]:
        """The greatest (x, y) as parts of the sides; 1 is the border."""
        x, y = (self.boxes[:, 2:] / sides).max(axis=0)
        return float(x), float(y)

    def tilt(self, sides: NDArray[np.float64]) -> tuple[float, float]:
        """By what parts of the sides the margin right of all boxes exceeds the one left of them,
        and the one below the one above."""
        x, y = 1 - np.array(self.reach(sides)) - (self.boxes[:, :2] / sides).min(axis=0)
        return float(x), float(y)


def box_findings(evidence: Evidence) -> list[Finding]:
    """The likeliest thing that is wrong with the boxes as a whole, if any."""
    if not len(evidence.boxes):
        return []
    signs: tuple[Callable[[Evidence], Finding | None], ...] = (
        unit_boxes,
        corner_order,
        other_frame,
    )
    findings = (sign(evidence) for sign in signs)
    return [finding for finding in findings if finding is not None][:1]


def unit_boxes(evidence: Evidence) -> Finding | None:
    """Boxes normalised to the unit square, as YOLO and some converters write them."""
    if evidence.boxes.max() > 1 or evidence.boxes.min() < 0:
        return None
    return problem(
        "norm1",
        "boxes are normalised to 0-1: no number in the data is above 1. Multiply them by the "
        "image's width and height; `solution` wants pixels of the original image",
    )


def corner_order(evidence: Evidence) -> Finding | None:
    """[x, y, width, height], or the box's middle and size, instead of two corners."""
    start, extent = evidence.boxes[:, :2], evidence.boxes[:, 2:]
    reversed_ = (start > extent).any(axis=1)
    if not reversed_.any():
        return None
    sentence = f"{share(int(reversed_.sum()), len(start))} boxes have x1 > x2 or y1 > y2"
    middle = evidence.fits(cxcywh_to_xyxy(evidence.boxes), evidence.sizes)
    if evidence.fits(xywh_to_xyxy(evidence.boxes), evidence.sizes):
        text = f"{sentence}, and all lie in their image as [x, y, width, height], COCO's layout"
        text += " (or as middle, width and height)" if middle else ""
        return problem("xywh", f"{text}: write [x, y, x + width, y + height]")
    if middle:
        return problem(
            "cxcywh",
            f"{sentence}, and all lie in their image as middle, width and height: write two "
            "corners",
        )
    return problem(
        "corner_order", f"{sentence}: write the upper left corner and then the lower right one"
    )


def other_frame(evidence: Evidence) -> Finding | None:
    """Boxes in another frame than the image's: they leave it, or all end well short of its
    borders."""
    reach, tilt = evidence.reach(evidence.sizes), evidence.tilt(evidence.sizes)
    outside = _outside(evidence)
    leaves = bool(outside.any())
    short = len(evidence.boxes) >= ENOUGH and (min(reach) < SHORT or min(tilt) > TILTED)
    if not (leaves or short):
        return None
    likely = _likely_frame(
        evidence, SHORT if leaves else FULL, leaves or min(tilt) > TILTED, leaves
    )
    if likely is None or (leaves and _are_few(outside, evidence, likely.sides)):
        if leaves:
            return _out_of_image(outside)
        return _lopsided(reach) if min(tilt) > TILTED else None
    x, y = evidence.reach(likely.sides)
    how = f"{_many(outside)} leave their image" if leaves else _falls_short(reach)
    return problem(
        likely.code,
        f"{likely.words}: {how}, but in that frame they reach {x:.0%} and {y:.0%}. Write them in "
        "pixels of the original image file",
    )


def _falls_short(reach: tuple[float, float]) -> str:
    return (
        f"no box reaches beyond {reach[0]:.0%} of its image's width and {reach[1]:.0%} of its "
        "height"
    )


def _are_few(outside: NDArray[np.float64], evidence: Evidence, sides: NDArray[np.float64]) -> bool:
    """Whether fewer boxes leave their image than if all rows were in a frame of these sides."""
    expected = 1 - np.minimum(evidence.sizes / sides, 1).prod(axis=1).mean()
    return bool(np.mean(outside > 0) < FEW * expected)


def _outside(evidence: Evidence) -> NDArray[np.float64]:
    """(n,) pixels by which each box leaves its image; 0 for those within the tolerated border."""
    beyond = np.maximum(evidence.boxes[:, 2:] - evidence.sizes, -evidence.boxes[:, :2]).max(axis=1)
    return np.where(beyond > BORDER, beyond, 0.0)


def _many(outside: NDArray[np.float64]) -> str:
    return f"{share(int(np.count_nonzero(outside)), len(outside))} boxes"


def _likely_frame(
    evidence: Evidence, least: float, middle_counts: bool, leaves: bool
) -> LikelyFrame | None:
    """The frame that the boxes do not leave and whose borders they reach.

    Args:
        evidence: the boxes.
        least: part of each side that they have to reach.
        middle_counts: whether boxes that keep equally clear of all four borders qualify too.
        leaves: whether some leave their image; else they have to lie less to one side of the frame
            than of the image.
    """
    level = np.inf if leaves else np.abs(evidence.tilt(evidence.sizes)).sum()

    def qualifies(frame: LikelyFrame) -> bool:
        tilt = np.abs(evidence.tilt(frame.sides))
        reaches = min(evidence.reach(frame.sides)) >= least
        return bool(tilt.sum() < level and (reaches or (middle_counts and tilt.max() < LEVEL)))

    return min(
        filter(qualifies, _fitting_frames(evidence)),
        key=lambda frame: abs(1 - np.array(evidence.reach(frame.sides))).sum(),
        default=None,
    )


def _fitting_frames(evidence: Evidence) -> list[LikelyFrame]:
    """The usual frames, other than the image's, that the boxes do not leave."""
    thousand = np.full_like(evidence.sizes, 1000.0)
    usual = [
        LikelyFrame(
            "resized_boxes",
            evidence.processed,
            "boxes are in pixels of the resized image that the model sees",
        ),
        LikelyFrame("norm1000", thousand, "boxes are normalised to 0-1000"),
        LikelyFrame("norm100", thousand / 10, "boxes are normalised to 0-100"),
        LikelyFrame(
            "swapped_boxes",
            evidence.sizes[:, ::-1],
            "boxes fit only with width and height swapped, or are y first",
        ),
    ]
    return [
        frame
        for frame in usual
        if not np.array_equal(frame.sides, evidence.sizes)
        if evidence.fits(evidence.boxes, frame.sides)
    ]


def _out_of_image(outside: NDArray[np.float64]) -> Finding:
    text = (
        f"{_many(outside)} leave their image, by up to {outside.max():.0f} pixels, and fit no "
        "usual frame"
    )
    remedy = "clip them if the annotations are loose; do images and annotations belong together?"
    return problem("out_of_image", f"{text}: {remedy}")


def _lopsided(reach: tuple[float, float]) -> Finding:
    return note(
        "lopsided",
        f"{_falls_short(reach)}: are they in pixels of a smaller copy of the images? Look at the "
        "pictures (--out)",
    )
