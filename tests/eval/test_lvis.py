"""LVIS's own AP: by MMDetection's LVISMetric, by hotcoco and by our own matching."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval.coco.annotations import Annotations, make_annotations
from mmdet_eval.coco.detections import Detections, to_detections
from mmdet_eval.metrics.lvis import FIRST, ITEMS
from mmdet_eval.metrics.measure import measure
from swift_plugin_visionr1.errors import InputError

SIZE = 200


def random_set(seed: int, boxes: int = 40) -> tuple[Annotations, Detections]:
    """Few images and many categories, of which few are annotated in each."""
    random = np.random.default_rng(seed)

    def box() -> list[int]:
        x, y = random.integers(0, SIZE // 2, 2).tolist()
        return [x, y, *random.integers(1, SIZE // 2, 2).tolist()]

    images, annotations, results = [], [], []
    for image in (5, 3, 9, 4):
        lists = [random.choice(12, 3, replace=False).tolist() for _ in range(2)]
        entry = {"id": image, "file_name": f"{image}.jpg", "width": SIZE, "height": SIZE}
        keys = ("neg_category_ids", "not_exhaustive_category_ids")
        images.append(entry | dict(zip(keys, lists, strict=True)))
        for category in random.choice(12, 5).tolist():
            bbox = box()
            record = {"image_id": image, "category_id": category, "bbox": bbox}
            area = bbox[2] * bbox[3] * int(random.integers(0, 5) > 0)
            annotations.append(record | {"id": len(annotations) + 1, "area": area})
            results.append(record | {"score": round(float(random.random()), 1)})
        for category in random.choice(12, boxes).tolist():
            score = round(float(random.random()), 1)
            results.append(
                {"image_id": image, "category_id": category, "bbox": box(), "score": score}
            )
    often = random.choice(["r", "c", "f"], 12).tolist()
    categories = [{"id": n, "name": f"c{n}", "frequency": f} for n, f in enumerate(often)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    truth = make_annotations(content, Path("lvis.json"), "")
    return truth, to_detections(truth, results)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("boxes", [40, 400], ids=["few", "more-than-300-an-image"])
def test_our_matches_give_hotcocos_precision(seed: int, boxes: int) -> None:
    """`measure` raises if they do not."""
    scores = measure(*random_set(seed, boxes), "hotcoco", orders=0)
    assert scores.first == FIRST
    assert set(ITEMS) == set(scores.metrics)
    assert (scores.left_out.boxes > 0) == (boxes > 300)
    assert scores.max_dets == 300


@pytest.mark.parametrize("seed", range(3))
def test_the_reported_number_is_lvis_metrics(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = measure(*random_set(seed, 400), "mmdet", orders=0)
    assert "LVISMetric" in scores.engine
    assert scores.checked_by.startswith("hotcoco")
    monkeypatch.setitem(sys.modules, "lvis", None)  # as if it were not installed
    without = measure(*random_set(seed, 400), "mmdet", orders=0)
    assert without.engine.startswith("hotcoco")
    assert without.metrics == pytest.approx(scores.metrics, abs=1e-6)


def test_unverified_categories_do_not_count_and_verified_ones_do() -> None:
    truth, _ = random_set(0)
    perfect = to_detections(
        truth,
        [
            {key: record[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0}
            for record in truth.data["annotations"]
        ],
    )
    assert measure(truth, perfect, "hotcoco", orders=0).metrics["mAP"] == pytest.approx(1.0)
    image = truth.data["images"][0]
    shown = set(truth.present()[image["id"]])
    known = shown | set(image["neg_category_ids"])
    unknown = next(c for c in truth.category_ids if c not in known)
    results = perfect.to_results()
    wrong = {"image_id": image["id"], "bbox": [0, 0, 9, 9], "score": 2.0}
    same = to_detections(truth, [*results, wrong | {"category_id": unknown}])
    assert measure(truth, same, "hotcoco", orders=0).metrics["mAP"] == pytest.approx(1.0)


def test_without_boxes_everything_that_can_be_measured_is_0() -> None:
    truth, _ = random_set(1)
    metrics = measure(truth, to_detections(truth, []), "hotcoco").metrics
    assert {metrics[name] for name in ("mAP", "AR@300")} == {0.0}
    assert set(metrics) == set(ITEMS)


def test_another_limit_than_lvis_is_refused() -> None:
    with pytest.raises(InputError, match="300"):
        measure(*random_set(0), "hotcoco", max_dets=500)


def test_ids_of_text_and_no_frequencies() -> None:
    truth, _ = random_set(2)
    content: dict[str, Any] = json.loads(json.dumps(truth.data))
    for record in (*content["images"], *content["categories"]):
        record["id"] = f"x{record['id']}"
        record.pop("frequency", None)
        for key in ("neg_category_ids", "not_exhaustive_category_ids"):
            if key in record:
                record[key] = [f"x{each}" for each in record[key]]
    for record in content["annotations"]:
        record |= {key: f"x{record[key]}" for key in ("image_id", "category_id")}
    other = make_annotations(content, Path("lvis.json"), "")
    results = [record | {"score": 0.5} for record in other.data["annotations"]]
    metrics = measure(other, to_detections(other, results), "hotcoco", orders=0).metrics
    assert (metrics["mAP"], metrics["APr"]) == (pytest.approx(1.0), None)
