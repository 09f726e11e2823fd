"""What a published reward is given: one answer beside its annotations."""

from dataclasses import dataclass
from functools import cached_property

from ...geometry.boxes import Boxes
from ...geometry.frames import Size
from .overlap import Overlaps, pairwise_iou


@dataclass(frozen=True, eq=False)
class PeerAnswer:
    """One answer beside the annotations of its image.

    Attributes:
        boxes: (n, 4) xyxy, in the order of the answer, in the annotations' frame.
        labels: of each of them.
        truths: (m, 4) annotated boxes.
        truth_labels: of each of them.
        size: (width, height) of the image in the units of the boxes.
        confidences: of each box, if the answer states them; () if not.
        text: the answer.
        template_is_right: whether the answer has the form that its format asks for.
        denies: the answer says that there is nothing to find.
    """

    boxes: Boxes
    labels: tuple[str, ...]
    truths: Boxes
    truth_labels: tuple[str, ...]
    size: Size
    confidences: tuple[float, ...] = ()
    text: str = ""
    template_is_right: bool = True
    denies: bool = False

    @cached_property
    def ious(self) -> Overlaps:
        """(n, m) plain IoU of every predicted with every annotated box."""
        return pairwise_iou(self.boxes, self.truths)
