"""Metrics beyond AP: precision, recall and F1 over all boxes, AP independent of the order of ties,
AP's range over orders."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import Id
from .matches import Matches
from .matching import LIMIT
from .ranking import Ranking, average
from .scores import ClassScores, Metrics, Spread

Floats = NDArray[np.float64]


def beside(ranking: Ranking, beyond: Matches | None = None) -> Metrics:
    """The numbers of `Scores.beside`.

    Precision, recall and F1 count all boxes of all categories, whatever their score: right / boxes,
    right / truths and 2 right / (boxes + truths). Boxes matched to a crowd do not count. Averages
    over .5:.95 are means of the ten thresholds' values. Precision without boxes is 0, or None if
    there are no truths either.

    Args:
        beyond: the boxes beyond COCO's limit, which also count.
    """
    right, boxes = _counts(ranking.matches, beyond)
    tie_aware = ranking.tie_aware_precision()
    rates = _rates(right.sum(axis=1), boxes.sum(axis=1), int(ranking.matches.truths.sum()))
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
    reported = average(ranking.reported)
    if not ranking.ties:
        return Spread(reported, reported, 0, seed)
    if reported is None or not orders:
        return Spread(None, None, 0, seed)
    random, images = np.random.default_rng(seed), len(ranking.matches.image_ids)
    tried = [average(ranking.precision(places=random.permutation(images))) for _ in range(orders)]
    values = [reported, *(value for value in tried if value is not None)]
    return Spread(min(values), max(values), orders, seed)


def class_scores(
    ranking: Ranking,
    categories: Mapping[Id, str],
    beyond: Matches | None = None,
    limit: int = LIMIT,
) -> tuple[ClassScores, ...]:
    """One entry for each category, in the order of `categories`; `beyond` as for `beside`,
    `limit` as for `match_boxes`."""
    matches, precision, recall = ranking.matches, ranking.reported, ranking.recall()
    places = {category: place for place, category in enumerate(matches.category_ids)}
    right, boxes = (table[0] for table in _counts(matches, beyond))
    truths = matches.truths.sum(axis=1)
    at75 = int(np.argmin(np.abs(matches.iou_thresholds - 0.75)))
    scores = []
    for category, name in categories.items():
        k = places[category]
        rates = _rates(right[k : k + 1], boxes[k : k + 1], int(truths[k]))
        curve = precision[:, :, k]
        metrics = {
            "AP": average(curve),
            "AP50": average(curve[0]),
            "AP75": average(curve[at75]),
            f"AR@{limit}": average(recall[:, k]),
            **{
                f"{rate}@.5": None if values is None else float(values[0])
                for rate, values in rates.items()
            },
        }
        scores.append(ClassScores(category, name, metrics, int(truths[k]), int(boxes[k])))
    return tuple(scores)


def _counts(
    matches: Matches, beyond: Matches | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(T, K) number of right boxes, and of boxes that count."""
    right = np.zeros((len(matches.iou_thresholds), len(matches.category_ids)), dtype=np.int64)
    boxes = np.zeros_like(right)
    for part in (matches, beyond) if beyond else (matches,):
        counted = ~part.ignored
        for place, (hit, counts) in enumerate(zip(part.matched & counted, counted, strict=True)):
            right[place] += np.bincount(part.category[hit], minlength=right.shape[1])
            boxes[place] += np.bincount(part.category[counts], minlength=right.shape[1])
    return right, boxes


def _rates(
    right: NDArray[np.int64], boxes: NDArray[np.int64], truths: int
) -> dict[str, Floats | None]:
    """Precision, recall and F1 of (T,) counts; None if there is nothing to divide by."""
    if not truths:
        wrong = np.zeros(len(boxes)) if boxes.any() else None
        return {"precision": wrong, "recall": None, "F1": wrong}
    return {
        "precision": right / np.maximum(boxes, 1),
        "recall": right / truths,
        "F1": 2 * right / (boxes + truths),
    }
