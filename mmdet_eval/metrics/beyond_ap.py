"""What AP does not say: precision, recall and F1 at all boxes, AP without the order of ties, AP's
range over orders."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import Id
from .ranking import Ranking, average
from .scores import ClassScores, Metrics, Spread

Floats = NDArray[np.float64]


def beside(ranking: Ranking) -> Metrics:
    """The numbers of `Scores.beside`.

    Precision, recall and F1 count all boxes of all categories, whatever their score: right / boxes,
    right / truths and 2 right / (boxes + truths), where boxes matched to a crowd do not count.
    Averages over .5:.95 are means of the ten thresholds' values. Precision without boxes is 0, or
    None where there are no truths either.
    """
    matches = ranking.matches
    right, boxes = (matches.matched & ~matches.ignored).sum(axis=1), (~matches.ignored).sum(axis=1)
    tie_aware = ranking.tie_aware_precision()
    rates = _rates(right, boxes, int(matches.truths.sum()))
    return {
        "tie-aware mAP": average(tie_aware),
        "tie-aware AP50": average(tie_aware[:1]),
        **{
            f"{name}@.5": None if values is None else float(values[0])
            for name, values in rates.items()
        },
        **{
            name: None if values is None else float(values.mean()) for name, values in rates.items()
        },
    }


def spread(ranking: Ranking, orders: int, seed: int) -> Spread:
    """The least and the greatest mAP of the reported order and of `orders` random orders of the
    images."""
    found = average(ranking.reported)
    if not ranking.ties:
        return Spread(found, found, 0, seed)
    if found is None or not orders:
        return Spread(None, None, 0, seed)
    random, images = np.random.default_rng(seed), len(ranking.matches.image_ids)
    tried = [average(ranking.precision(places=random.permutation(images))) for _ in range(orders)]
    values = [found, *(value for value in tried if value is not None)]
    return Spread(min(values), max(values), orders, seed)


def class_scores(ranking: Ranking, categories: Mapping[Id, str]) -> tuple[ClassScores, ...]:
    """One entry for each category, in the order of `categories`."""
    matches, precision, recall = ranking.matches, ranking.reported, ranking.recall()
    places = {category: place for place, category in enumerate(matches.category_ids)}
    counts = len(places)
    right = np.bincount(
        matches.category[matches.matched[0] & ~matches.ignored[0]], minlength=counts
    )
    boxes = np.bincount(matches.category[~matches.ignored[0]], minlength=counts)
    truths = matches.truths.sum(axis=1)
    at75 = int(np.argmin(np.abs(matches.iou_thresholds - 0.75)))
    found = []
    for category, name in categories.items():
        k = places[category]
        rates = _rates(right[k : k + 1], boxes[k : k + 1], int(truths[k]))
        curve = precision[:, :, k]
        metrics = {
            "AP": average(curve),
            "AP50": average(curve[0]),
            "AP75": average(curve[at75]),
            "AR@100": average(recall[:, k]),
            **{
                f"{rate}@.5": None if values is None else float(values[0])
                for rate, values in rates.items()
            },
        }
        found.append(ClassScores(category, name, metrics, int(truths[k]), int(boxes[k])))
    return tuple(found)


def _rates(
    right: NDArray[np.int64], boxes: NDArray[np.int64], truths: int
) -> dict[str, Floats | None]:
    """Precision, recall and F1 of (T,) counts; None where there is nothing to divide by."""
    if not truths:
        wrong = np.zeros(len(boxes)) if boxes.any() else None
        return {"precision": wrong, "recall": None, "F1": wrong}
    return {
        "precision": right / np.maximum(boxes, 1),
        "recall": right / truths,
        "F1": 2 * right / (boxes + truths),
    }
