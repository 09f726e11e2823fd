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
from .sampled import mean_of
from .scores import SuiteScores

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
    there, answered = _has_boxes(truths), _has_boxes(boxes)
    right = _is_right(truths, boxes, overlap)
    return _share(right), _share(~answered[~there]), _share(answered[there])


def _has_boxes(boxes: Sequence[Boxes]) -> NDArray[np.bool_]:
    return np.array([bool(len(some)) for some in boxes], dtype=bool)


def _is_right(
    truths: Sequence[Boxes], boxes: Sequence[Boxes], overlap: Overlap
) -> NDArray[np.bool_]:
    pairs = zip(truths, boxes, strict=True)
    return np.array([grec_f1(*pair, overlap) >= 1 for pair in pairs], dtype=bool)


def _share(right: NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None


def grec(annotations: Annotations, detections: Detections) -> SuiteScores:
    """The metrics of one entry of images for each expression."""
    truths_xyxy, boxes_xyxy = annotations.truths.boxes_xyxy, detections.boxes_xyxy
    truths = [truths_xyxy[places] for places in annotations.truths.by_image]
    boxes = [boxes_xyxy[places] for places in detections.by_image]
    there, answered = _has_boxes(truths), _has_boxes(boxes)
    right, published = (_is_right(truths, boxes, overlap) for overlap in (iou, giou))
    return SuiteScores(
        {
            "Pr@(F1=1)": _share(right),
            "N-acc": _share(~answered[~there]),
            "T-acc": _share(answered[there]),
        },
        {"Pr@(F1=1) as published": _share(published)},
        {
            "Pr@(F1=1)": mean_of(right),
            "N-acc": mean_of(~answered, ~there),
            "T-acc": mean_of(answered, there),
            "Pr@(F1=1) as published": mean_of(published),
        },
    )


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
