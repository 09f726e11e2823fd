"""LVIS's own AP: over all categories, and over those with few, some and many training images."""

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import NEGATIVE, PARTLY, Annotations
from ..coco.detections import Detections
from .engines import EngineRun, hotcoco_ids, without_boxes
from .federated import MOST, counted
from .scores import Metrics

FREQUENCIES = {"APr": "r", "APc": "c", "APf": "f"}
# Our name -> LVISEval's.
ITEMS = {name: name.replace("mAP", "AP") for name in ("mAP", "AP50", "AP75", "APs", "APm", "APl")}
ITEMS |= {name: name for name in (*FREQUENCIES, "AR@300", "ARs@300", "ARm@300", "ARl@300")}
FIRST = ("mAP", "APr", "APc", "APf", "AP50", "AP75", f"AR@{MOST}")  # what tables show
LISTS = (NEGATIVE, PARTLY)


def as_lvis_metrics(results: dict[str, float]) -> Metrics:
    """LVISEval's results by our names; its -1 (nothing to measure) becomes None."""
    values = {name: float(results[item]) for name, item in ITEMS.items()}
    return {name: None if value < 0 else value for name, value in values.items()}


def lvis_without_boxes(annotations: Annotations) -> Metrics:
    """The numbers without any box: 0, or None where nothing is annotated."""
    kept = counted(annotations)
    groups = {category["id"]: category.get("frequency") for category in kept.data["categories"]}
    annotated = {groups[record["category_id"]] for record in kept.data["annotations"]}
    of_areas = without_boxes(kept, MOST)
    return {
        name: of_areas[name]
        if name in of_areas
        else (0.0 if FREQUENCIES[name] in annotated else None)
        for name in ITEMS
    }


def groups_by_frequency(annotations: Annotations) -> dict[str, NDArray[np.bool_]]:
    """APr, APc and APf: (K,) whether each category belongs to it, by ascending id."""
    often = {one["id"]: one.get("frequency") for one in annotations.data["categories"]}
    in_order = [often[category] for category in sorted(annotations.category_ids)]
    return {name: np.array([f == key for f in in_order]) for name, key in FREQUENCIES.items()}


def lvis_content(annotations: Annotations) -> dict[str, Any]:
    """What LVIS's evaluators read, with the lists that an image may lack."""
    images = [{key: image.get(key) or [] for key in LISTS} for image in annotations.data["images"]]
    return counted(annotations).data | {
        "images": [
            {**image, **lists}
            for image, lists in zip(annotations.data["images"], images, strict=True)
        ]
    }


def lvis_by_hotcoco(annotations: Annotations, detections: Detections) -> EngineRun:
    """Evaluate with hotcoco; there is at least one box.

    Raises:
        InputError: hotcoco is not installed.
    """
    try:
        import hotcoco
    except ImportError:
        raise InputError(
            "expected hotcoco for LVIS's AP, got none: `pip install hotcoco`"
        ) from None
    images, categories = (ids.tolist() for ids in hotcoco_ids(annotations))
    of_image = dict(zip(annotations.image_ids, images, strict=True))
    of_category = dict(zip(annotations.category_ids, categories, strict=True))
    results = [
        {**result, "image_id": of_image[result["image_id"]]}
        | {"category_id": of_category[result["category_id"]]}
        for result in detections.to_results()
    ]
    with redirect_stdout(StringIO()):
        truth = hotcoco.COCO(_numbered(lvis_content(annotations), of_image, of_category))
        evaluator: Any = hotcoco.LVISeval(truth, hotcoco.LVISResults(truth, results), "bbox")
        evaluator.run()
    precision = np.array(evaluator.eval["precision"])[:, :, :, 0].reshape(10, 101, -1)
    metrics = as_lvis_metrics(evaluator.get_results())
    return EngineRun(metrics, precision, f"hotcoco {hotcoco.__version__}")


def _numbered(
    content: dict[str, Any], images: dict[Any, int], categories: dict[Any, int]
) -> dict[str, Any]:
    """The content with integers for ids, because hotcoco needs them."""
    return {
        "images": [
            {"id": images[image["id"]], "width": image["width"], "height": image["height"]}
            | {
                key: [categories[each] for each in image[key] if each in categories]
                for key in LISTS
            }
            for image in content["images"]
        ],
        "categories": [
            {"id": categories[one["id"]], "name": str(one["id"])}
            | ({"frequency": one["frequency"]} if one.get("frequency") else {})
            for one in content["categories"]
        ],
        "annotations": [
            {"id": number, "image_id": images[one["image_id"]], "bbox": one["bbox"]}
            | {"category_id": categories[one["category_id"]], "area": one["area"], "iscrowd": 0}
            for number, one in enumerate(content["annotations"], start=1)
        ],
    }
