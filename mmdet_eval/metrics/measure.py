"""Measures everything on one data set."""

import importlib.util
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Annotations
from ..coco.detections import Detections, detections
from ..coco.results import CocoResult
from ..gc_pause import garbage_collection_paused
from .beyond_ap import beside, class_scores, spread
from .beyond_limit import beyond_limit
from .engines import Run, by_hotcoco, by_pycocotools, without_boxes
from .matches import Matches, build_matches
from .mmdet_backend import by_mmdet
from .ranking import rank
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
    results: Sequence[CocoResult],
    engine: Engine = "mmdet",
    check: bool | None = None,
    orders: int = 20,
    seed: int = 0,
) -> Scores:
    """Evaluate COCO results, and compute everything beyond AP.

    Args:
        annotations: every image counts, even without results.
        results: as for `mmdet_backend.evaluate`. Without results, all measurable numbers are 0.
        engine: where the reported numbers come from; "hotcoco" gives the same ones faster, without
            MMDetection.
        check: let another evaluator recompute the numbers: hotcoco for mmdet (pycocotools if
            hotcoco is not installed), pycocotools for hotcoco, which takes as long as mmdet. By
            default only mmdet's numbers are recomputed.
        orders: number of image orders to try if scores are equal; with 0, the range of mAP is
            unknown.
        seed: seed of these orders.

    Raises:
        InputError: a result names an unknown image or category, or has a bbox or score that is not
            finite; or `orders` is negative.
        MissingBackend: MMDetection cannot be imported.
        Disagreement: the numbers could not be reproduced.
    """
    if orders < 0:
        raise InputError(
            f"expected --orders to be a number of image orders to try, 0 for none, got {orders}"
        )
    with garbage_collection_paused():
        found = detections(annotations, results)
        run = _run(annotations, found, engine)
        matches = build_matches(annotations, run.eval_imgs)
        ranking = rank(matches)
        _check_matches(run, ranking.reported)
        checked_by = "not checked"
        if results and (engine == "mmdet" if check is None else check):
            checked_by = _recomputed(annotations, found, run, engine)
        beyond = beyond_limit(annotations, found)
        return Scores(
            run.metrics,
            beside(ranking, beyond),
            spread(ranking, orders, seed),
            class_scores(ranking, annotations.categories, beyond),
            run.precision,
            matches,
            run.engine,
            checked_by,
            _left_out(beyond),
        )


def agree(run: Run, other: Run) -> None:
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


def _run(annotations: Annotations, found: Detections, engine: Engine) -> Run:
    if len(found.score):
        return by_mmdet(annotations, found) if engine == "mmdet" else by_hotcoco(annotations, found)
    precision = rank(build_matches(annotations, ())).precision()
    return Run(without_boxes(annotations), precision, (), f"{engine} (not run: there are no boxes)")


def _recomputed(annotations: Annotations, found: Detections, run: Run, engine: Engine) -> str:
    """The evaluator that found the same numbers."""
    if engine == "mmdet" and importlib.util.find_spec("hotcoco"):
        other = by_hotcoco(annotations, found, matches=False)
    else:
        other = by_pycocotools(annotations, found)
    agree(run, other)
    return other.engine


def _check_matches(run: Run, precision: NDArray[np.float64]) -> None:
    """Check that the numbers beside AP are based on the same boxes as AP."""
    difference = np.abs(run.precision - precision).max()
    if not difference <= TOLERANCE:
        raise Disagreement(
            f"expected the matches of {run.engine} to give its precision, got a difference of "
            f"{difference}; "
            "please report this with the annotations and the results"
        )
