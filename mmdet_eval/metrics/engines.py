"""Evaluators other than MMDetection's: hotcoco, which is fast, and pycocotools, which MMDetection
calls."""

import importlib.metadata
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Annotations
from ..coco.columns import Indices, rank_of_each
from ..coco.detections import Detections
from .matching import LARGEST_AREA, LIMIT
from .scores import Metrics

# COCO's twelve metrics in the order of COCOeval's `stats`; at most 100 boxes per image and category
# (COCO's limit) unless a number is given.
NAMES = (
    "mAP",
    "AP50",
    "AP75",
    "APs",
    "APm",
    "APl",
    "AR@1",
    "AR@10",
    "AR@100",
    "ARs@100",
    "ARm@100",
    "ARl@100",
)
AREAS = {"s": (0, 32**2), "m": (32**2, 96**2), "l": (96**2, LARGEST_AREA)}  # both ends included
FEWER = (1, 10)  # boxes per image and category that AR@1 and AR@10 see


@dataclass(frozen=True, eq=False)
class EngineRun:
    """What an evaluator found.

    Attributes:
        metrics: `names_at` the limit, unrounded.
        precision: (T, R, K) COCOeval's interpolated precision, area "all", at the limit; -1 without
            a truth.
        engine: the evaluator with its version.
    """

    metrics: Metrics
    precision: NDArray[np.float64]
    engine: str


def limits_at(limit: int) -> tuple[int, int, int]:
    """COCOeval's three limits, of which the last is given.

    COCO's own are (1, 10, 100). CocoMetric's default (100, 300, 1000) takes AP50 and AP75 at 1000
    boxes but mAP at 100.

    Raises:
        InputError: the limit is not above the other two, and AR@10 could not be measured.
    """
    if limit <= FEWER[-1]:
        raise InputError(
            f"expected --max-dets above {FEWER[-1]}, because AR@1 and AR@10 are reported too, got "
            f"{limit}: COCO's limit is {LIMIT}"
        )
    return (*FEWER, limit)


def names_at(limit: int) -> tuple[str, ...]:
    """`NAMES` with the limit in place of COCO's."""
    return tuple(re.sub(rf"@{LIMIT}$", f"@{limit}", name) for name in NAMES)


def as_metrics(stats: Sequence[float], limit: int = LIMIT) -> Metrics:
    """COCOeval's twelve numbers by name; its -1 (nothing to measure) becomes None."""
    return {
        name: None if value < 0 else float(value)
        for name, value in zip(names_at(limit), stats, strict=True)
    }


def without_boxes(annotations: Annotations, limit: int = LIMIT) -> Metrics:
    """The numbers without any box, which the evaluators cannot handle: 0, or None without a
    truth."""
    truths = annotations.truths
    areas = truths.area[~truths.crowd]
    metrics: Metrics = {}
    for name in names_at(limit):
        low, high = AREAS.get(name.split("@")[0][2:], (0, LARGEST_AREA))
        metrics[name] = 0.0 if ((areas >= low) & (areas <= high)).any() else None
    return metrics


def by_hotcoco(annotations: Annotations, detections: Detections, limit: int = LIMIT) -> EngineRun:
    """Evaluate with hotcoco, which ranks equal scores like pycocotools.

    Raises:
        InputError: hotcoco is not installed, or the limit is too low.
    """
    try:
        import hotcoco
    except ImportError:
        raise InputError(
            "expected hotcoco for the engine 'hotcoco', got none: `pip install hotcoco`"
        ) from None
    truth = _hotcoco_truth(hotcoco.COCO, annotations)
    boxes = truth.load_res(_hotcoco_table(annotations, detections))
    evaluator: Any = hotcoco.COCOeval(truth, boxes, "bbox")
    parameters = evaluator.params
    parameters.max_dets = list(limits_at(limit))
    evaluator.params = parameters
    with redirect_stdout(StringIO()), catch_warnings():
        filterwarnings("ignore", "hotcoco: max_dets differ")
        evaluator.run()
    precision = np.array(evaluator.eval["precision"][..., 0, -1])
    return EngineRun(
        as_metrics(evaluator.stats, limit), precision, f"hotcoco {hotcoco.__version__}"
    )


def _hotcoco_table(annotations: Annotations, detections: Detections) -> NDArray[np.float64]:
    """(n, 7) image, box, score, category."""
    images, categories = hotcoco_ids(annotations)
    image, category = images[detections.image], categories[detections.category]
    return np.column_stack([image, detections.boxes_xywh, detections.score, category])


def hotcoco_ids(annotations: Annotations) -> tuple[Indices, Indices]:
    """Ids of images and categories from 1 in ascending order of the file's ids, because hotcoco
    needs integers."""
    return 1 + rank_of_each(annotations.image_ids), 1 + rank_of_each(annotations.category_ids)


def _hotcoco_truth(api: Any, annotations: Annotations) -> Any:
    images, categories = hotcoco_ids(annotations)
    truths = annotations.truths
    sizes = zip(images.tolist(), annotations.images, strict=True)
    return api.from_arrays(
        [{"id": number, "width": i.size[0], "height": i.size[1]} for number, i in sizes],
        [{"id": number, "name": str(number)} for number in sorted(categories.tolist())],
        images[truths.image],
        categories[truths.category],
        truths.boxes_xywh,
        ids=np.arange(1, len(truths.image) + 1),
        area=truths.area,
        iscrowd=truths.crowd.astype(np.int64),
    )


def by_pycocotools(
    annotations: Annotations, detections: Detections, limit: int = LIMIT
) -> EngineRun:
    """Evaluate with pycocotools alone."""
    with redirect_stdout(StringIO()):
        evaluator = pycocotools_evaluator(annotations, detections)
        evaluator.params.maxDets = list(limits_at(limit))
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return recorded_run(evaluator, f"pycocotools {importlib.metadata.version('pycocotools')}")


def pycocotools_evaluator(annotations: Annotations, detections: Detections) -> Any:
    """A COCOeval that has not evaluated yet; making it prints."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    # Copies, because COCOeval modifies them.
    truth.dataset = annotations.data | {
        "annotations": [dict(a) for a in annotations.data["annotations"]]
    }
    truth.createIndex()
    return COCOeval(truth, truth.loadRes(detections.to_results()), "bbox")


def recorded_run(evaluator: Any, engine: str) -> EngineRun:
    """What a pycocotools-like COCOeval holds after `summarize`, whose mAP is -1 at any other limit
    than 100: here it is the same mean of the precision at the limit."""
    precision = evaluator.eval["precision"][..., 0, -1]
    known = precision[precision > -1]
    mean = known.mean() if len(known) else -1.0
    metrics = as_metrics([mean, *evaluator.stats[1:]], evaluator.params.maxDets[-1])
    return EngineRun(metrics, precision, engine)
