"""What the boxes are worth without their labels, and how many labels are right: it tells a model
that finds objects and names them wrongly from one that does not find them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results import Result, unpack_boxes
from scipy.optimize import linear_sum_assignment

from mmdet_eval.coco.annotations import read_annotations
from swift_plugin_visionr1.geometry.boxes import iou

Objects = dict[int, tuple[NDArray[np.float64], NDArray[np.int64]]]  # image: (n, 4) xyxy, (n,)


@dataclass(frozen=True)
class IgnoringLabels:
    """Shares over one set of images, in [0, 1].

    Attributes:
        found: annotated objects with a box of their own at an IoU of .75 or more, under any label.
        named: those with one at .5 or more whose label is right.
    """

    found: float
    named: float


def look_at(result: Result, name: str, data: Path) -> IgnoringLabels:
    """Match the stored boxes of the set `name` with its annotations, by IoU alone."""
    truth = _objects(read_annotations(data / f"{name}.json").data["annotations"])
    said = _objects(unpack_boxes(result["boxes"][name]))
    overlaps, right = [], []
    for image in truth.keys() & said.keys():
        (boxes_xyxy, classes), (said_xyxy, said_classes) = truth[image], said[image]
        ious = iou(boxes_xyxy, said_xyxy)
        pairs = linear_sum_assignment(ious, maximize=True)
        overlaps += ious[pairs].tolist()
        right += (classes[pairs[0]] == said_classes[pairs[1]]).tolist()
    count = sum(len(classes) for _, classes in truth.values())
    near = np.array(overlaps) >= 0.5
    named = float(np.mean(np.array(right)[near])) if near.any() else 0.0
    return IgnoringLabels(float(np.sum(np.array(overlaps) >= 0.75)) / max(count, 1), named)


def _objects(rows: list[dict]) -> Objects:
    """Rows with xywh boxes, by image."""
    by_image: dict[int, list[dict]] = {}
    for row in rows:
        by_image.setdefault(row["image_id"], []).append(row)
    objects = {}
    for image, own in by_image.items():
        boxes_xywh = np.array([row["bbox"] for row in own], dtype=float)
        boxes_xyxy = np.hstack([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]])
        objects[image] = boxes_xyxy, np.array([row["category_id"] for row in own])
    return objects
