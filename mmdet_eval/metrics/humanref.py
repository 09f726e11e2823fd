"""HumanRef: recall, precision and density F1 of expressions that mean several people, and how often
nothing is answered where nobody is meant.

Each annotated box in turn takes the free box that it overlaps most (`by_sample.hits_in_turn`).
Density F1 is F1 * min(1, annotated / answered), so boxes for everybody do not pay. Each number is
the mean over expressions, of its value at IoU .5 or of its mean over .5:.95. Source:
IDEA-Research/RexSeek @f5c1169, `recall_precision_densityf1.py`, which reports the number of right
rejections and calls it accuracy; here it is the share.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import Annotations
from ..coco.columns import Indices
from ..coco.detections import Detections
from .by_sample import hits_in_turn
from .sampled import mean_of
from .scores import Metrics, SuiteScores

Floats = NDArray[np.float64]
NAMES = ("recall", "precision", "DF1")
SHORT = {"recall": "R", "precision": "P", "DF1": "DF1"}


def humanref_rates(
    hits: Indices, truths: Indices, boxes: Indices, people: Indices, without: float = 0.0
) -> tuple[Floats, Floats, Floats]:
    """Recall, precision and density F1, each (T, S), of S expressions at T thresholds.

    Args:
        hits: (T, S) annotated boxes that took a box.
        truths, boxes: (S,) number of annotated boxes, at least 1, and of boxes in the answer.
        people: (S,) number of people in the image; without any, density F1 is 0.
        without: the precision of an empty answer.

    >>> rates = humanref_rates(np.array([[1]]), np.array([1]), np.array([2]), np.array([5]))
    >>> [round(float(rate[0, 0]), 3) for rate in rates]
    [1.0, 0.5, 0.333]
    """
    recall = hits / truths
    precision = np.where(boxes > 0, hits / np.maximum(boxes, 1), without)
    total = recall + precision
    f1 = 2 * recall * precision / np.where(total > 0, total, 1.0)
    density = np.minimum(1.0, truths / np.maximum(boxes, 1))
    return recall, precision, np.where((hits > 0) & (people > 0), f1 * density, 0.0)


def humanref(annotations: Annotations, detections: Detections) -> SuiteScores:
    """The metrics of `forms.humanref`'s annotations, over all domains and by domain."""
    images, truths = annotations.data["images"], annotations.truths
    count = np.bincount(truths.image, minlength=len(images))
    boxes = np.bincount(detections.image, minlength=len(images))
    order = np.argsort(detections.image, kind="stable")
    hits = hits_in_turn(
        truths.image,
        truths.boxes_xywh,
        detections.image[order],
        detections.boxes_xywh[order],
        len(images),
    )
    people = np.array([image.get("people", 0) for image in images])
    domains = np.array([str(image.get("domain", "")) for image in images])
    asked = count > 0
    rates = humanref_rates(hits[:, asked], count[asked], boxes[asked], people[asked])
    columns = {name: rate for name, rate in zip(NAMES, rates, strict=True)}
    rejected = boxes[~asked] == 0
    first = _means(columns) | {"rejection": float(rejected.mean()) if len(rejected) else None}
    beside = {f"{name}@.5 an expression": _mean(rate[:1]) for name, rate in columns.items()}
    for domain in dict.fromkeys(domains[asked].tolist()):
        some = {name: rate[:, domains[asked] == domain] for name, rate in columns.items()}
        beside |= {f"{domain}: {name}": value for name, value in _means(some).items()}
    sampled = {
        SHORT[name]: mean_of(_on_all(rate.mean(axis=0), asked), asked)
        for name, rate in columns.items()
    }
    return SuiteScores(first, beside, sampled | {"rejection": mean_of(boxes == 0, ~asked)})


def _on_all(values: Floats, asked: NDArray[np.bool_]) -> Floats:
    """(S,) values of some expressions in their places among all."""
    everywhere = np.zeros(len(asked))
    everywhere[asked] = values
    return everywhere


def _means(columns: Mapping[str, Floats]) -> Metrics:
    return {SHORT[name]: _mean(rate) for name, rate in columns.items()}


def _mean(rate: Floats) -> float | None:
    return float(rate.mean()) if rate.size else None
