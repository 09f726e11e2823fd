"""MMDetection's own `CocoMetric`. The only file that imports mmdet, mmcv and mmengine, and only
when it is called.

`mmdet.evaluation` imports `mmcv.ops`, whose compiled half the package mmcv-lite lacks. The metric
calls none of these ops, so a stub that raises stands in for them while mmdet is imported; full mmcv
is used as it is.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import packages_distributions
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Annotations, Id, make_annotations, read_annotations
from ..coco.detections import CocoResult, Detections, to_detections
from .engines import (
    NAMES,
    EngineRun,
    as_metrics,
    limits_at,
    names_at,
    recorded_run,
    without_boxes,
)
from .lvis import ITEMS as ITEMS_OF_LVIS
from .lvis import as_lvis_metrics, lvis_content
from .matching import LIMIT
from .scores import Metrics

# Our name at COCO's limit -> CocoMetric's. Its names stand for positions in COCOeval's summary and
# assume its default limits.
ITEMS = dict(
    zip(
        NAMES,
        (
            "mAP",
            "mAP_50",
            "mAP_75",
            "mAP_s",
            "mAP_m",
            "mAP_l",
            "AR@100",
            "AR@300",
            "AR@1000",
            "AR_s@1000",
            "AR_m@1000",
            "AR_l@1000",
        ),
        strict=True,
    )
)
ROUNDING = 5.1e-4  # CocoMetric's numbers have 3 decimals


class MissingBackend(ImportError):
    """MMDetection is not installed or cannot be imported."""


def evaluate_coco_results(ann_path: str | Path, results: Sequence[CocoResult]) -> Metrics:
    """`evaluate` with the annotation file's path."""
    return evaluate(read_annotations(ann_path), results)


def evaluate(annotations: Annotations, results: Sequence[CocoResult]) -> Metrics:
    """Run `CocoMetric` on COCO results.

    Args:
        annotations: every image counts, even without results.
        results: image_id, category_id, bbox as [x, y, width, height] in original pixels, score.
            Equal scores rank by ascending image id, then in the order given.

    Returns:
        The keys of `ITEMS`, each in [0, 1] and not rounded; None if the annotations have nothing to
        measure it on, such as no small objects. Without any results, everything else is 0.

    Raises:
        InputError: a result names an unknown image or category, or has a bbox or score that is not
            finite; or the annotations' categories differ from those in its data, or are in another
            order.
        MissingBackend: MMDetection cannot be imported.
    """
    detections = to_detections(annotations, results)
    return by_mmdet(annotations, detections).metrics if results else without_boxes(annotations)


def by_mmdet(annotations: Annotations, detections: Detections, limit: int = LIMIT) -> EngineRun:
    """Evaluate with `CocoMetric`; there is at least one box, because CocoMetric gives no metrics
    otherwise.

    The numbers are taken from CocoMetric's COCOeval before they are rounded.

    Raises:
        InputError: the annotations' categories are not those of its data, in that order, or the
            limit is too low.
        MissingBackend: MMDetection cannot be imported.
        RuntimeError: CocoMetric reports numbers other than its COCOeval's.
    """
    metric_class = _metric_class("CocoMetric")
    import mmdet

    with (
        _silence(),
        annotations.metric_file() as path,
        _recorded_evaluators("coco_metric", "COCOeval") as made,
    ):
        metric = metric_class(
            ann_file=str(path),
            proposal_nums=limits_at(limit),
            metric_items=list(ITEMS.values()),
        )
        # Converting to corners and back rounds, which moves boxes across the thresholds of IoU and
        # area.
        metric.xyxy2xywh = np.ndarray.tolist
        # In the file's order, because CocoMetric reads labels as positions in that order, whatever
        # order is given here.
        metric.dataset_meta = {
            "classes": [category["name"] for category in annotations.data["categories"]]
        }
        metric.process({}, _samples(annotations, detections))
        # Not `evaluate`, which waits for the other processes of a distributed run: possibly only
        # one process gets here.
        reported = metric.compute_metrics(metric.results)
    _require_order(metric.cat_ids, annotations)
    run = recorded_run(made[-1], f"mmdet {mmdet.__version__}")
    items = zip(names_at(limit), ITEMS.values(), strict=True)
    _check_rounding(
        as_metrics(made[-1].stats, limit), {name: reported[f"bbox_{item}"] for name, item in items}
    )
    return run


def _require_order(category_ids: list[Id], annotations: Annotations) -> None:
    """Raise InputError unless CocoMetric took the labels for the annotations' categories."""
    if category_ids != list(annotations.categories):
        raise InputError(
            f"expected the categories {category_ids} in the order of {annotations.path}, got "
            f"{list(annotations.categories)}: labels would name other classes; read the file with "
            "`read_annotations`"
        )


