"""Evaluators other than MMDetection's: hotcoco, which is fast, and pycocotools, which MMDetection
calls."""

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Annotations, Id
from ..coco.detections import Detections
from .matches import IOU_THRESHOLDS, LARGEST_AREA, sorted_ids
from .scores import Metrics

# COCO's twelve metrics in the order of COCOeval's `stats`; at most 100 boxes per image and category
# unless a number is given.
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
# COCO's own limits. CocoMetric's default (100, 300, 1000) takes AP50 and AP75 at 1000 boxes but mAP
# at 100.
MAX_DETS = (1, 10, 100)
Entry = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Run:
    """What an evaluator found.

    Attributes:
        metrics: `NAMES`, unrounded.
        precision: (T, R, K) COCOeval's interpolated precision, area "all", 100 boxes; -1 without a
            truth.
        eval_imgs: K x I entries of COCOeval's evalImgs for area "all"; entries without boxes may be
            None.
        engine: the evaluator with its version.
    """

    metrics: Metrics
    precision: NDArray[np.float64]
    eval_imgs: Sequence[Entry | None]
    engine: str


def as_metrics(stats: Sequence[float]) -> Metrics:
    """COCOeval's twelve numbers by name; its -1 (nothing to measure) becomes None."""
    return {
        name: None if value < 0 else float(value) for name, value in zip(NAMES, stats, strict=True)
    }


def without_boxes(annotations: Annotations) -> Metrics:
    """The numbers without any box, which the evaluators cannot handle: 0, or None without a
    truth."""
    areas = np.array(
        [record["area"] for record in annotations.data["annotations"] if not record["iscrowd"]]
    )
    found: Metrics = {}
    for name in NAMES:
        low, high = AREAS.get(name.split("@")[0][2:], (0, LARGEST_AREA))
        found[name] = 0.0 if ((areas >= low) & (areas <= high)).any() else None
    return found


def by_hotcoco(annotations: Annotations, found: Detections, matches: bool = True) -> Run:
    """Evaluate with hotcoco, which ranks equal scores like pycocotools; `matches`: whether to fill
    `eval_imgs`.

    Raises:
        InputError: hotcoco is not installed.
    """
    try:
        import hotcoco
    except ImportError:
        raise InputError(
            "expected hotcoco for the engine 'hotcoco', got none: `pip install hotcoco`"
        ) from None
    table = hotcoco_table(annotations, found)
    truth = hotcoco_truth(hotcoco.COCO, annotations)
    evaluator: Any = hotcoco.COCOeval(truth, truth.load_res(table), "bbox")
    with redirect_stdout(StringIO()):
        evaluator.run()
    precision = np.array(evaluator.eval["precision"][..., 0, -1])
    eval_imgs = _hotcoco_eval_imgs(hotcoco.COCOeval, annotations, truth, table) if matches else ()
    return Run(as_metrics(evaluator.stats), precision, eval_imgs, f"hotcoco {hotcoco.__version__}")


def hotcoco_table(annotations: Annotations, found: Detections) -> NDArray[np.float64]:
    """(n, 7) image, box, score, category; ids from 1 in ascending order of the file's ids, because
    hotcoco needs integers."""
    images, categories = hotcoco_ids(annotations)
    image = np.array([images[image.id] for image in annotations.images])[found.image]
    category = np.array([categories[key] for key in annotations.categories])[found.category]
    return np.column_stack([image, found.boxes, found.score, category])


def hotcoco_ids(annotations: Annotations) -> tuple[dict[Id, int], dict[Id, int]]:
    images, categories = sorted_ids(annotations)
    return {key: n for n, key in enumerate(images, start=1)}, {
        key: n for n, key in enumerate(categories, start=1)
    }


def hotcoco_truth(api: Any, annotations: Annotations) -> Any:
    images, categories = hotcoco_ids(annotations)
    records = annotations.data["annotations"]
    return api.from_arrays(
        [{"id": images[i.id], "width": i.size[0], "height": i.size[1]} for i in annotations.images],
        [{"id": number, "name": str(number)} for number in categories.values()],
        np.array([images[record["image_id"]] for record in records], dtype=np.int64),
        np.array([categories[record["category_id"]] for record in records], dtype=np.int64),
        np.array([record["bbox"] for record in records], dtype=np.float64).reshape(-1, 4),
        ids=np.arange(1, len(records) + 1),
        area=np.array([record["area"] for record in records], dtype=np.float64),
        iscrowd=np.array([bool(record["iscrowd"]) for record in records], dtype=np.int64),
    )


