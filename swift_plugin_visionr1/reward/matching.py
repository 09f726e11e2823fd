"""Box-prioritised Hungarian matching of predictions to ground truth (section 3.2, Table 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes, iou_and_giou
from ..geometry.frames import Size

L1_WEIGHT, GIOU_WEIGHT, LABEL_WEIGHT = 5.0, 2.0, 1.0  # DETR's, Carion et al., ECCV 2020
TIE_WEIGHT = 1e-9  # decides between assignments of equal cost and never against a lower one


@dataclass(frozen=True)
class Match:
    """M = min(#predictions, #ground truth) pairs (Eq. 3).

    Attributes:
        predictions: (M,) indices of the matched predictions, ascending.
        truths: (M,) indices of their ground-truth boxes.
        ious: (M,) IoU of each pair.
    """

    predictions: NDArray[np.intp]
    truths: NDArray[np.intp]
    ious: NDArray[np.float64]


NO_MATCH = Match(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))


def match(
    boxes: Boxes,
    truths: Boxes,
    size: Size,
    wrong_label: NDArray[np.bool_] | None = None,
    label_weight: float = LABEL_WEIGHT,
) -> Match:
    """Eq. 3: {P_m} = extract_match(o), with the least total cost 5 L1 + 2 (1 - GIoU).

    Args:
        boxes: (n, 4) valid predicted boxes, xyxy in pixels of the original image.
        truths: (m, 4) ground-truth boxes in the same frame.
        size: (width, height) of that image; L1 is taken of coordinates divided by it.
        wrong_label: (n, m) whether the labels of a pair differ; None leaves labels out. Among
            assignments of the same cost the one with more overlap under right labels is taken.
        label_weight: what a wrong label costs: 1 with `box_label` of Table 3, 0 with `box`.

    The second prediction lies on the first truth:

    >>> predicted_xyxy = np.array([[60, 60, 90, 90], [0, 0, 50, 50.0]])
    >>> truths_xyxy = np.array([[0, 0, 50, 50], [60, 60, 90, 100.0]])
    >>> pairs = match(predicted_xyxy, truths_xyxy, size=(100, 100))
    >>> pairs.truths.tolist(), pairs.ious.tolist()
    ([1, 0], [0.75, 1.0])
    """
    if not len(boxes) or not len(truths):
        return NO_MATCH
    overlap, generalised = iou_and_giou(boxes, truths)
    width, height = size
    scale = np.array([width, height, width, height], dtype=np.float64)
    distance = np.abs((boxes / scale)[:, None] - truths / scale).sum(axis=2)
    cost = L1_WEIGHT * distance - GIOU_WEIGHT * generalised
    if wrong_label is not None:
        cost += label_weight * wrong_label - TIE_WEIGHT * overlap * ~wrong_label
    # Here, because it takes longer to import than this whole package.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return Match(rows, columns, overlap[rows, columns])


def canonical_order(boxes: Boxes, labels: Sequence[str]) -> NDArray[np.intp]:
    """(n,) indices that sort boxes by their corners, then by label.

    The assignment of boxes in this order, and so the reward, is the same in whatever order they are
    written, even where several assignments cost the same.
    """
    keys = list(zip(boxes.tolist(), map(_name, labels), labels, strict=True))
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)


def labels_differ(labels: Sequence[str], truths: Sequence[str]) -> NDArray[np.bool_]:
    """(n, m) whether two labels differ, ignoring case and surrounding space."""
    own = np.array([_name(label) for label in labels], dtype=object)
    other = np.array([_name(label) for label in truths], dtype=object)
    return np.asarray(own[:, None] != other[None, :], dtype=bool)


def _name(label: str) -> str:
    return label.strip().casefold()
