"""Generalised referring expressions, which mean no, one or several objects (gRefCOCO).

An expression is right if F1 is 1: every object is found and no box is wrong. Source:
henghuiding/gRefCOCO @41a8f00, `mdetr/datasets/refexp.py`. The benchmark names the metric
Pr@(F1=1, IoU>=.5); its code takes the generalised IoU instead.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.geometry.boxes import Boxes, giou, iou

from ..coco.annotations import Annotations
from ..coco.detections import Detections
from .scores import Metrics, SuiteScores

Floats = NDArray[np.float64]
Overlap = Callable[[Boxes, Boxes], Floats]
LEAST = 0.5
LEAST_SCORE = 0.7  # that the published evaluation keeps


def grec_f1(truths_xyxy: Boxes, boxes_xyxy: Boxes, overlap: Overlap = iou) -> float:
    """F1 of an expression: the pair with the highest overlap first, down to .5.

    Without an object it is 1 if there is no box, else 0.

    Args:
        truths_xyxy, boxes_xyxy: (m, 4) and (n, 4) in the same frame.

    >>> grec_f1(np.zeros((0, 4)), np.zeros((0, 4))), grec_f1(np.zeros((0, 4)), np.ones((1, 4)))
    (1.0, 0.0)
    """
    if not len(truths_xyxy):
        return float(not len(boxes_xyxy))
    left, hits = overlap_of(overlap, truths_xyxy, boxes_xyxy), 0
    while left.size and left.max() >= LEAST:
        truth, box = np.unravel_index(left.argmax(), left.shape)
        left = np.delete(np.delete(left, truth, axis=0), box, axis=1)
        hits += 1
    return 2 * hits / (len(truths_xyxy) + len(boxes_xyxy))


def overlap_of(overlap: Overlap, a: Boxes, b: Boxes) -> Floats:
    """The overlap of each pair; 0 for boxes without area, which have none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(overlap(a, b), nan=0.0)


def grec_rates(
    truths: Sequence[Boxes], boxes: Sequence[Boxes], overlap: Overlap = iou
) -> tuple[float | None, float | None, float | None]:
    """Pr@(F1=1), N-acc and T-acc of n expressions; None without expressions of its kind.

    N-acc is the share of expressions without an object that are answered without a box. T-acc is
    the share of the others answered with one, right or wrong.
    """
    f1 = np.array([grec_f1(*pair, overlap) for pair in zip(truths, boxes, strict=True)])
    there = np.array([bool(len(some)) for some in truths], dtype=bool)
    answered = np.array([bool(len(some)) for some in boxes], dtype=bool)
    return _share(f1 >= 1), _share(~answered[~there]), _share(answered[there])


def _share(right: NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None


def grec(annotations: Annotations, detections: Detections) -> SuiteScores:
    """The metrics of one entry of images for each expression."""
    truths_xyxy, boxes_xyxy = annotations.truths.boxes_xyxy, detections.boxes_xyxy
    truths = [truths_xyxy[places] for places in annotations.truths.by_image]
    boxes = [boxes_xyxy[places] for places in detections.by_image]
    right, absent, present = grec_rates(truths, boxes)
    published, *_ = grec_rates(truths, boxes, giou)
    first: Metrics = {"Pr@(F1=1)": right, "N-acc": absent, "T-acc": present}
    return SuiteScores(first, {"Pr@(F1=1) as published": published})


def threshold_warning(detections: Detections) -> tuple[str, ...]:
    """What to know about boxes of a file that the published evaluation would leave out."""
    below = int((detections.score < LEAST_SCORE).sum())
    if not below:
        return ()
    return (
        f"{below} of {len(detections)} boxes have a score below {LEAST_SCORE} and count like the "
        f"others; gRefCOCO's published evaluation keeps those of at least {LEAST_SCORE}: leave out "
        "what your detector does not stand for",
    )
