"""MMDetection's own `CocoMetric`. The only file that imports mmdet, mmcv and mmengine, and only when it is called.

`mmdet.evaluation` imports `mmcv.ops`, whose compiled half the package mmcv-lite lacks. The metric calls none of
these ops, so a stub that raises stands in for them while mmdet is imported; full mmcv is used as it is.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..answers.coco_results import CocoResult
from ..data.annotations import Annotations, Id, read_annotations
from ..data.checks import check_record, is_finite_number
from ..errors import InputError
from .scores import Metrics

# COCO's own limits. CocoMetric's default (100, 300, 1000) takes AP50 and AP75 at 1000 boxes but mAP at 100.
MAX_DETS = (1, 10, 100)
# Our name -> CocoMetric's. Its names are places in COCOeval's summary and assume its default limits.
ITEMS = {
    "mAP": "mAP", "AP50": "mAP_50", "AP75": "mAP_75", "APs": "mAP_s", "APm": "mAP_m", "APl": "mAP_l",
    "AR@1": "AR@100", "AR@10": "AR@300", "AR@100": "AR@1000",
    "ARs@100": "AR_s@1000", "ARm@100": "AR_m@1000", "ARl@100": "AR_l@1000",
}  # fmt: skip


class MissingBackend(ImportError):
    """MMDetection is not installed or cannot be imported."""


def evaluate_coco_results(ann_path: str | Path, results: Sequence[CocoResult]) -> Metrics:
    """`evaluate` with the annotation file's path."""
    return evaluate(read_annotations(ann_path), results)


def evaluate(annotations: Annotations, results: Sequence[CocoResult]) -> Metrics:
    """Run `CocoMetric` on COCO results.

    Args:
        annotations: every image counts, also without results.
        results: image_id, category_id, bbox as [x, y, width, height] in original pixels, score. Equal scores rank
            by ascending image id, then in the order given.

    Returns:
        The keys of `ITEMS`, each in [0, 1] as CocoMetric rounds it (3 decimals); None where the annotations have
        nothing to measure it on, such as no small objects. Without any result at all everything is 0.

    Raises:
        InputError: a result names an unknown image or category, or has a bbox or score that is no finite number.
        MissingBackend: MMDetection cannot be imported.
    """
    by_image = _grouped(annotations, results)
    if not results:
        return dict.fromkeys(ITEMS, 0.0)  # CocoMetric returns no metrics at all
    metric_class = _coco_metric()
    with _silence(), annotations.metric_file() as path:
        metric = metric_class(ann_file=str(path), proposal_nums=MAX_DETS, metric_items=list(ITEMS.values()))
        # In the file's order, because CocoMetric takes labels for places in that order, whatever order is given here.
        metric.dataset_meta = {"classes": list(annotations.categories.values())}
        places = {category: place for place, category in enumerate(annotations.categories)}
        metric.process({}, [_sample(image.id, image.size, by_image[image.id], places) for image in annotations.images])
        found = metric.evaluate(size=len(annotations.images))
    values = {name: float(found[f"coco/bbox_{item}"]) for name, item in ITEMS.items()}
    return {name: None if value < 0 else value for name, value in values.items()}  # COCOeval's -1: nothing to measure


def _grouped(annotations: Annotations, results: Sequence[CocoResult]) -> dict[Id, list[CocoResult]]:
    by_image: dict[Id, list[CocoResult]] = {image.id: [] for image in annotations.images}
    for index, result in enumerate(results):
        check_record(result, f"result {index}", by_image, annotations.categories)
        if not is_finite_number(result.get("score")):
            raise InputError(f"expected result {index} to have a finite score, got {result.get('score')!r}")
        by_image[result["image_id"]].append(result)
    return by_image


def _sample(image_id: Id, size: tuple[int, int], results: list[CocoResult], places: dict[Id, int]) -> dict[str, Any]:
    """What `CocoMetric.process` reads: tensors with boxes as xyxy, in double precision so that nothing is rounded."""
    import torch

    boxes = np.array([result["bbox"] for result in results], dtype=np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    instances = {
        "bboxes": torch.from_numpy(boxes),
        "scores": torch.tensor([result["score"] for result in results], dtype=torch.float64),
        "labels": torch.tensor([places[result["category_id"]] for result in results], dtype=torch.int64),
    }
    return {"img_id": image_id, "ori_shape": (size[1], size[0]), "pred_instances": instances}


def _coco_metric() -> Any:
    try:
        with redirect_stdout(StringIO()), stub_mmcv_ops():
            from mmdet.evaluation.metrics import CocoMetric
    except (ImportError, AssertionError) as error:  # AssertionError: mmdet on versions it does not go with
        raise MissingBackend(
            f"expected an MMDetection that can be imported, got: {error}; "
            "install it with `pip install 'swift-plugin-visionr1[eval]'`"
        ) from error
    return CocoMetric


@contextmanager
def stub_mmcv_ops() -> Iterator[None]:
    """While open, `mmcv._ext` can be imported: the real one where there is one, else a stub that is taken out again."""
    name = "mmcv._ext"
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        yield
        return
    sys.modules[name] = _Stub(name)
    try:
        yield
    finally:
        del sys.modules[name]


class _Stub(ModuleType):
    def __getattr__(self, op: str) -> Callable[..., Any]:
        if op.startswith("__"):
            raise AttributeError(op)

        def missing(*args: object, **kwargs: object) -> None:
            raise RuntimeError(f"expected mmcv with its compiled ops for {op!r}, got mmcv-lite: install the full mmcv")

        return missing


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing of mmengine's log and pycocotools' prints on stdout."""
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()  # made before the redirection, because it keeps the stdout it finds
    before, logger.disabled = logger.disabled, True
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logger.disabled = before
