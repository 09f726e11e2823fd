"""Macro F1 by class, as Rex-Omni and LocateAnything report it on COCO and LVIS.

Precision P is the mean of the classes' precisions, recall R that of their recalls, each over the
classes where it is above 0, and F1 is 2PR / (P + R): one number from two means. A class's precision
is read from COCO's curve just below its final recall, so boxes after its last right one cost
nothing; boxes of a class that an annotated image does not show are left out beforehand. All scores
count as equal: classes rank their boxes by image, in the order of the annotation file, then as the
answer lists them.

Source: IDEA-Research/Rex-Omni, `evaluation/fastevaluate` and `metrics/coco_lvis_metric.py`; NVlabs
Eagle (LocateAnything) evaluates with the same code. That code never resets its variable, so a class
without a right box takes the precision of the class before it. `carry=True` does that too.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import Annotations
from ..coco.columns import Indices, place_of_each
from ..coco.detections import Detections
from .federated import is_known, without_partly
from .matches import Matches
from .matching import LIMIT, match_boxes
from .ranking import RECALLS
from .scores import Metrics
from .shown import is_shown

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClassRates:
    """Precision and recall of each class.

    Attributes:
        precision: (T, K) at the last right box; 0 without one.
        recall: (T, K); -1 where a class has no annotation.
    """

    precision: Floats
    recall: Floats


def match_by_class(annotations: Annotations, detections: Detections) -> Matches:
    """Match boxes by class, without those of classes that their annotated image does not show.

    The limit is COCO's. A file whose images have `neg_category_ids` is LVIS's: it has no limit, a
    box counts only where its class is annotated or known to be absent, and a wrong one does not
    where the class is not annotated exhaustively.
    """
    truths, classes = annotations.truths, len(annotations.category_ids)
    kept = is_shown(detections, truths, classes)
    empty = ~np.isin(detections.image, truths.image)
    if annotations.federated:
        empty &= is_known(annotations, detections)
    equal = replace(detections, score=np.ones(len(detections))).take(kept | empty)
    limit = max(len(equal), 1) if annotations.federated else LIMIT
    matches = match_boxes(annotations, equal, limit)[0]
    return without_partly(matches, annotations) if annotations.federated else matches


def class_rates(matches: Matches, image_places: Indices) -> ClassRates:
    """The rates of all classes.

    Args:
        image_places: (I,) place of each of `matches.image_ids` in the annotation file.
    """
    truths = matches.truths.sum(axis=1)
    rates = ClassRates(
        np.zeros((len(matches.matched), len(truths))), np.zeros((len(matches.matched), len(truths)))
    )
    order = np.lexsort((image_places[matches.image], matches.category))
    bounds = np.searchsorted(matches.category[order], np.arange(len(truths) + 1))
    for k, total in enumerate(truths.tolist()):
        boxes = order[bounds[k] : bounds[k + 1]]
        for t, (hit, left) in enumerate(
            zip(matches.matched[:, boxes], matches.ignored[:, boxes], strict=True)
        ):
            rates.precision[t, k], rates.recall[t, k] = _last_point(hit[~left], total)
    return rates


def _last_point(hits: NDArray[np.bool_], truths: int) -> tuple[float, float]:
    """Precision and recall of a class from its boxes in order."""
    if not truths:
        return 0.0, -1.0
    right = np.cumsum(hits)
    if not hits.any():
        return 0.0, 0.0
    recall = right / truths
    level = RECALLS[recall[-1] > RECALLS][-1]
    first = np.searchsorted(recall, level, side="right")
    precision = right / np.arange(1, len(hits) + 1)
    return float(precision[first:].max()), float(recall[-1])


def macro_by_class(rates: ClassRates, carry: bool = False) -> dict[str, tuple[float, float, float]]:
    """Macro precision, recall and F1 at IoU .5 and .95, and "mean": of each class's mean over
    .5:.95.

    Args:
        carry: let a class without a right box take the precision of the one before it, as the
            published code does; the first one then has 0.

    >>> rates = ClassRates(np.array([[0.5, 0.0]]), np.array([[1.0, 0.0]]))
    >>> macro_by_class(rates)["0.5"]
    (0.5, 1.0, 0.6666666666666666)
    """
    precision = rates.precision
    at_50, at_95, over_all = precision[0], precision[-1], precision.T.ravel()
    if carry:
        at_50, at_95, over_all = (_carried(values) for values in (at_50, at_95, over_all))
    averaged = over_all.reshape(precision.T.shape).mean(axis=1)
    return {
        "mean": _macro(averaged, rates.recall.mean(axis=0)),
        "0.5": _macro(at_50, rates.recall[0]),
        "0.95": _macro(at_95, rates.recall[-1]),
    }


def _carried(values: Floats) -> Floats:
    """Each 0 replaced by the last value before it that is not 0."""
    last = np.maximum.accumulate(np.where(values > 0, np.arange(len(values)), 0))
    return values[last]


def _macro(precisions: Floats, recalls: Floats) -> tuple[float, float, float]:
    precision, recall = (
        float(values[values > 0].mean()) if (values > 0).any() else 0.0
        for values in (precisions, recalls)
    )
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def rates_by_class(annotations: Annotations, detections: Detections) -> ClassRates:
    """The rates of all classes, in COCOeval's order of them."""
    matches = match_by_class(annotations, detections)
    return class_rates(matches, place_of_each(matches.image_ids, annotations.image_ids))


def beside_by_class(annotations: Annotations, detections: Detections) -> Metrics:
    """The rows of `Scores.beside`; None without an annotation."""
    rates = rates_by_class(annotations, detections)
    annotated = bool((rates.recall >= 0).any())
    return {
        f"macro F1{'' if at == 'mean' else '@' + at.removeprefix('0')} by class{words}": f1
        if annotated
        else None
        for words, carry in (("", False), (" as published", True))
        for at, (_, _, f1) in macro_by_class(rates, carry).items()
    }
