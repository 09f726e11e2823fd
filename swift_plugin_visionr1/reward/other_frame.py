"""Whether the boxes of a batch would lie on the annotations if their numbers meant something
else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.ground_truth import GroundTruth
from ..geometry.boxes import Boxes, iou
from ..geometry.frames import FRAMES
from ..models.model_io import ModelIO
from .equations import RewardBreakdown

FEWEST = 4  # answers with boxes, for images with annotations
BETTER = 0.3  # by which the mean IoU is larger in the other frame


@dataclass(frozen=True)
class OtherFrame:
    """A frame that fits better.

    Attributes:
        name: a key of FRAMES.
        iou: mean IoU of the annotated boxes with the best prediction there.
        as_read: the same in the frame that the run reads.
    """

    name: str
    iou: float
    as_read: float


def other_frame(
    breakdowns: Sequence[RewardBreakdown], truths: Sequence[GroundTruth], io: ModelIO
) -> OtherFrame | None:
    """The frame in which the boxes lie on the annotations, if they do not as they are read."""
    pairs = [
        (breakdown, truth)
        for breakdown, truth in zip(breakdowns, truths, strict=True)
        if len(breakdown.boxes_xyxy) and len(truth.boxes)
    ]
    if len(pairs) < FEWEST:
        return None
    as_read = float(np.mean([_overlap(breakdown.boxes_xyxy, truth) for breakdown, truth in pairs]))
    ious = {name: _overlap_in(name, pairs, io) for name in FRAMES}
    best = max(ious, key=lambda name: ious[name])
    return OtherFrame(best, ious[best], as_read) if ious[best] >= as_read + BETTER else None


def _overlap_in(
    name: str, pairs: Sequence[tuple[RewardBreakdown, GroundTruth]], io: ModelIO
) -> float:
    overlaps = []
    for breakdown, truth in pairs:
        view = io.resize.view(truth.size)
        written = io.format.frame.from_image(breakdown.boxes_xyxy, view)
        overlaps.append(_overlap(FRAMES[name].to_image(written, view), truth))
    return float(np.mean(overlaps))


def _overlap(boxes_xyxy: Boxes, truth: GroundTruth) -> float:
    return float(iou(boxes_xyxy, truth.boxes).max(axis=0).mean())
