"""Rex-Omni's and LocateAnything's metrics on neutral cases, by `mmdet_eval.metrics`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from pycocotools import mask
from shapely.geometry import Polygon

from mmdet_eval.coco.annotations import Annotations
from mmdet_eval.coco.detections import Detections, to_detections
from mmdet_eval.metrics.by_class import ClassRates, macro_by_class, rates_by_class
from mmdet_eval.metrics.by_sample import SampleRates, hits_in_turn, sample_rates
from mmdet_eval.metrics.matching import IOU_THRESHOLDS
from swift_plugin_visionr1.data.coco import Image
from swift_plugin_visionr1.geometry.boxes import as_boxes, xyxy_to_xywh

Case = dict[str, Any]
Named = Mapping[str, Sequence[Any]]
RATES = ("precision", "recall", "f1")
BY_LETTERS = (
    "common_object_detection",
    "long_tailed_object_detection",
    "dense_object_detection",
)
REFERRING = "referring_object_detection"
POLYGONS = ("task4_detect_all_in_polygon", "task2_detect_all_in_polygon_and_recog")
SPLIT_DIGITS = str.maketrans("", "", "_ ")


def as_annotations(case: Case) -> Annotations:
    """A COCO file's content."""
    images = tuple(
        Image(one["id"], one.get("file_name", ""), (one["width"], one["height"]))
        for one in case["images"]
    )
    categories = {one["id"]: one.get("name", str(one["id"])) for one in case["categories"]}
    return Annotations(Path("case"), "", images, categories, case, ())


def _class_rates(case: Case, lvis: bool) -> ClassRates:
    annotations = as_annotations(_without_crowds(case) if lvis else case)
    return rates_by_class(annotations, _answers(case, annotations))


def _without_crowds(case: Case) -> Case:
    """LVIS has no crowds: `iscrowd` is not read."""
    return case | {"annotations": [one | {"iscrowd": 0} for one in case["annotations"]]}


def _answers(case: Case, annotations: Annotations) -> Detections:
    images = {PurePosixPath(one.file_name).name: one.id for one in annotations.images}
    names = {_spaced(name): category for category, name in annotations.categories.items()}
    last = {PurePosixPath(one["image_path"]).name: one for one in case["predictions"]}
    results = [
        {
            "image_id": images[image],
            "category_id": names[_spaced(label)],
            "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
            "score": 1.0,
        }
        for image, answer in last.items()
        if image in images
        for label, boxes in answer["extracted_predictions"].items()
        if _spaced(label) in names
        for box in boxes
        if isinstance(box, list) and len(box) == 4
    ]
    return to_detections(annotations, results)


def _spaced(name: str) -> str:
    return name.lower().replace("_", " ")


def _rows(macro: Mapping[str, tuple[float, ...]]) -> dict[str, dict[str, float]]:
    return {name: dict(zip(RATES, values, strict=True)) for name, values in macro.items()}


def _by_class(lvis: bool) -> Callable[[Case], Case]:
    def check(case: Case) -> Case:
        rates = _class_rates(case, lvis)
        return {
            "expected": _rows(macro_by_class(rates, carry=True)),
            "expected_without_carried_over_precision": _rows(macro_by_class(rates)),
        }

    return check


def _by_class_meant(lvis: bool) -> Callable[[Case], Case]:
    return lambda case: _rows(macro_by_class(_class_rates(case, lvis)))


def _counted(boxes: Sequence[Any]) -> list[Any]:
    return [box for box in boxes if box is not None and box != "None"]


def _normalised(named: Named, task: str) -> dict[str, Sequence[Any]]:
    """Later keys that become equal replace earlier ones."""
    if task in BY_LETTERS:
        return {"".join(filter(str.isalpha, key.lower())): value for key, value in named.items()}
    return {key.lower().translate(SPLIT_DIGITS): value for key, value in named.items()}


def _sides(sample: Case) -> tuple[dict[str, Sequence[Any]], dict[str, Sequence[Any]]]:
    """Annotated boxes, and those of the answer, by normalised name."""
    task = sample.get("task_name", REFERRING)
    return _normalised(sample["gt"], task), _normalised(sample["extracted_predictions"], task)


def _pools(sample: Case) -> tuple[list[Any], list[Any], int]:
    """Annotated boxes, the boxes that may match them, and the number of boxes in the answer."""
    truths, boxes = _sides(sample)
    if sample.get("task_name", REFERRING) == REFERRING:
        pooled = [box for some in boxes.values() for box in some]
        return [box for some in truths.values() for box in some], pooled, len(pooled)
    may_match = [box for key in truths for box in _counted(boxes.get(key, ()))]
    number = sum(len(_counted(some)) for some in boxes.values())
    return [box for some in truths.values() for box in some], may_match, number


def _is_read(sample: Case) -> bool:
    """Text among the boxes of a referring answer raises inside, and the sample is left out."""
    boxes = _sides(sample)[1].values()
    refers = sample.get("task_name", REFERRING) == REFERRING
    return not (refers and any(isinstance(box, str) for some in boxes for box in some))


def _box_hits(pools: Sequence[tuple[list[Any], list[Any], int]]) -> np.ndarray:
    truths = [(n, box) for n, (some, _, _) in enumerate(pools) for box in some]
    boxes = [(n, box) for n, (_, some, _) in enumerate(pools) for box in some]
    sides = [
        (np.array([n for n, _ in side], np.int64), xyxy_to_xywh(as_boxes([box for _, box in side])))
        for side in (truths, boxes)
    ]
    return hits_in_turn(*sides[0], *sides[1], len(pools))


