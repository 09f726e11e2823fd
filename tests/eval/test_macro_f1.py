"""Macro F1 by class and by sample as others report them, the duplicate rate, and the benchmark that
compares with published numbers."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval.coco.annotations import Annotations, read_annotations
from mmdet_eval.coco.detections import Detections, to_detections
from mmdet_eval.metrics.by_class import ClassRates, beside_by_class, macro_by_class
from mmdet_eval.metrics.by_sample import beside_by_sample, duplicate_rate, rates_by_sample
from mmdet_eval.metrics.matching import IOU_THRESHOLDS
from swift_plugin_visionr1.geometry.boxes import iou

from .random_sets import random_set
from .references import measured

ROOT = Path(__file__).parents[2]
Placed = Sequence[tuple[int, int, int]]  # image, category, place: places do not overlap


@pytest.fixture
def made(write: Any) -> Any:
    """Annotations of images 1 and 2 and categories 1 and 2, and boxes that fit them exactly."""

    def make(truths: Placed, boxes: Placed, **lists: Any) -> tuple[Annotations, Detections]:
        records = [
            {"image_id": i, "category_id": k, "bbox": [20 * n, 0, 10, 10]} for i, k, n in truths
        ]
        content = {
            "images": [{"id": n, "width": 900, "height": 100, **lists} for n in (1, 2)],
            "categories": [{"id": n, "name": str(n)} for n in (1, 2)],
            "annotations": [
                record | {"id": n, "area": 100, "iscrowd": 0} for n, record in enumerate(records, 1)
            ],
        }
        annotations = read_annotations(write("ann.json", content))
        results = [
            {"image_id": i, "category_id": k, "bbox": [20 * n, 0, 10, 10], "score": 1.0}
            for i, k, n in boxes
        ]
        return annotations, to_detections(annotations, results)

    return make


BOTH = ((1, 1, 0), (1, 2, 1))


@pytest.mark.parametrize(
    ("boxes", "f1", "published"),
    [
        pytest.param(BOTH, 1.0, 1.0, id="all right"),
        pytest.param(((1, 1, 0),), 1.0, 1.0, id="a class without a right box is left out"),
        pytest.param(((1, 1, 0), (1, 2, 5)), 1.0, 1.0, id="even with a wrong box"),
        pytest.param((*BOTH, (1, 1, 9)), 1.0, 1.0, id="wrong boxes after the last right one"),
        pytest.param(((1, 1, 9), *BOTH), 6 / 7, 6 / 7, id="and before it"),
        pytest.param(((1, 1, 9), (1, 1, 0)), 2 / 3, 2 / 3, id="half of the boxes of one class"),
        pytest.param((), 0.0, 0.0, id="nothing"),
    ],
)
def test_by_class(made: Any, boxes: Placed, f1: float, published: float) -> None:
    rows = beside_by_class(*made(BOTH, boxes))
    assert rows["macro F1@.5 by class"] == pytest.approx(f1)
    assert rows["macro F1@.5 by class as published"] == pytest.approx(published)
    assert rows["macro F1 by class"] == rows["macro F1@.95 by class"] == pytest.approx(f1)


def test_the_published_code_carries_a_precision_to_the_next_class() -> None:
    precision = np.array([[0.5, 0.0, 1.0]])
    rates = ClassRates(precision, np.array([[1.0, 0.0, 1.0]]))
    assert macro_by_class(rates)["0.5"][0] == 0.75
    assert macro_by_class(rates, carry=True)["0.5"][0] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("box", "f1"),
    [
        pytest.param((1, 2, 5), 1.0, id="a class that an annotated image lacks costs nothing"),
        pytest.param((2, 1, 5), 2 / 3, id="in an image without annotations it does"),
    ],
)
def test_only_what_an_image_shows_counts(made: Any, box: tuple[int, int, int], f1: float) -> None:
    annotations, boxes = made([(1, 1, 0)], [box, (1, 1, 0)])
    # The image that comes first ranks first.
    annotations.data["images"].reverse()
    turned = Annotations(
        annotations.path,
        annotations.sha256,
        annotations.images[::-1],
        annotations.categories,
        annotations.data,
        (),
    )
    rows = beside_by_class(turned, to_detections(turned, boxes.to_results()))
    assert rows["macro F1@.5 by class"] == pytest.approx(f1)


def test_lvis_ignores_wrong_boxes_of_classes_that_are_annotated_partly(made: Any) -> None:
    wrong_first = [(1, 1, 5), (1, 1, 0)]
    lists: dict[str, Any] = {"neg_category_ids": [], "not_exhaustive_category_ids": [1]}
    assert beside_by_class(*made([(1, 1, 0)], wrong_first, **lists))["macro F1@.5 by class"] == 1
    for nothing in ([], None):
        lists["not_exhaustive_category_ids"] = nothing
        rows = beside_by_class(*made([(1, 1, 0)], wrong_first, **lists))
        assert rows["macro F1@.5 by class"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("boxes", "f1"),
    [
        pytest.param(BOTH, 1.0, id="all right, and nothing where nothing is"),
        pytest.param(((1, 2, 0), (1, 1, 1)), 1.0, id="classes swapped"),
        pytest.param((*BOTH, (2, 1, 0)), 0.5, id="a box where nothing is"),
        pytest.param((), 0.5, id="no boxes at all"),
    ],
)
def test_by_sample(made: Any, boxes: Placed, f1: float) -> None:
    rows = beside_by_sample(rates_by_sample(*made(BOTH, boxes)))
    assert list(rows.values()) == pytest.approx([f1] * 3)


@pytest.mark.parametrize("seed", range(6))
def test_by_sample_is_what_a_loop_finds(tmp_path: Path, seed: int) -> None:
    annotations, results = random_set(tmp_path, seed, scores=[1.0])
    detections = to_detections(annotations, results)
    expected = _by_sample_in_a_loop(annotations, detections)
    assert list(
        beside_by_sample(rates_by_sample(annotations, detections)).values()
    ) == pytest.approx(expected)


def _by_sample_in_a_loop(annotations: Annotations, detections: Detections) -> list[float]:
    truths = annotations.truths
    rates = np.zeros((len(annotations.images), 2, len(IOU_THRESHOLDS)))
    for image, (theirs, ours) in enumerate(zip(truths.by_image, detections.by_image, strict=True)):
        theirs = theirs[np.argsort(truths.category[theirs], kind="stable")]
        shown = ours[np.isin(detections.category[ours], truths.category[theirs])]
        shown = shown[np.argsort(detections.category[shown], kind="stable")]
        overlap = iou(truths.boxes_xyxy[theirs], detections.boxes_xyxy[shown])
        for level, threshold in enumerate(IOU_THRESHOLDS):
            free, hits = overlap.copy(), 0
            for row in free if len(shown) else ():
                if row.max() >= threshold:
                    hits += 1
                    free[:, row.argmax()] = -1
            nothing = not len(theirs) and not len(ours)
            rates[image, :, level] = [
                1.0 if nothing else hits / max(len(side), 1) for side in (ours, theirs)
            ]
    p, r = rates.mean(axis=0)
    f1 = 2 * p * r / np.maximum(p + r, 1e-300)
    return [float(f1[0]), float(f1[-1]), float(f1.mean())]


def test_a_loop_of_equal_boxes(made: Any) -> None:
    annotations, boxes = made([(1, 1, 0)], [(1, 1, 0)] * 400)
    found = measured(annotations, boxes.to_results(), "hotcoco", orders=0).beside
    assert found["duplicate rate"] == 399 / 400
    assert found["precision@.5"] == 1 / 400
    assert found["macro F1@.5 by class"] == 1.0, "wrong boxes after the last right one are free"
    assert duplicate_rate(made([(1, 1, 0)], [*BOTH, (2, 1, 0), (1, 2, 0)])[1]) == 0


def test_published_numbers(shared_data: Path) -> None:
    found = _benchmark(shared_data / "golden" / "metrics.json")
    totals = [line for line in found.stdout.splitlines() if not line.startswith(" ")]
    assert found.returncode == 0, found.stdout
    assert len(totals) == 19
    assert all(line.split()[1:] == ["20", "/", "20"] for line in totals)


@pytest.mark.parametrize(
    ("f1", "code"), [pytest.param(0.8, 0, id="right"), pytest.param(0.9, 1, id="wrong")]
)
def test_the_benchmark_exits_with_1_on_a_difference(tmp_path: Path, f1: float, code: int) -> None:
    a, b = [0, 0, 10, 10], [50, 50, 60, 60]
    samples = [
        {"gt_boxes": [a, b], "pred_boxes": [a, b, [80, 80, 90, 90]]},
        {"gt_boxes": [], "pred_boxes": []},
    ]
    numbers = {"precision_at_F1_1": 0.5, "N_acc": 1.0, "T_acc": 1.0, "per_sample_f1": [f1, 1.0]}
    case = {"id": "one", "input": {"samples": samples}, "expected": numbers}
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps({"metrics": {"grec": {"cases": [case]}}}))
    found = _benchmark(file)
    assert (found.returncode, found.stdout.split()[:2]) == (code, ["grec", str(1 - code)])


def _benchmark(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "published_metrics.py"), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
