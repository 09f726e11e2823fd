"""Ref-L4: accuracy of expressions of one object, at several thresholds, by size and by class.

A box is right if its IoU is above the threshold, in single precision. Sizes are the root of the
annotated area: small below 128 pixels, large above 256. Classes are Objects365's, into which
RefCOCO's are merged; the number by class is a mean over classes. Source: JierunChen/Ref-L4
@bae942c, `ref_l4/evaluation.py`.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.geometry.boxes import Boxes

from ..coco.annotations import Annotations
from ..coco.detections import Detections
from .refexp import NO_BOX, refexp_truths
from .sampled import mean_of
from .scores import Metrics, SuiteScores

Floats = NDArray[np.float64]
PERCENTS = range(50, 100, 5)
AT = {"Acc@.5": 50, "Acc@.75": 75, "Acc@.9": 90}
SIZES = {"small": (0, 128), "medium": (128, 256), "large": (256, np.inf)}
# RefCOCO's categories among Objects365's, by Ref-L4's own table.
REFCOCO = (
    "1:1 2:47 3:6 4:59 5:115 6:56 7:117 8:66 9:22 10:41 11:177 13:128 14:250 15:25 16:56 17:140 "
    "18:93 19:79 20:100 21:97 22:145 23:296 24:179 25:181 27:39 28:40 31:13 32:44 33:194 34:220 "
    "35:119 36:174 37:100000 38:155 39:138 40:114 41:146 42:147 43:205 44:9 46:36 47:11 48:89 "
    "49:85 50:94 51:26 52:113 53:83 54:266 55:104 56:142 57:153 58:235 59:144 60:151 61:98 62:3 "
    "63:51 64:26 65:76 67:98 70:154 72:37 73:74 74:116 75:133 76:107 77:62 78:164 79:135 80:278 "
    "81:82 82:134 84:19 85:95 86:31 87:170 88:70 89:328 90:227"
)
MERGED = {
    f"refcoco_{ours}": f"o365_{theirs}"
    for ours, theirs in (pair.split(":") for pair in REFCOCO.split())
}


def ref_l4_ious(truths_xyxy: Boxes, boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """(n,) IoU of n pairs of boxes, in single precision."""
    a, b = truths_xyxy.astype(np.float32), boxes_xyxy.astype(np.float32)
    width, height = (np.minimum(a, b)[:, 2:] - np.maximum(a, b)[:, :2]).clip(0).T
    inter = width * height
    sides = [(one[:, 2] - one[:, 0]) * (one[:, 3] - one[:, 1]) for one in (a, b)]
    ious: NDArray[np.float32] = inter / np.maximum(sides[0] + sides[1] - inter, np.float32(1e-6))
    return ious


def accuracy_at(ious: NDArray[np.float32], percent: float) -> float:
    """The share of IoUs above a threshold, both in percent; NaN without IoUs."""
    return 100 * float((ious > np.float32(percent / 100)).mean()) if len(ious) else np.nan


def mean_accuracy(ious: NDArray[np.float32]) -> float:
    """The mean of the accuracies at .5:.95, in percent."""
    return float(np.mean([accuracy_at(ious, percent) for percent in PERCENTS]))


def of_size(name: str, root_area: Floats) -> NDArray[np.bool_]:
    """(n,) whether a box is small, medium (both ends included) or large."""
    low, high = SIZES[name]
    above = root_area > low if name == "large" else root_area >= low
    return above & (root_area < high if name == "small" else root_area <= high)


def ref_l4_by_class(ious: NDArray[np.float32], classes: NDArray[np.str_]) -> tuple[float, float]:
    """Accuracy at .5 and mean accuracy, each the mean over classes, in percent."""
    merged = np.array([MERGED.get(name, name) for name in classes.tolist()])
    some = [ious[merged == name] for name in np.unique(merged)]
    at_50 = [accuracy_at(one, 50) for one in some]
    return float(np.mean(at_50)), float(np.mean([mean_accuracy(one) for one in some]))


def ref_l4(annotations: Annotations, detections: Detections) -> SuiteScores:
    """The metrics of `forms.ref_l4`'s annotations; an expression without a box counts as missed."""
    truths = refexp_truths(annotations)
    boxes_xyxy = detections.boxes_xyxy
    boxes = [boxes_xyxy[some[0]] if len(some) else NO_BOX for some in detections.by_image]
    ious = ref_l4_ious(truths, np.array(boxes).reshape(-1, 4))
    sides = truths[:, 2:] - truths[:, :2]
    root_area = np.sqrt(sides[:, 0] * sides[:, 1])
    images = annotations.data["images"]
    classes = np.array([str(image.get("ori_category_id", "")) for image in images])
    first = {name: accuracy_at(ious, percent) for name, percent in AT.items()}
    first["mAcc"] = mean_accuracy(ious)
    beside: dict[str, float] = {}
    for name in SIZES:
        some = ious[of_size(name, root_area)]
        beside |= {f"Acc@.5 {name}": accuracy_at(some, 50), f"mAcc {name}": mean_accuracy(some)}
    at_50, mean = ref_l4_by_class(ious, classes)
    beside |= {"Acc@.5 by class": at_50, "mAcc by class": mean}
    above = {percent: ious > np.float32(percent / 100) for percent in PERCENTS}
    sampled = {name: mean_of(above[percent]) for name, percent in AT.items()}
    sampled["mAcc"] = mean_of(np.mean(list(above.values()), axis=0))
    return SuiteScores(_as_shares(first), _as_shares(beside), sampled)


def _as_shares(percents: Mapping[str, float]) -> Metrics:
    return {name: None if np.isnan(value) else value / 100 for name, value in percents.items()}
