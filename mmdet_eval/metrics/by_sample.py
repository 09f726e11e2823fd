"""Macro F1 by sample, as Rex-Omni and LocateAnything report it on every set but COCO and LVIS.

A sample is an image with its question. Each annotated box in turn takes the free box of the answer
that it overlaps most, whatever its class; P and R of a sample are right / boxes and right /
annotated boxes, and both are averaged over samples: F1(t) = 2 P(t) R(t) / (P(t) + R(t)). "mean" is
the mean over ten thresholds of P, of R and of F1. A sample without annotations has P = R = 1 if the
answer is empty, else 0.

Source: IDEA-Research/Rex-Omni, `evaluation/metrics/other_metric.py`; NVlabs Eagle (LocateAnything)
evaluates with the same code.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.geometry.boxes import Boxes

from ..coco.annotations import Annotations
from ..coco.columns import Indices
from ..coco.detections import Detections
from .matching import Pairs, SortedTruths, choose, find_pairs
from .sampled import Sampled
from .scores import Metrics
from .shown import cells, is_shown

Floats = NDArray[np.float64]
NAMES = {
    "macro F1@.5 by sample": "0.5",
    "macro F1@.95 by sample": "0.95",
    "macro F1 by sample": "mean",
}


@dataclass(frozen=True, eq=False)
class SampleRates:
    """Precision and recall of S samples at T thresholds.

    Attributes:
        precision, recall: (T, S).
    """

    precision: Floats
    recall: Floats

    def macro(self) -> dict[str, tuple[float, float, float]]:
        """Precision, recall and F1 at the first and the last threshold, and their mean over all."""
        precision, recall = self.precision.mean(axis=1), self.recall.mean(axis=1)
        total = precision + recall
        f1 = 2 * precision * recall / np.where(total > 0, total, 1.0)
        columns = np.column_stack([precision, recall, f1])
        rows = {"0.5": columns[0], "0.95": columns[-1], "mean": columns.mean(axis=0)}
        return {name: (float(p), float(r), float(f)) for name, (p, r, f) in rows.items()}


def sample_rates(hits: NDArray[np.int64], truths: Indices, boxes: Indices) -> SampleRates:
    """The rates of samples from their counts.

    Args:
        hits: (T, S) annotated boxes that took a box.
        truths, boxes: (S,) number of annotated boxes, and of boxes in the answer.

    >>> sample_rates(np.array([[0, 1]]), np.array([0, 2]), np.array([0, 1])).recall
    array([[1. , 0.5]])
    """
    nothing = (truths == 0) & (boxes == 0)
    return SampleRates(
        np.where(nothing, 1.0, hits / np.maximum(boxes, 1)),
        np.where(nothing, 1.0, hits / np.maximum(truths, 1)),
    )


def hits_in_turn(
    truth_sample: Indices, truths_xywh: Boxes, box_sample: Indices, boxes_xywh: Boxes, samples: int
) -> NDArray[np.int64]:
    """Let each annotated box take a box of its sample, at every threshold.

    Args:
        truth_sample: (m,) sample of each annotated box, ascending.
        truths_xywh: (m, 4) in the order in which they choose.
        box_sample: (n,) sample of each box of the answers, ascending.
        boxes_xywh: (n, 4) in the answer's order: of boxes that overlap equally the first is taken.
        samples: S.

    Returns:
        (T, S) number of annotated boxes that took one.
    """
    taken = _backwards(box_sample, boxes_xywh)
    return _count(find_pairs(truth_sample, truths_xywh, taken), taken, truth_sample, samples)


def _backwards(box_sample: Indices, boxes_xywh: Boxes) -> SortedTruths:
    """The boxes of each sample from last to first, because `choose` prefers later ones."""
    order = np.lexsort((-np.arange(len(box_sample)), box_sample))
    none = np.zeros(len(box_sample), dtype=bool)
    return SortedTruths(box_sample[order], boxes_xywh[order], none, none)


def _count(
    pairs: Pairs, taken: SortedTruths, truth_sample: Indices, samples: int
) -> NDArray[np.int64]:
    matched, _ = choose(pairs, taken, len(truth_sample))
    return np.array([np.bincount(truth_sample[row], minlength=samples) for row in matched])


def rates_by_sample(annotations: Annotations, detections: Detections) -> SampleRates:
    """The rates of all images, each a sample."""
    truths, images = annotations.truths, len(annotations.image_ids)
    counted = np.flatnonzero(~truths.crowd)
    turn = counted[np.lexsort((counted, truths.category[counted], truths.image[counted]))]
    # Boxes of classes that the image does not show match nothing; the others are pooled by class.
    classes = len(annotations.category_ids)
    order = np.argsort(cells(detections, classes), kind="stable")
    order = order[is_shown(detections, truths, classes, turn)[order]]
    hits = hits_in_turn(
        truths.image[turn],
        truths.boxes_xywh[turn],
        detections.image[order],
        detections.boxes_xywh[order],
        images,
    )
    return sample_rates(
        hits,
        np.bincount(truths.image[turn], minlength=images),
        np.bincount(detections.image, minlength=images),
    )


def beside_by_sample(rates: SampleRates) -> Metrics:
    """The rows of `Scores.beside`."""
    macro = rates.macro()
    return {name: macro[key][2] for name, key in NAMES.items()}


def sampled_by_sample(rates: SampleRates) -> dict[str, Sampled]:
    """The same on samples of the images."""
    levels = {"0.5": slice(0, 1), "0.95": slice(-1, None), "mean": slice(None)}
    return {
        name: partial(_mean_f1, rates.precision[levels[key]], rates.recall[levels[key]])
        for name, key in NAMES.items()
    }


def _mean_f1(precision: Floats, recall: Floats, weights: Floats) -> Floats:
    """(S,) mean over thresholds of F1, of (S, I) weights."""
    macro = [part @ weights.T / weights.sum(axis=1) for part in (precision, recall)]
    total = macro[0] + macro[1]
    f1: Floats = 2 * macro[0] * macro[1] / np.where(total > 0, total, 1.0)
    return np.asarray(f1.mean(axis=0))


def duplicate_rate(detections: Detections) -> float:
    """Share of boxes that repeat an earlier box of their image and category exactly: 399 of 400 if
    a model is caught in a loop."""
    rows = np.column_stack([detections.image, detections.category, detections.boxes_xywh])
    order = np.lexsort(rows.T)
    same = (rows[order[1:]] == rows[order[:-1]]).all(axis=1)
    return float(same.sum() / max(len(detections), 1))
