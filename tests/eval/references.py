"""pycocotools itself: the table of its matches, one image and category after the other."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np

from mmdet_eval import Annotations
from mmdet_eval.coco.detections import to_detections
from mmdet_eval.metrics import engines
from mmdet_eval.metrics.matches import Matches
from mmdet_eval.metrics.matching import IOU_THRESHOLDS, LARGEST_AREA
from mmdet_eval.metrics.measure import measure
from mmdet_eval.metrics.scores import Scores

Results = Sequence[dict[str, Any]]


def measured(annotations: Annotations, results: Results, *options: Any, **more: Any) -> Scores:
    """`measure` for COCO results."""
    return measure(annotations, to_detections(annotations, results), *options, **more)


def by_pycocotools(annotations: Annotations, results: Results) -> tuple[engines.EngineRun, Matches]:
    """What pycocotools finds, and how it matched the boxes."""
    return (
        engines.by_pycocotools(annotations, to_detections(annotations, results)),
        pycocotools_matches(annotations, results, 100),
    )


def pycocotools_matches(annotations: Annotations, results: Results, limit: int) -> Matches:
    """How pycocotools matches up to `limit` boxes of an image and category."""
    with redirect_stdout(StringIO()):
        evaluator = engines.pycocotools_evaluator(annotations, to_detections(annotations, results))
        parameters = evaluator.params
        parameters.areaRng, parameters.areaRngLbl = (
            parameters.areaRng[:1],
            parameters.areaRngLbl[:1],
        )
        parameters.maxDets = [limit]
        evaluator.evaluate()
    return _table(annotations, evaluator.evalImgs)


def _table(annotations: Annotations, entries: Sequence[Mapping[str, Any] | None]) -> Matches:
    images, categories = sorted(annotations.image_ids), sorted(annotations.category_ids)
    there = [(n, entry) for n, entry in enumerate(entries) if entry and len(entry["dtScores"])]
    counts = [len(entry["dtScores"]) for _, entry in there]
    cell = np.repeat(np.array([n for n, _ in there], dtype=np.int64), counts)
    truths = np.zeros((len(categories), len(images)), dtype=np.int64)
    for record in annotations.data["annotations"]:
        if not record["iscrowd"] and 0 <= record["area"] <= LARGEST_AREA:
            place = categories.index(record["category_id"]), images.index(record["image_id"])
            truths[place] += 1
    empty = np.zeros((len(IOU_THRESHOLDS), 0))
    return Matches(
        tuple(images),
        tuple(categories),
        IOU_THRESHOLDS,
        image=cell % len(images),
        category=cell // len(images),
        score=np.array([score for _, entry in there for score in entry["dtScores"]], dtype=float),
        matched=np.concatenate([empty, *(e["dtMatches"] for _, e in there)], axis=1).astype(bool),
        ignored=np.concatenate([empty, *(e["dtIgnore"] for _, e in there)], axis=1).astype(bool),
        truths=truths,
    )