def _hotcoco_eval_imgs(
    evaluator_class: Any, annotations: Annotations, truth: Any, table: NDArray[np.float64]
) -> list[Entry | None]:
    """K x I entries for area "all".

    Turning an entry into Python objects is slow, so hotcoco is asked only about the categories
    annotated in an image. The boxes of other categories cannot be matched.
    """
    numbers, categories = hotcoco_ids(annotations)
    images = len(numbers)
    cell = ((table[:, 6] - 1) * images + table[:, 0] - 1).astype(np.int64)
    annotated = np.zeros(images * len(categories), dtype=bool)
    records = annotations.data["annotations"]
    annotated[
        [(categories[a["category_id"]] - 1) * images + numbers[a["image_id"]] - 1 for a in records]
    ] = True
    evaluator = evaluator_class(truth, truth.load_res(table[annotated[cell]]), "bbox")
    parameters = evaluator.params
    parameters.areaRng, parameters.areaRngLbl = parameters.areaRng[:1], parameters.areaRngLbl[:1]
    evaluator.evaluate()
    found: list[Entry | None] = [None] * len(annotated)
    for entry in evaluator.eval_imgs:  # image by image, and only those with truths or boxes
        if entry is not None:
            found[(entry["category_id"] - 1) * images + entry["image_id"] - 1] = entry
    alone = ~annotated[cell]
    for place, entry in _unmatched(cell[alone], table[alone]):
        found[place] = entry
    return found


def _unmatched(cell: NDArray[np.int64], table: NDArray[np.float64]) -> Iterator[tuple[int, Entry]]:
    """The entries of boxes without annotations, by cell."""
    order = np.lexsort((-table[:, 5], cell))
    cell, table = cell[order], table[order]
    area = table[:, 3] * table[:, 4]
    ignored = np.tile((area < 0) | (area > LARGEST_AREA), (len(IOU_THRESHOLDS), 1))
    matches, scores = np.zeros_like(ignored), table[:, 5].tolist()
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    ends = np.minimum(np.append(starts[1:], len(cell)), starts + MAX_DETS[-1])
    for place, start, end in zip(
        cell[starts].tolist(), starts.tolist(), ends.tolist(), strict=True
    ):
        part = slice(start, end)
        yield (
            place,
            {"dtScores": scores[part], "dtMatches": matches[:, part], "dtIgnore": ignored[:, part]},
        )


def by_pycocotools(annotations: Annotations, found: Detections) -> Run:
    """Evaluate with pycocotools alone."""
    with redirect_stdout(StringIO()):
        evaluator = pycocotools_evaluator(annotations, found)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return recorded_run(evaluator, f"pycocotools {importlib.metadata.version('pycocotools')}")


def pycocotools_evaluator(annotations: Annotations, found: Detections) -> Any:
    """A COCOeval that has not evaluated yet; making it prints."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    # Copies, because COCOeval modifies them.
    truth.dataset = annotations.data | {
        "annotations": [dict(a) for a in annotations.data["annotations"]]
    }
    truth.createIndex()
    return COCOeval(truth, truth.loadRes(_records(annotations, found)), "bbox")


def recorded_run(evaluator: Any, engine: str) -> Run:
    """What a pycocotools-like COCOeval holds after `summarize`."""
    areas, images = len(evaluator.params.areaRng), len(evaluator.params.imgIds)
    first = range(0, len(evaluator.evalImgs), areas * images)
    eval_imgs = [entry for start in first for entry in evaluator.evalImgs[start : start + images]]
    return Run(
        as_metrics(evaluator.stats), evaluator.eval["precision"][..., 0, -1], eval_imgs, engine
    )


def _records(annotations: Annotations, found: Detections) -> list[dict[str, Any]]:
    images, categories = [image.id for image in annotations.images], list(annotations.categories)
    columns = (
        column.tolist() for column in (found.image, found.category, found.boxes, found.score)
    )
    return [
        {
            "image_id": images[image],
            "category_id": categories[category],
            "bbox": box,
            "score": score,
        }
        for image, category, box, score in zip(*columns, strict=True)
    ]
