"""CocoMetric: published numbers, not rounded, agreement with pycocotools, and the traps of COCO's
evaluator."""

import json
import math
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mmdet_eval import InputError, evaluate, evaluate_coco_results, read_annotations
from mmdet_eval.metrics.mmdet_backend import ITEMS, stub_mmcv_ops

COCO_DEMO = (
    "cocoapi_val2014_100/instances_val2014_100.json",
    "cocoapi_val2014_100/instances_val2014_fakebbox100_results.json",
)
VAL80 = ("coco_val80/instances_val80.json", "coco_val80/yolox_nano_results.json")
OPEN = ("coco_open/instances.json", "coco_open/yolox_nano_results.json")


def perfect_results(dataset: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {key: a[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0}
        for a in dataset["annotations"]
    ]


def by_pycocotools(annotations: Path, results: list[dict[str, Any]]) -> list[float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(StringIO()):
        truth = COCO(str(annotations))
        evaluator = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return [float(value) for value in evaluator.stats]


@pytest.mark.parametrize(
    ("files", "published"),
    [
        pytest.param(
            COCO_DEMO,
            [
                0.504581,
                0.696973,
                0.572982,
                0.585626,
                0.519400,
                0.501398,
                0.386813,
                0.593680,
                0.595353,
                0.639811,
                0.566421,
                0.564291,
            ],
            id="cocoapi_val2014_100",
        ),
        pytest.param(
            VAL80,
            {"mAP": 0.307133, "AP50": 0.474936, "AP75": 0.324943, "AR@100": 0.431138},
            id="coco_val80",
        ),
        pytest.param(
            OPEN, {"mAP": 0.335, "AP50": 0.517, "AP75": 0.323, "AR@100": 0.425}, id="coco_open"
        ),
    ],
)
def test_published_numbers_and_pycocotools(
    shared_data: Path, files: tuple[str, str], published: Any
) -> None:
    annotations, results = shared_data / files[0], json.loads((shared_data / files[1]).read_text())
    expected = (
        dict(zip(ITEMS, published, strict=True)) if isinstance(published, list) else published
    )

    found = evaluate_coco_results(annotations, results)

    decimals = 5.1e-4 if files == OPEN else 1e-6
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=decimals)
    for name, value in zip(ITEMS, by_pycocotools(annotations, results), strict=True):
        assert found[name] == pytest.approx(value, abs=1e-9), name


def test_equal_scores_rank_as_in_pycocotools(shared_data: Path) -> None:
    """The order of ties decides AP: ours must be the order of the list, as COCO's is."""
    annotations = shared_data / VAL80[0]
    results = [{**r, "score": 1.0} for r in json.loads((shared_data / VAL80[1]).read_text())]
    for order in (results, results[::-1]):
        found = evaluate_coco_results(annotations, order)
        assert found["mAP"] == pytest.approx(
            by_pycocotools(annotations, [dict(r) for r in order])[0], abs=1e-9
        )


def test_perfect_results_despite_annotation_id_0_and_unsorted_categories(
    dataset: Any, write: Any
) -> None:
    found = evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))
    assert found["mAP"] == found["AP50"] == found["AR@100"] == 1.0
    assert found["APs"] is None, "there are no small objects"


@pytest.mark.parametrize(
    "ids", [[0, 1, 2, 3], [5, 5, 5, 5], ["a", "b", "c", "d"], [None] * 4], ids=str
)
def test_annotation_ids_do_not_matter(dataset: Any, write: Any, ids: list[Any]) -> None:
    for annotation, number in zip(dataset["annotations"], ids, strict=True):
        annotation["id"] = number
    assert evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))["mAP"] == 1.0


@pytest.mark.parametrize(
    "names", [["1", "0", "2"], [1, 0, 2], ["o", "o ", " "]], ids=["digits", "numbers", "blanks"]
)
def test_odd_category_names(dataset: Any, write: Any, names: list[Any]) -> None:
    for category, name in zip(dataset["categories"], names, strict=True):
        category["name"] = name
    assert evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))["mAP"] == 1.0


def test_classes_in_another_order_than_the_files_are_refused(dataset: Any, write: Any) -> None:
    """CocoMetric itself gives perfect boxes mAP 0 then, without a word."""
    annotations = read_annotations(write("ann.json", dataset))
    other = replace(annotations, categories=dict(sorted(annotations.categories.items())))
    with pytest.raises(InputError, match="in the order of .* labels would name other classes"):
        evaluate(other, perfect_results(dataset))


def test_other_numbers_than_its_evaluators_are_an_error(
    dataset: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mmdet.evaluation.metrics import CocoMetric

    real = CocoMetric.compute_metrics

    def wrong(self: Any, results: Any) -> dict[str, float]:
        return {name: value - 0.001 for name, value in real(self, results).items()}

    monkeypatch.setattr(CocoMetric, "compute_metrics", wrong)
    with pytest.raises(
        RuntimeError, match=r"CocoMetric to report .* mAP 1.000000 rounded, got 0.999"
    ):
        evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))


