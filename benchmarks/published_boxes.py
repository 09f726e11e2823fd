"""Published metrics of referring expressions and COCO-like AP on neutral cases."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from published_rex_omni import point_hits, take_in_turn
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmdet_eval.answers.scorers import rank_scores
from mmdet_eval.coco.annotations import make_annotations
from mmdet_eval.coco.detections import to_detections
from mmdet_eval.metrics.grec import Overlap, grec_f1, grec_rates, overlap_of
from mmdet_eval.metrics.lvis import ITEMS, lvis_by_hotcoco
from swift_plugin_visionr1.geometry.boxes import as_boxes, giou, iou, xywh_to_xyxy

Case = dict[str, Any]
HUMANREF = np.arange(0.5, 1.0, 0.05)  # .6 is 0.6000000000000001 there
BANDS = {"short_1_3": (1, 3), "mid_4_6": (4, 6), "long_7_9": (7, 9), "very_long_10_": (10, 10**9)}
REF_L4_SIZES = {"Small": (0, 128), "Medium": (128, 256), "Large": (256, np.inf)}
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


def _grec(overlap: Overlap) -> Callable[[Case], Case]:
    def check(case: Case) -> Case:
        truths, boxes = (
            [as_boxes(sample[name]) for sample in case["samples"]]
            for name in ("gt_boxes", "pred_boxes")
        )
        names = ("precision_at_F1_1", "N_acc", "T_acc")
        f1 = [grec_f1(*pair, overlap) for pair in zip(truths, boxes, strict=True)]
        rates = dict(zip(names, grec_rates(truths, boxes, overlap), strict=True))
        return {"expected": rates | {"per_sample_f1": f1}}

    return check


def _humanref_boxes(case: Case) -> Case:
    return _humanref(case, _box_rates, ("_50", "_mean"))


def _humanref_points(case: Case) -> Case:
    return _humanref(case, _point_rates, ("",))


def _box_rates(item: Case, boxes: list[Any]) -> list[tuple[float, ...]]:
    """Recall, precision and density F1 at .5, and their means over .5:.95."""
    truths = item["answer_boxes"]
    overlap = overlap_of(iou, as_boxes(truths), as_boxes([] if boxes == [[]] else boxes))
    rates = [_rates(take_in_turn(overlap, t), truths, boxes, item, 0.0) for t in HUMANREF]
    return [rates[0], tuple(np.mean(rates, axis=0).tolist())]


def _point_rates(item: Case, points: list[Any]) -> list[tuple[float, ...]]:
    masks = item["answer_segmentations"]
    given = [] if points == [[]] else points
    return [_rates(point_hits(masks, given, rounds=True), masks, points, item, 1.0)]


def _rates(
    hits: int, truths: Sequence[Any], given: Sequence[Any], item: Case, without: float
) -> tuple[float, float, float]:
    """`without`: precision of an empty answer."""
    recall, precision = hits / len(truths), hits / len(given) if given else without
    if not hits or not item["candidate_boxes"]:
        return recall, precision, 0.0
    f1 = 2 * precision * recall / (precision + recall)
    return recall, precision, f1 * min(1.0, len(truths) / len(given))


def _humanref(case: Case, measure: Callable[..., Any], at: tuple[str, ...]) -> Case:
    answers = {one["id"]: one["extracted_predictions"] for one in case["predictions"]}
    rejected = [item for item in case["items"] if item["domain"] == "rejection"]
    rates: dict[str, list[Any]] = {}
    for item in case["items"]:
        if item["domain"] != "rejection":
            rates.setdefault(item["domain"], []).append(measure(item, answers[item["id"]]))
    every = [one for some in rates.values() for one in some]
    right = sum(answers[item["id"]] in ([], [[]]) for item in rejected)
    return {
        "expected": _averages(every, at)
        | {"rejection_correct": right, "rejection_total": len(rejected)}
        | {"per_domain": {domain: _averages(some, at) for domain, some in rates.items()}}
    }


def _averages(rates: Sequence[Any], at: tuple[str, ...]) -> Case:
    means = np.mean(rates, axis=0) if rates else np.zeros((len(at), 3))
    names = ("recall", "precision", "density_f1")
    return {
        f"{name}{suffix}": float(means[row, column])
        for row, suffix in enumerate(at)
        for column, name in enumerate(names)
    } | {"count": len(rates)}


def coco_ap(truth: Case, results: Sequence[Case]) -> COCOeval | None:
    """pycocotools' COCOeval with its defaults; None without results, which it cannot handle."""
    if not results:
        return None
    with redirect_stdout(StringIO()):
        annotated = COCO()
        annotated.dataset = truth | {"annotations": [dict(one) for one in truth["annotations"]]}
        annotated.createIndex()
        evaluator = COCOeval(annotated, annotated.loadRes([dict(one) for one in results]), "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return evaluator


def first_stats(truth: Case, results: Sequence[Case]) -> dict[str, float]:
    evaluator = coco_ap(truth, results)
    stats = [0.0] * 3 if evaluator is None else evaluator.stats[:3]
    return dict(zip(("AP", "AP50", "AP75"), map(float, stats), strict=True))


def _d3(case: Case) -> Case:
    tracks = {"FULL": (False, True), "PRES": (False,), "ABS": (True,)}
    found: Case = {}
    for name, kinds in tracks.items():
        sentences = [one for one in case["sentences"] if one["absence"] in kinds]
        ids = {one["id"] for one in sentences}
        truth = {
            "images": case["images"],
            "categories": [{"id": one["id"], "name": one["text"]} for one in sentences],
            "annotations": [one for one in case["annotations"] if one["category_id"] in ids],
        }
        evaluator = coco_ap(truth, [one for one in case["detections"] if one["category_id"] in ids])
        ap = 0.0 if evaluator is None else float(evaluator.stats[0])
        found[name] = ap if truth["annotations"] and ap >= 0 else None
        if name == "FULL" and evaluator is not None:
            found["by_length"] = _by_length(evaluator, sentences)
    return {"expected": found}


def _by_length(evaluator: COCOeval, sentences: Sequence[Case]) -> dict[str, float | None]:
    words = {one["id"]: len(one["text"].split(" ")) for one in sentences}
    curves = evaluator.eval["precision"][:, :, :, 0, -1]
    aps = {
        category: float(curve[curve > -1].mean())
        for category, curve in zip(evaluator.params.catIds, np.moveaxis(curves, 2, 0), strict=True)
        if (curve > -1).any()
    }
    bands = {
        name: [ap for category, ap in aps.items() if low <= words[category] <= high]
        for name, (low, high) in BANDS.items()
    }
    return {name: float(np.mean(some)) if some else None for name, some in bands.items()}


def _lvis_ap(case: Case) -> Case:
    truth = {key: case[key] for key in ("images", "categories", "annotations")}
    annotations = make_annotations(truth, Path("case"), "")
    run = lvis_by_hotcoco(annotations, to_detections(annotations, case["detections"]))
    values = {ITEMS[name]: value for name, value in run.metrics.items()}
    return {"expected": {name: -1.0 if value is None else value for name, value in values.items()}}


def _rf_vl(case: Case) -> Case:
    ones: list[Case] = []
    ranks: list[Case] = []
    for image, answer in zip(case["images"], case["answers_in_order"], strict=True):
        boxes = [one | {"image_id": image["id"]} for one in answer]
        ones += [one | {"score": 1.0} for one in boxes]
        scores = rank_scores(len(boxes)).tolist()
        ranks += [one | {"score": score} for one, score in zip(boxes, scores, strict=True)]
    return {
        "expected": {
            "all_scores_1": first_stats(case, ones),
            "rank_scores": first_stats(case, ranks),
        }
    }


def _refl4(case: Case) -> Case:
    rows, answers = case["rows"], {one["id"]: one for one in case["predictions"]}
    truths = xywh_to_xyxy(as_boxes([row["bbox"] for row in rows])).astype(np.float32)
    boxes = as_boxes([_corners(answers[row["id"]]) for row in rows]).astype(np.float32)
    inter, union = _areas(truths, boxes)
    found = inter / np.maximum(union, np.float32(1e-6))
    size = np.sqrt([row["bbox"][2] * row["bbox"][3] for row in rows])
    result: Case = {f"Ann-level acc iou {t}": _acc(found, t) for t in (0.5, 0.75, 0.9)}
    result["Ann-level macc iou 0.5:0.95"] = _macc(found)
    result["Ann-level accs for copy"] = [round(value, 2) for value in result.values()]
    for name, (low, high) in REF_L4_SIZES.items():
        above = size > low if name == "Large" else size >= low
        below = size < high if name == "Small" else size <= high
        result[f"{name} acc iou 0.5"] = _acc(found[above & below], 0.5)
        result[f"{name} macc iou 0.5:0.95"] = _macc(found[above & below])
    sizes = [value for key, value in result.items() if key.split()[0] in REF_L4_SIZES]
    result["Size level accs for copy"] = [round(value, 2) for value in sizes]
    classes = np.array([MERGED.get(row["ori_category_id"], row["ori_category_id"]) for row in rows])
    by_class = [found[classes == name] for name in np.unique(classes)]
    means = {
        "Average class-level acc iou 0.5": float(np.mean([_acc(one, 0.5) for one in by_class])),
        "Average class-level macc iou 0.5:0.95": float(np.mean([_macc(one) for one in by_class])),
    }
    copy = {"Avg class-level accs for copy": [round(value, 2) for value in means.values()]}
    return {"expected": result | means | copy}


def _corners(answer: Mapping[str, Any]) -> Sequence[float]:
    x, y, *rest = answer["pred_bbox"]
    return [x, y, *rest] if answer["format"] == "xyxy" else [x, y, x + rest[0], y + rest[1]]


def _areas(a: Any, b: Any) -> tuple[Any, Any]:
    """Intersection and union of n pairs of corners."""
    width, height = (np.minimum(a, b)[:, 2:] - np.maximum(a, b)[:, :2]).clip(0).T
    inter = width * height
    sides = [(one[:, 2] - one[:, 0]) * (one[:, 3] - one[:, 1]) for one in (a, b)]
    return inter, sides[0] + sides[1] - inter


def _acc(found: Any, threshold: float) -> float:
    return 100 * float((found > np.float32(threshold)).mean())


def _macc(found: Any) -> float:
    return float(np.mean([_acc(found, percent / 100) for percent in range(50, 100, 5)]))


BOX_CHECKS: dict[str, Callable[[Case], Case]] = {
    "grec": _grec(giou),
    "d3": _d3,
    "humanref_boxes": _humanref_boxes,
    "humanref_points": _humanref_points,
    "lvis_ap": _lvis_ap,
    "rf_vl": _rf_vl,
    "refl4": _refl4,
}
BOX_MEANT = {
    "grec": {
        "the generalised IoU where the benchmark names IoU": (
            lambda case: _grec(iou)(case)["expected"]
        )
    }
}
