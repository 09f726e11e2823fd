"""hotcoco and pycocotools give MMDetection's numbers, to the last bit that matters, and a
difference is an error."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import Annotations, InputError, read_annotations
from mmdet_eval.coco.detections import to_detections
from mmdet_eval.metrics import engines, measure
from mmdet_eval.metrics.measure import Disagreement

from .random_sets import coarse_set, random_set
from .references import measured

REAL = {
    "cocoapi_val2014_100": (
        "instances_val2014_100.json",
        "instances_val2014_fakebbox100_results.json",
    ),
    "coco_val80": ("instances_val80.json", "yolox_nano_results.json"),
    "coco_open": ("instances.json", "yolox_nano_results.json"),
}


def real_set(shared_data: Path, name: str) -> tuple[Annotations, list[dict[str, Any]]]:
    annotations, results = REAL[name]
    return read_annotations(shared_data / name / annotations), json.loads(
        (shared_data / name / results).read_text()
    )


def assert_same(annotations: Annotations, results: list[dict[str, Any]]) -> None:
    found = to_detections(annotations, results)
    fast, reference = (
        engines.by_hotcoco(annotations, found),
        engines.by_pycocotools(annotations, found),
    )
    assert fast.metrics == pytest.approx(reference.metrics, abs=1e-12)
    np.testing.assert_allclose(fast.precision, reference.precision, atol=1e-12)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("constant", [False, True], ids=["scores", "no-scores"])
def test_hotcoco_is_pycocotools_on_real_data(shared_data: Path, name: str, constant: bool) -> None:
    annotations, results = real_set(shared_data, name)
    assert_same(annotations, [{**r, "score": 1.0} for r in results] if constant else results)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "scores", [None, (1.0,), (0.2, 0.5, 0.9)], ids=["distinct", "constant", "three-scores"]
)
def test_hotcoco_is_pycocotools_on_random_data(tmp_path: Path, seed: int, scores: Any) -> None:
    assert_same(*random_set(tmp_path, seed, scores, strings=seed % 2 == 1))


@pytest.mark.parametrize(
    "box",
    [
        [5, 5, 0, 0],
        [5, 5, -3, 4],
        [-50, -50, 500, 500],
        [1e7, 1e7, 1e6, 1e6],
        [0.1, 0.2, 1e-9, 1e-9],
    ],
    ids=["point", "negative-width", "larger-than-the-image", "beyond-the-largest-area", "tiny"],
)
def test_hotcoco_is_pycocotools_on_odd_boxes(tmp_path: Path, box: list[float]) -> None:
    annotations, results = random_set(tmp_path, 3)
    odd = [{**result, "bbox": box, "score": 0.95} for result in results[::3]]
    assert_same(annotations, odd + results)


@pytest.mark.parametrize("seed", range(40))
def test_hotcoco_is_pycocotools_where_much_is_equal(dataset: Any, write: Any, seed: int) -> None:
    assert_same(*coarse_set(dataset, write, seed))


def test_mmdet_is_pycocotools_unrounded(shared_data: Path) -> None:
    annotations, results = real_set(shared_data, "coco_val80")
    scores = measured(annotations, results)
    reference = engines.by_pycocotools(annotations, to_detections(annotations, results))
    assert scores.metrics == pytest.approx(reference.metrics, abs=1e-12)
    np.testing.assert_array_equal(scores.precision, reference.precision)
    assert (scores.engine.split()[0], scores.checked_by.split()[0]) == ("mmdet", "hotcoco")


def test_corners_do_not_move_boxes_over_a_threshold(dataset: Any, write: Any) -> None:
    """0.3 + 32 - 0.3 is less than 32: a way through corners would take a wrong box of medium size
    for a small one."""
    truth = {
        "id": 1,
        "image_id": 3,
        "category_id": 7,
        "bbox": [400, 300, 40, 40],
        "area": 1600,
        "iscrowd": 0,
    }
    dataset["annotations"] = [truth]
    wrong, right = (
        {"image_id": 3, "category_id": 7, "bbox": box} for box in ([0.3, 9, 32, 32], truth["bbox"])
    )
    assert 0.3 + 32 - 0.3 < 32
    results = [{**wrong, "score": 0.9}, {**right, "score": 0.5}]
    assert measured(read_annotations(write("ann.json", dataset)), results).metrics["APm"] == 0.5


def test_engine_hotcoco_leaves_mmdet_alone(shared_data: Path) -> None:
    code = (
        "import sys, json; from mmdet_eval import read_annotations; from "
        "mmdet_eval.metrics.measure import measure;"
        "from mmdet_eval.coco.detections import to_detections;"
        "annotations, results = read_annotations(sys.argv[1]), json.load(open(sys.argv[2]));"
        "scores = measure(annotations, to_detections(annotations, results), engine='hotcoco');"
        "assert not {'mmdet', 'mmcv', 'torch', 'pycocotools', 'matplotlib'} & set(sys.modules);"
        "print(scores.checked_by, '%.6f' % scores.metrics['mAP'])"
    )
    files = [str(shared_data / "coco_val80" / name) for name in REAL["coco_val80"]]
    done = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, check=True
    )
    assert done.stdout == "not checked 0.307133\n"


def test_check_lets_pycocotools_recompute_hotcoco(tmp_path: Path) -> None:
    annotations, results = random_set(tmp_path, 1)
    scores = measured(annotations, results, engine="hotcoco", check=True)
    assert scores.checked_by.startswith("pycocotools")


@pytest.mark.parametrize("value", [None, 0.4], ids=["none", "number"])
def test_other_numbers_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float | None
) -> None:
    real = engines.by_pycocotools

    def wrong(*args: Any) -> engines.EngineRun:
        run = real(*args)
        return replace(run, metrics=run.metrics | {"AP75": value})

    monkeypatch.setattr(measure, "by_pycocotools", wrong)
    with pytest.raises(
        Disagreement, match=r"hotcoco .* pycocotools .* the same AP75, got 0\.\d+ and (None|0\.4)"
    ):
        measured(*random_set(tmp_path, 2), engine="hotcoco", check=True)


def test_matches_of_other_boxes_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = engines.by_hotcoco

    def wrong(*args: Any) -> engines.EngineRun:
        run = real(*args)
        return replace(run, precision=run.precision * 0.9)

    monkeypatch.setattr(measure, "by_hotcoco", wrong)
    with pytest.raises(Disagreement, match="precision of hotcoco"):
        measured(*random_set(tmp_path, 2), engine="hotcoco")


@pytest.mark.parametrize("engine", ["mmdet", "hotcoco"])
def test_no_boxes_are_zeros_and_still_scores(dataset: Any, write: Any, engine: Any) -> None:
    scores = measured(read_annotations(write("ann.json", dataset)), [], engine=engine)
    without = {name for name, value in scores.metrics.items() if value is None}
    assert without == {"APs", "APm", "ARs@100", "ARm@100"}, "only large objects are annotated"
    assert {scores.metrics[name] for name in scores.metrics.keys() - without} == {0.0}
    assert set(scores.beside.values()) == {0.0}
    assert scores.matches.truths.sum() == 4
    assert scores.matches.matched.shape == (10, 0)
    assert scores.precision.max() == 0.0
    assert scores.checked_by == "not checked"


@pytest.mark.parametrize(
    "areas",
    [
        (),
        (1,),
        (1023.9, 1024),
        (1024.1, 9216),
        (9216.1,),
        (1e10,),
        (2e10,),
        (400, "crowd"),
        ("crowd",),
    ],
    ids=str,
)
def test_no_boxes_are_what_a_wrong_box_would_be(
    dataset: Any, write: Any, areas: tuple[Any, ...]
) -> None:
    """The evaluators cannot be asked about no boxes at all; a box that overlaps nothing finds as
    much."""
    truth = {"image_id": 3, "category_id": 7, "bbox": [0, 0, 10, 10]}
    kinds = [
        {"area": 100, "iscrowd": 1} if area == "crowd" else {"area": area, "iscrowd": 0}
        for area in areas
    ]
    dataset["annotations"] = [truth | kind | {"id": number} for number, kind in enumerate(kinds, 1)]
    annotations = read_annotations(write("ann.json", dataset))
    wrong = [{"image_id": 12, "category_id": 2, "bbox": [50, 50, 10, 10], "score": 1.0}]
    expected = engines.by_pycocotools(annotations, to_detections(annotations, wrong)).metrics
    assert engines.without_boxes(annotations) == expected


@pytest.mark.parametrize("engine", ["mmdet", "hotcoco"])
def test_images_without_truths_only(dataset: Any, write: Any, engine: Any) -> None:
    dataset["annotations"] = []
    results = [{"image_id": 3, "category_id": 7, "bbox": [1, 1, 5, 5], "score": 1.0}]
    scores = measured(read_annotations(write("ann.json", dataset)), results, engine=engine)
    assert set(scores.metrics.values()) == {None}
    assert scores.beside["precision@.5"] == 0.0
    assert scores.beside["recall"] is None
    assert scores.spread.low is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bbox": [0, "1", 1, 1]}, "four finite numbers"),
        ({"bbox": [0, None, 1, 1]}, "four finite numbers"),
        ({"bbox": [0, 10**400, 1, 1]}, "four finite numbers"),
        ({"bbox": [0, 1, 1, math.inf]}, "four finite numbers"),
        ({"score": "0.5"}, "finite score"),
    ],
    ids=["text", "none", "too-large", "infinite", "text-score"],
)
def test_bad_numbers_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    annotations, results = random_set(tmp_path, 0)
    results[4] |= change
    with pytest.raises(InputError, match=f"result 4 .*{message}"):
        measured(annotations, results, engine="hotcoco")


def test_numpy_numbers_are_numbers(tmp_path: Path) -> None:
    annotations, results = random_set(tmp_path, 0)
    other = [
        {**r, "score": np.float64(r["score"]), "bbox": [np.float64(x) for x in r["bbox"]]}
        for r in results
    ]
    assert (
        to_detections(annotations, other).boxes_xywh.tolist()
        == to_detections(annotations, results).boxes_xywh.tolist()
    )