def lvis_by_mmdet(annotations: Annotations, detections: Detections) -> EngineRun:
    """Evaluate with MMDetection's `LVISMetric`, which needs the package lvis; there is at least one
    box.

    Raises:
        MissingBackend: MMDetection or lvis cannot be imported.
        RuntimeError: LVISMetric reports numbers other than its LVISEval's.
    """
    metric_class = _metric_class("LVISMetric")
    import mmdet

    content = make_annotations(lvis_content(annotations), annotations.path, annotations.sha256)
    with (
        _silence(),
        _numpy_float(),
        content.metric_file() as path,
        _recorded_evaluators("lvis_metric", "LVISEval") as made,
    ):
        metric = metric_class(ann_file=str(path), metric_items=list(ITEMS_OF_LVIS.values()))
        metric.xyxy2xywh = np.ndarray.tolist  # as in `by_mmdet`
        metric.dataset_meta = {"classes": list(annotations.categories.values())}
        metric.process({}, _samples(annotations, detections))
        reported = metric.compute_metrics(metric.results)
    results = made[-1].get_results()
    told = {name: float(reported[f"bbox_{item}"]) for name, item in ITEMS_OF_LVIS.items()}
    _check_rounding(as_lvis_metrics(results), told)
    precision = made[-1].eval["precision"][..., 0]
    return EngineRun(as_lvis_metrics(results), precision, f"mmdet {mmdet.__version__} LVISMetric")


@contextmanager
def _numpy_float() -> Iterator[None]:
    """While open, numpy has the name `float` that it lost in 1.24 and that lvis 0.5.3 calls."""
    if hasattr(np, "float"):
        yield
        return
    np.float = float  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del np.float  # type: ignore[attr-defined]


def _samples(annotations: Annotations, detections: Detections) -> list[dict[str, Any]]:
    """The input of `CocoMetric.process`, one entry per image; boxes stay xywh in double
    precision."""
    import torch

    order = np.argsort(detections.image, kind="stable")
    columns: list[Any] = [
        torch.from_numpy(column[order])
        for column in (detections.boxes_xywh, detections.score, detections.category)
    ]
    counts = np.bincount(detections.image, minlength=len(annotations.images)).tolist()
    parts = zip(annotations.images, *(column.split(counts) for column in columns), strict=True)
    return [
        {
            "img_id": image.id,
            "ori_shape": image.size[::-1],
            "pred_instances": {"bboxes": boxes, "scores": scores, "labels": labels},
        }
        for image, boxes, scores, labels in parts
    ]


@contextmanager
def _recorded_evaluators(module: str, name: str) -> Iterator[list[Any]]:
    """While open, every evaluator of that name that a metric of mmdet creates is added to the
    list."""
    metrics = importlib.import_module(f"mmdet.evaluation.metrics.{module}")
    original, made = getattr(metrics, name), []

    def recorded(*args: Any, **kwargs: Any) -> Any:
        made.append(original(*args, **kwargs))
        return made[-1]

    setattr(metrics, name, recorded)
    try:
        yield made
    finally:
        setattr(metrics, name, original)


def _check_rounding(metrics: Metrics, reported: dict[str, float]) -> None:
    for name, value in metrics.items():
        expected = -1.0 if value is None else value
        if not abs(reported[name] - expected) <= ROUNDING:
            raise RuntimeError(
                f"expected CocoMetric to report its COCOeval's {name} {expected:.6f} rounded, got "
                f"{reported[name]}; "
                "please report this with your version of mmdet"
            )


def _metric_class(name: str) -> Any:
    try:
        with redirect_stdout(StringIO()), stub_mmcv_ops():
            metrics = importlib.import_module("mmdet.evaluation.metrics")
    except (
        ImportError,
        AssertionError,
    ) as error:  # AssertionError: mmdet about incompatible versions
        raise MissingBackend(
            f"expected an MMDetection that can be imported, got: {error}; "
            "install it with `pip install 'swift-plugin-visionr1[eval]'`"
        ) from error
    return getattr(metrics, name)


@contextmanager
def stub_mmcv_ops() -> Iterator[None]:
    """While open, `mmcv._ext` can be imported: the real one if it exists, else a stub that is
    removed afterwards.

    The fork onedl-mmcv works without compiled ops and is left alone.
    """
    name = "mmcv._ext"
    if (
        name in sys.modules
        or importlib.util.find_spec(name) is not None
        or "onedl-mmcv" in _providers("mmcv")
    ):
        yield
        return
    sys.modules[name] = _Stub(name)
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def without_transformers() -> Iterator[None]:
    """While open, transformers cannot be imported; does nothing if it is imported already.

    mmengine and mmdet import it where it is installed, which takes longer than all the rest, for an
    optimizer and for models with text encoders. Modules of mmdet that are imported meanwhile stay
    without it, so this is for a process that only evaluates.
    """
    name = "transformers"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # importing it raises ModuleNotFoundError
    try:
        yield
    finally:
        del sys.modules[name]


def _providers(package: str) -> list[str]:
    return packages_distributions().get(package, [])


class _Stub(ModuleType):
    def __getattr__(self, op: str) -> Callable[..., Any]:
        if op.startswith("__"):
            raise AttributeError(op)

        def missing(*args: object, **kwargs: object) -> None:
            raise RuntimeError(
                f"expected mmcv with its compiled ops for {op!r}, got mmcv-lite: install the full "
                "mmcv"
            )

        return missing


@contextmanager
def _silence() -> Iterator[None]:
    """Keep mmengine's log and pycocotools' prints off stdout."""
    from mmengine.logging import MMLogger

    logger = (
        MMLogger.get_current_instance()
    )  # created before the redirection, because it keeps the current stdout
    before, logger.disabled = logger.disabled, True
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logger.disabled = before
