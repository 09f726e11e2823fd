"""Measures everything on one data set."""

import importlib.util
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Annotations
from ..coco.detections import Detections
from ..gc_pause import garbage_collection_paused
from .beyond_ap import beside, class_scores, spread
from .by_class import beside_by_class
from .by_sample import beside_by_sample, duplicate_rate, rates_by_sample, sampled_by_sample
from .calibration import calibration
from .engines import EngineRun, by_hotcoco, by_pycocotools, without_boxes
from .federated import MOST, match_federated
from .lvis import FIRST as LVIS_FIRST
from .lvis import groups_by_frequency, lvis_by_hotcoco, lvis_without_boxes
from .matches import Matches
from .matching import LIMIT, match_boxes
from .mmdet_backend import by_mmdet, lvis_by_mmdet
from .ranking import Ranking, rank
from .scores import LeftOut, Scores

Engine = Literal["mmdet", "hotcoco"]
# All evaluators work in double precision and differ by 1e-15 if they sum in another order. A box
# that is matched differently moves a number by more than this, unless the data set has some hundred
# thousand objects.
TOLERANCE = 1e-6


class Disagreement(RuntimeError):
    """Two evaluators found different numbers."""


def measure(
    annotations: Annotations,
    detections: Detections,
    engine: Engine = "mmdet",
    check: bool | None = None,
    orders: int = 20,
    seed: int = 0,
    max_dets: int = LIMIT,
) -> Scores:
    """Evaluate boxes, and compute everything beyond AP.

    In a federated set AP is LVIS's own (`lvis`, `federated`). There "mmdet" is MMDetection's
    LVISMetric, which needs the package lvis; without it the numbers are hotcoco's.

    Args:
        annotations: every image counts, even without boxes.
        detections: of the annotations' images and categories. Without boxes, all measurable
            numbers are 0.
        engine: where the reported numbers come from; "hotcoco" gives the same ones faster, without
            MMDetection.
        check: let another evaluator recompute the numbers: hotcoco for mmdet (pycocotools if
            hotcoco is not installed), pycocotools for hotcoco, which takes as long as mmdet. By
            default only mmdet's numbers are recomputed.
        orders: number of image orders to try if scores are equal; with 0, the range of mAP is
            unknown.
        seed: seed of these orders.
        max_dets: boxes of an image and category that AP and AR see, the first by score.

    Raises:
        InputError: `orders` is negative, or `max_dets` is not above 10 or given for a federated
            set, whose limit is LVIS's.
        MissingBackend: MMDetection cannot be imported.
        Disagreement: the numbers could not be reproduced.
    """
    if orders < 0:
        raise InputError(
            f"expected --orders to be a number of image orders to try, 0 for none, got {orders}"
        )
    with garbage_collection_paused():
        max_dets = _limit(annotations, max_dets)
        matches, beyond = _match(annotations, detections, max_dets)
        ranking = rank(matches)
        run = _run(annotations, detections, engine, max_dets, ranking)
        _check_matches(run, ranking.reported)
        checked_by = "not checked"
        if len(detections) and (engine == "mmdet" if check is None else check):
            checked_by = _recomputed(annotations, detections, run, engine, max_dets)
        by_sample = rates_by_sample(annotations, detections)
        return Scores(
            run.metrics,
            beside(ranking, beyond)
            | beside_by_class(annotations, detections)
            | beside_by_sample(by_sample)
            | {"duplicate rate": duplicate_rate(detections)},
            spread(ranking, orders, seed),
            class_scores(ranking, annotations.categories, beyond, max_dets),
            run.precision,
            matches,
            run.engine,
            checked_by,
            _left_out(beyond),
            max_dets,
            calibration([matches, beyond] if beyond else [matches]),
            LVIS_FIRST if annotations.federated else (),
            sampled_by_sample(by_sample),
            groups_by_frequency(annotations) if annotations.federated else {},
        )


def agree(run: EngineRun, other: EngineRun) -> None:
    """Compare the numbers of two evaluators.

    Raises:
        Disagreement: they differ by more than `TOLERANCE`.
    """
    for name, value in run.metrics.items():
        again = other.metrics[name]
        if (value is None) != (again is None) or abs((value or 0.0) - (again or 0.0)) > TOLERANCE:
            raise Disagreement(
                f"expected {run.engine} and {other.engine} to find the same {name}, got {value} "
                f"and {again}; "
                "please report this with the annotations and the results"
            )


def _left_out(beyond: Matches | None) -> LeftOut:
    if beyond is None:
        return LeftOut(0, 0)
    return LeftOut(len(np.unique(beyond.image)), len(beyond.image))


def _limit(annotations: Annotations, limit: int) -> int:
    if not annotations.federated:
        return limit
    if limit != LIMIT:
        raise InputError(
            f"expected no --max-dets with {annotations.path}, whose images have neg_category_ids: "
            f"LVIS's own limit of {MOST} boxes an image applies, got {limit}"
        )
    return MOST


def _match(
    annotations: Annotations, detections: Detections, limit: int
) -> tuple[Matches, Matches | None]:
    if annotations.federated:
        return match_federated(annotations, detections)
    return match_boxes(annotations, detections, limit)


def _run(
    annotations: Annotations, detections: Detections, engine: Engine, limit: int, ranking: Ranking
) -> EngineRun:
    if not len(detections):
        lvis = annotations.federated
        empty = lvis_without_boxes(annotations) if lvis else without_boxes(annotations, limit)
        return EngineRun(empty, ranking.reported, f"{engine} (not run: there are no boxes)")
    if annotations.federated:
        with_lvis = engine == "mmdet" and importlib.util.find_spec("lvis")
        return (lvis_by_mmdet if with_lvis else lvis_by_hotcoco)(annotations, detections)
    by_engine = by_mmdet if engine == "mmdet" else by_hotcoco
    return by_engine(annotations, detections, limit)


def _recomputed(
    annotations: Annotations, detections: Detections, run: EngineRun, engine: Engine, limit: int
) -> str:
    """The evaluator that found the same numbers."""
    if annotations.federated:
        if run.engine.startswith("hotcoco"):
            return "not checked"  # there is no third evaluator
        again = lvis_by_hotcoco(annotations, detections)
        agree(run, again)
        return again.engine
    with_hotcoco = engine == "mmdet" and importlib.util.find_spec("hotcoco")
    other = (by_hotcoco if with_hotcoco else by_pycocotools)(annotations, detections, limit)
    agree(run, other)
    return other.engine


def _check_matches(run: EngineRun, precision: NDArray[np.float64]) -> None:
    """Check that the numbers beside AP are based on the same boxes as AP."""
    difference = np.abs(run.precision - precision).max()
    if not difference <= TOLERANCE:
        raise Disagreement(
            f"expected the matches to give the precision of {run.engine}, got a difference of "
            f"{difference}; please report this with the annotations and the results"
        )