def _polygon_hits(pools: Sequence[tuple[list[Any], list[Any], int]]) -> np.ndarray:
    overlaps = [
        np.reshape([_polygon_iou(a, b) for a in truths for b in boxes], (len(truths), len(boxes)))
        for truths, boxes, _ in pools
    ]
    return np.array([[take_in_turn(one, t) for one in overlaps] for t in IOU_THRESHOLDS])


def take_in_turn(overlap: np.ndarray, least: float) -> int:
    """How many rows take a column: each in turn the free one with the highest value."""
    free, hits = overlap.copy(), 0
    for row in free if overlap.shape[1] else ():
        best = int(row.argmax())
        if row[best] >= least:
            free[:, best] = -1.0
            hits += 1
    return hits


def _polygon_iou(a: Sequence[float], b: Sequence[float]) -> float:
    if min(len(a), len(b)) < 6:
        return 0.0
    first, second = (Polygon(np.reshape(one, (-1, 2))) for one in (a, b))
    if not (first.is_valid and second.is_valid):
        return 0.0
    union = first.union(second).area
    return float(first.intersection(second).area / union) if union else 0.0


def point_hits(masks: Sequence[Case], points: Sequence[Sequence[float]], rounds: bool) -> int:
    """How many masks take a point: each in turn the first free one on it."""
    free, hits = [*points], 0
    for one in map(mask.decode, masks):
        for point in free:
            x, y = (round(value) if rounds else int(value) for value in point)
            if 0 <= x < one.shape[1] and 0 <= y < one.shape[0] and one[y, x]:
                free.remove(point)
                hits += 1
                break
    return hits


def _points(sample: Case) -> tuple[int, list[Any], int]:
    """Masks that took a point, all masks, and the number of points in the answer."""
    truths, points = dict(sample["gt"]), dict(sample["extracted_predictions"])
    if sample["task_name"] == "pointing_referring":
        points = {next(iter(truths)): next(iter(points.values()))} if truths and points else {}
    truths, points = (_normalised(one, sample["task_name"]) for one in (truths, points))
    hits = sum(
        point_hits(masks, _counted(points.get(key, ())), rounds=False)
        for key, masks in truths.items()
    )
    masks = [one for some in truths.values() for one in some]
    return hits, masks, sum(len(_counted(some)) for some in points.values())


def _measured(case: Case) -> tuple[list[Case], SampleRates, np.ndarray, np.ndarray]:
    samples = [sample for sample in case["samples"] if _is_read(sample)]
    if samples[0].get("task_name", "").startswith("pointing"):
        pointed = [_points(sample) for sample in samples]
        truths = np.array([len(masks) for _, masks, _ in pointed])
        boxes = np.array([number for *_, number in pointed])
        hits = np.array([[number for number, *_ in pointed]])
    else:
        pools = [_pools(sample) for sample in samples]
        truths = np.array([len(some) for some, _, _ in pools])
        boxes = np.array([number for *_, number in pools])
        polygons = samples[0].get("task_name") in POLYGONS
        hits = _polygon_hits(pools) if polygons else _box_hits(pools)
    return samples, sample_rates(hits, truths, boxes), truths, boxes


def _by_sample(case: Case) -> Case:
    samples, rates, truths, boxes = _measured(case)
    hollow = np.array([not one for one in truths]) & np.array([bool(s["gt"]) for s in samples])
    rates = SampleRates(*(np.where(hollow, 0.0, one) for one in (rates.precision, rates.recall)))
    rows = _rows(rates.macro())
    if len(rates.precision) == 1:
        del rows["0.95"]
    counts = {"gt_counts": truths.tolist(), "pred_counts": boxes.tolist()}
    for name, row in rows.items():
        if name != "mean":
            place = 0 if name == "0.5" else -1
            rows[name] = (
                row
                | counts
                | {
                    "per_sample_recall": rates.recall[place].tolist(),
                    "per_sample_precision": rates.precision[place].tolist(),
                }
            )
    found: Case = rows | {
        "wrong_rejection_rate": float(np.mean([_refuses(sample) for sample in samples])),
        "instruction_following": float(np.mean([_follows(sample) for sample in samples])),
    }
    if samples[0].get("task_name") == "visual_prompt_detection":
        found["count_mae"] = float(np.abs(boxes - truths).mean())
    return {"expected": found}


def _refuses(sample: Case) -> bool:
    boxes = _sides(sample)[1].values()
    return any(box is None or box == "None" for some in boxes for box in some)


def _follows(sample: Case) -> float:
    """The share of asked names that the answer uses."""
    asked, used = _sides(sample)
    if not asked:
        return float(not used)
    return sum(key in used for key in asked) / len(asked)


BY_SAMPLE = """dense layout referring visual_prompt pointing pointing_referring polygon"""
REX_OMNI_CHECKS: dict[str, Callable[[Case], Case]] = {
    "rexomni_coco_f1": _by_class(lvis=False),
    "rexomni_lvis_f1": _by_class(lvis=True),
    **{f"rexomni_{name}": _by_sample for name in BY_SAMPLE.split()},
}
CARRIED = "the precision of the class before where a class has no right box"
REX_OMNI_MEANT = {
    "rexomni_coco_f1": {CARRIED: _by_class_meant(lvis=False)},
    "rexomni_lvis_f1": {CARRIED: _by_class_meant(lvis=True)},
}
