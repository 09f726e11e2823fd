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
from mmdet_eval.metrics.d3 import d3_by_length, d3_tracks
from mmdet_eval.metrics.grec import Overlap, grec_f1, grec_rates, overlap_of
from mmdet_eval.metrics.humanref import humanref_rates
from mmdet_eval.metrics.lvis import ITEMS, lvis_by_hotcoco
from mmdet_eval.metrics.ref_l4 import (
    SIZES,
    accuracy_at,
    mean_accuracy,
    of_size,
    ref_l4_by_class,
    ref_l4_ious,
)
from swift_plugin_visionr1.geometry.boxes import as_boxes, giou, iou, xywh_to_xyxy

Case = dict[str, Any]
HUMANREF = np.arange(0.5, 1.0, 0.05)  # .6 is 0.6000000000000001 there
BANDS = {"1-3": "short_1_3", "4-6": "mid_4_6", "7-9": "long_7_9", "10+": "very_long_10_"}


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
    return _humanref(case, _box_hits, ("_50", "_mean"), without=0.0)


def _humanref_points(case: Case) -> Case:
    return _humanref(case, _point_hits, ("",), without=1.0)


def _box_hits(item: Case, boxes: list[Any]) -> list[int]:
    """At .5:.95."""
    given = as_boxes([] if boxes == [[]] else boxes)
    overlap = overlap_of(iou, as_boxes(item["answer_boxes"]), given)
    return [take_in_turn(overlap, threshold) for threshold in HUMANREF]


def _point_hits(item: Case, points: list[Any]) -> list[int]:
    given = [] if points == [[]] else points
    return [point_hits(item["answer_segmentations"], given, rounds=True)]


def _humanref(
    case: Case, hits_of: Callable[..., list[int]], at: tuple[str, ...], without: float
) -> Case:
    answers = {one["id"]: one["extracted_predictions"] for one in case["predictions"]}
    rejected = [item for item in case["items"] if item["domain"] == "rejection"]
    asked = [item for item in case["items"] if item["domain"] != "rejection"]
    truths = "answer_segmentations" if without else "answer_boxes"
    rates = humanref_rates(
        np.array([hits_of(item, answers[item["id"]]) for item in asked]).T,
        np.array([len(item[truths]) for item in asked]),
        np.array([len(answers[item["id"]]) for item in asked]),
        np.array([len(item["candidate_boxes"]) for item in asked]),
        without,
    )
    domains = np.array([item["domain"] for item in asked])
    right = sum(answers[item["id"]] in ([], [[]]) for item in rejected)
    per_domain = {
        domain: _averages([rate[:, domains == domain] for rate in rates], at)
        for domain in dict.fromkeys(domains.tolist())
    }
    return {
        "expected": _averages(rates, at)
        | {"rejection_correct": right, "rejection_total": len(rejected)}
        | {"per_domain": per_domain}
    }


def _averages(rates: Sequence[Any], at: tuple[str, ...]) -> Case:
    names = ("recall", "precision", "density_f1")
    return {
        f"{name}{suffix}": float((rate if suffix == "_mean" else rate[:1]).mean())
        for name, rate in zip(names, rates, strict=True)
        for suffix in at
    } | {"count": rates[0].shape[1]}


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
    sentences = sorted(case["sentences"], key=lambda one: int(one["id"]))
    categories = [{"id": one["id"], "name": one["text"]} for one in sentences]
    truth = {key: case[key] for key in ("images", "annotations")} | {"categories": categories}
    evaluator = coco_ap(truth, case["detections"])
    absence = [one["absence"] for one in sentences]
    if evaluator is None:
        annotated = {one["category_id"] for one in case["annotations"]}
        columns = [[[0.0 if one["id"] in annotated else -1.0]] for one in sentences]
        return {"expected": d3_tracks(np.array(columns).T, absence)}
    precision = evaluator.eval["precision"][:, :, :, 0, -1]
    lengths = d3_by_length(precision, [one["text"] for one in sentences])
    by_length = {BANDS[band]: ap for band, ap in lengths.items()}
    return {"expected": d3_tracks(precision, absence) | {"by_length": by_length}}


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
    truths = xywh_to_xyxy(as_boxes([row["bbox"] for row in rows]))
    ious = ref_l4_ious(truths, as_boxes([_corners(answers[row["id"]]) for row in rows]))
    size = np.sqrt([row["bbox"][2] * row["bbox"][3] for row in rows])
    result: Case = {f"Ann-level acc iou {p / 100}": accuracy_at(ious, p) for p in (50, 75, 90)}
    result["Ann-level macc iou 0.5:0.95"] = mean_accuracy(ious)
    for name in SIZES:
        some, title = ious[of_size(name, size)], name.title()
        result[f"{title} acc iou 0.5"] = accuracy_at(some, 50)
        result[f"{title} macc iou 0.5:0.95"] = mean_accuracy(some)
    means = ref_l4_by_class(ious, np.array([row["ori_category_id"] for row in rows]))
    for name, value in zip(("acc iou 0.5", "macc iou 0.5:0.95"), means, strict=True):
        result[f"Average class-level {name}"] = value
    titles, values = tuple(map(str.title, SIZES)), list(result.items())
    copies = {"Ann-level": "Ann", "Size level": titles, "Avg class-level": "Average"}
    for title, starts in copies.items():
        some = [round(value, 2) for name, value in values if name.startswith(starts)]
        result[f"{title} accs for copy"] = some
    return {"expected": result}


def _corners(answer: Mapping[str, Any]) -> Sequence[float]:
    x, y, *rest = answer["pred_bbox"]
    return [x, y, *rest] if answer["format"] == "xyxy" else [x, y, x + rest[0], y + rest[1]]


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