def test_one_process_of_a_distributed_run_does_not_wait_for_the_others(
    dataset: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mmengine.evaluator.metric as module

    for name in ("collect_results", "broadcast_object_list"):
        monkeypatch.setattr(
            module, name, lambda *args, name=name, **kwargs: pytest.fail(f"{name} waits for others")
        )
    assert evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))["mAP"] == 1.0


def test_mmdet_is_left_as_it_was(dataset: Any, write: Any) -> None:
    from mmdet.evaluation.metrics import coco_metric
    from pycocotools.cocoeval import COCOeval

    evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))
    assert coco_metric.COCOeval is COCOeval


def test_string_image_ids(dataset: Any, write: Any) -> None:
    for record in dataset["images"]:
        record["id"] = str(record["id"])
    for record in dataset["annotations"]:
        record["image_id"] = str(record["image_id"])
    assert evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))["mAP"] == 1.0


def test_missing_area_and_iscrowd_are_filled_in(dataset: Any, write: Any) -> None:
    results = perfect_results(dataset)
    for annotation in dataset["annotations"]:
        del annotation["area"], annotation["iscrowd"]
    path = write("ann.json", dataset)
    before = path.read_bytes()
    assert evaluate_coco_results(path, results)["mAP"] == 1.0
    assert path.read_bytes() == before, "the user's file is left alone"


def test_no_results_is_zero_not_nothing(dataset: Any, write: Any) -> None:
    only_large = {name: None if name[:3] in ("APs", "APm", "ARs", "ARm") else 0.0 for name in ITEMS}
    assert evaluate_coco_results(write("ann.json", dataset), []) == only_large


def test_more_than_100_boxes_use_the_same_limit_everywhere(dataset: Any, write: Any) -> None:
    """Beyond 100 boxes CocoMetric's defaults would count one for AP50 that they do not count for
    mAP."""
    noise = [{"image_id": 0, "category_id": 5, "bbox": [1, 1, 9, 9], "score": 1.0}] * 100
    found = evaluate_coco_results(write("ann.json", dataset), noise + perfect_results(dataset))
    assert found["mAP"] == found["AP50"] == pytest.approx(2 / 3)
    assert found["AR@100"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bbox": [0, math.nan, 1, 1]}, "four finite numbers"),
        ({"bbox": [0, 1, 1]}, "four finite numbers"),
        ({"score": math.inf}, "finite score"),
        ({"score": None}, "finite score"),
        ({"image_id": 99}, "image_id one that the annotation file lists, got 99"),
        ({"image_id": [3]}, "image_id one that the annotation file lists"),
        ({"category_id": 1}, "category_id one that the annotation file lists, got 1"),
    ],
    ids=[
        "nan-box",
        "three-numbers",
        "inf-score",
        "no-score",
        "unknown-image",
        "list-as-image",
        "unknown-category",
    ],
)
def test_bad_results_are_refused(
    dataset: Any, write: Any, change: dict[str, Any], message: str
) -> None:
    results = perfect_results(dataset)
    results[1] |= change
    with pytest.raises(InputError, match=f"result 1 .*{message}"):
        evaluate_coco_results(write("ann.json", dataset), results)


def test_nothing_is_printed_and_the_logger_is_left_as_it_was(
    dataset: Any, write: Any, capsys: Any
) -> None:
    from mmengine.logging import MMLogger

    evaluate_coco_results(write("ann.json", dataset), perfect_results(dataset))
    assert capsys.readouterr().out == ""
    assert not MMLogger.get_current_instance().disabled


def test_stub_raises_when_an_op_is_called_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "mmcv._ext", raising=False)
    with stub_mmcv_ops():
        stub = sys.modules["mmcv._ext"]
        with pytest.raises(RuntimeError, match="install the full mmcv"):
            stub.nms(1)
    assert "mmcv._ext" not in sys.modules


def test_the_fork_that_needs_no_ops_gets_no_stub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "onedl_mmcv-2.3.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: onedl-mmcv\nVersion: 2.3.0\n")
    (package / "top_level.txt").write_text("mmcv\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "mmcv._ext", raising=False)
    with stub_mmcv_ops():
        assert "mmcv._ext" not in sys.modules


@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "installed"])
def test_full_mmcv_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, loaded: bool) -> None:
    real = ModuleType("mmcv._ext")
    if loaded:
        monkeypatch.setitem(sys.modules, "mmcv._ext", real)
    else:
        monkeypatch.delitem(sys.modules, "mmcv._ext", raising=False)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: "a spec")
    with stub_mmcv_ops():
        assert sys.modules.get("mmcv._ext") is (real if loaded else None)
    assert sys.modules.get("mmcv._ext") is (real if loaded else None)


def test_transformers_is_hidden_for_a_while_only() -> None:
    code = (
        "import sys; from mmdet_eval.metrics.mmdet_backend import without_transformers\n"
        "with without_transformers():\n"
        "    try: import transformers\n"
        "    except ImportError: print('hidden')\n"
        "import transformers; print(transformers.__name__)\n"
        "with without_transformers(): print(sys.modules['transformers'] is transformers)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hidden", "transformers", "True"]
