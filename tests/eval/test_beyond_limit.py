"""Precision, recall and F1 count all boxes; AP and AR keep COCO's limit, and it is said where it
binds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval.cli import main
from mmdet_eval.coco.annotations import Annotations, read_annotations
from mmdet_eval.coco.detections import to_detections
from mmdet_eval.metrics.matching import match_boxes

from .random_sets import random_set
from .references import measured, pycocotools_matches

Boxes = list[list[float]]
GRID: Boxes = [[20.0 * (n % 40), 20.0 * (n // 40), 10, 10] for n in range(200)]
WRONG: Boxes = [[20.0 * n, 500, 10, 10] for n in range(40)]


def results_of(boxes: Boxes) -> list[dict[str, Any]]:
    return [{"image_id": 1, "category_id": 1, "bbox": box, "score": 1.0} for box in boxes]


@pytest.fixture
def annotations_of(write: Any) -> Any:
    def made(boxes: Boxes) -> Annotations:
        records = [
            {"id": n, "image_id": 1, "category_id": 1, "bbox": box, "area": 100, "iscrowd": 0}
            for n, box in enumerate(boxes, 1)
        ]
        return read_annotations(
            write(
                "ann.json",
                {
                    "images": [{"id": n, "width": 900, "height": 600} for n in (1, 2)],
                    "categories": [{"id": n, "name": str(n)} for n in (1, 2)],
                    "annotations": records,
                },
            )
        )

    return made


@pytest.mark.parametrize(
    ("truths", "boxes", "precision", "recall", "left_out"),
    [
        pytest.param(GRID[:150], GRID[:150], 1.0, 1.0, (1, 50), id="all right"),
        pytest.param(GRID[:100], GRID[:100] + WRONG, 100 / 140, 1.0, (1, 40), id="wrong ones last"),
        pytest.param(GRID[:110], WRONG + GRID[:110], 110 / 150, 1.0, (1, 50), id="first"),
        pytest.param(GRID[:1], GRID[:1] * 400, 1 / 400, 1.0, (1, 300), id="a loop"),
        pytest.param([], WRONG * 3, 0.0, None, (1, 20), id="nothing there"),
        pytest.param(GRID[:100], GRID[:100], 1.0, 1.0, (0, 0), id="at the limit"),
    ],
)
def test_all_boxes_count(
    annotations_of: Any,
    truths: Boxes,
    boxes: Boxes,
    precision: float,
    recall: float | None,
    left_out: tuple[int, int],
) -> None:
    found = measured(annotations_of(truths), results_of(boxes), "hotcoco", orders=0)
    assert (found.left_out.images, found.left_out.boxes) == left_out
    for name in ("precision@.5", "precision"):
        assert found.beside[name] == pytest.approx(precision, abs=1e-12)
    assert found.beside["recall@.5"] == recall
    only = found.classes[0]
    assert only.metrics["precision@.5"] == pytest.approx(precision, abs=1e-12)
    assert only.boxes == len(boxes)
    assert len(found.matches.image) == len(boxes) - left_out[1], "AP's own table stays as it is"


def full_set(folder: Path, strings: bool) -> tuple[Annotations, Any]:
    """A random set with crowds, of which each box comes 60 times, a little off."""
    annotations, results = random_set(folder, 3, (0.2, 0.5), strings=strings)
    moves = np.random.default_rng(0).normal(0, 2, (60, 4))
    return annotations, [
        {**one, "bbox": (np.maximum(np.array(one["bbox"]) + move, 1)).tolist()}
        for move in moves
        for one in results
    ]


@pytest.mark.parametrize("strings", [False, True], ids=["integer-ids", "text-ids"])
def test_the_two_parts_are_one_matching_without_limit(tmp_path: Path, strings: bool) -> None:
    """Against pycocotools with a higher limit."""
    annotations, results = full_set(tmp_path, strings)
    parts = match_boxes(annotations, to_detections(annotations, results))
    assert parts[1] is not None
    assert parts[1].matched.any()
    everything = pycocotools_matches(annotations, results, 10_000)
    cell = [(p.category * len(p.image_ids) + p.image) for p in parts if p]
    order = np.argsort(np.concatenate(cell), kind="stable")
    for name in ("image", "category", "score", "matched", "ignored"):
        columns = [getattr(part, name) for part in parts]
        both = np.concatenate(columns, axis=-1)[..., order]
        np.testing.assert_array_equal(both, getattr(everything, name))


def test_the_limit_is_said_everywhere(
    annotations_of: Any, write: Any, tmp_path: Path, capsys: Any
) -> None:
    path = annotations_of(GRID[:150]).path
    results = write("results.json", results_of(GRID[:150]))
    out = tmp_path / "out"
    files = ["--ann", str(path), "--pred", str(results), "--engine", "hotcoco", "--out", str(out)]
    assert main(files) == 0
    record = json.loads((out / "metrics.json").read_text())["datasets"]["ann"]
    assert record["left_out_by_limit"] == {"images": 1, "boxes": 50}
    told = [(out / name).read_text() for name in ("summary.md", "report.html")]
    assert all("50 of 150" in text for text in (*told, capsys.readouterr().out))


@pytest.fixture
def evaluated(annotations_of: Any, write: Any, tmp_path: Path) -> Any:
    """Evaluates 150 right boxes of one class into a folder; returns the entry of metrics.json."""
    ann, pred = annotations_of(GRID[:150]).path, write("results.json", results_of(GRID[:150]))

    def made(name: str, *options: str) -> dict[str, Any]:
        out = tmp_path / name
        assert main(["--ann", str(ann), "--pred", str(pred), "--out", str(out), *options]) == 0
        return dict(json.loads((out / "metrics.json").read_text())["datasets"]["ann"])

    return made


@pytest.mark.parametrize("engine", ["mmdet", "hotcoco"])
@pytest.mark.parametrize(
    ("options", "limit", "ap", "recall", "left_out"),
    [
        pytest.param((), 100, 67 / 101, 2 / 3, 50, id="default"),
        pytest.param(("--max-dets", "300"), 300, 1.0, 1.0, 0, id="higher"),
        pytest.param(("--max-dets", "1000000"), 1_000_000, 1.0, 1.0, 0, id="none in effect"),
        pytest.param(("--max-dets", "15"), 15, 11 / 101, 0.1, 135, id="lower"),
    ],
)
def test_the_limit_is_an_option(
    evaluated: Any,
    tmp_path: Path,
    engine: str,
    options: tuple[str, ...],
    limit: int,
    ap: float,
    recall: float,
    left_out: int,
) -> None:
    entry = evaluated("out", "--engine", engine, "--no-mmdet-dump", *options)
    for name in ("mAP", "AP50", "AP75", "APs"):
        assert entry["metrics"][name] == pytest.approx(ap, abs=1e-9), name
    for name in (f"AR@{limit}", f"ARs@{limit}"):
        assert entry["metrics"][name] == pytest.approx(recall, abs=1e-9), name
    assert entry["metrics"]["AR@10"] == pytest.approx(10 / 150)
    assert (entry["metrics"]["APl"], entry["metrics"][f"ARl@{limit}"]) == (None, None)
    assert entry["max_dets"] == limit
    assert str(limit) in entry["conditions"]["limits"]
    assert entry["left_out_by_limit"]["boxes"] == left_out
    assert entry["beside"]["precision@.5"] == entry["beside"]["recall@.5"] == 1.0
    assert f"AR@{limit}" in (tmp_path / "out" / "summary.md").read_text()
    assert f"AR@{limit}" in (tmp_path / "out" / "ann" / "per_class.csv").read_text()


@pytest.mark.parametrize("limit", [15, 300])
@pytest.mark.parametrize("strings", [False, True], ids=["integer-ids", "text-ids"])
def test_evaluators_agree_at_any_limit(tmp_path: Path, strings: bool, limit: int) -> None:
    """`measure` also checks each engine's precision against the matches."""
    annotations, results = full_set(tmp_path, strings)
    ours = measured(annotations, results, "mmdet", orders=0, max_dets=limit)
    fast = measured(annotations, results, "hotcoco", True, orders=0, max_dets=limit)
    assert ours.checked_by.startswith("hotcoco")
    assert fast.checked_by.startswith("pycocotools")
    assert fast.metrics == pytest.approx(ours.metrics, abs=1e-12)
    default = measured(annotations, results, "hotcoco", orders=0)
    assert abs((default.metrics["mAP"] or 0) - (ours.metrics["mAP"] or 0)) > 1e-4


def test_no_boxes_have_the_names_of_the_limit(annotations_of: Any) -> None:
    found = measured(annotations_of(GRID[:1]), [], "hotcoco", max_dets=300)
    assert found.metrics["AR@300"] == found.classes[0].metrics["AR@300"] == 0.0
    assert "AR@100" not in found.metrics


@pytest.mark.parametrize("limit", ["10", "0", "-5"])
def test_a_limit_that_cannot_be_reported_is_refused(
    annotations_of: Any, write: Any, capsys: Any, limit: str
) -> None:
    ann, pred = annotations_of(GRID[:1]).path, write("results.json", results_of(GRID[:1]))
    assert main(["--ann", str(ann), "--pred", str(pred), "--max-dets", limit]) == 2
    assert "--max-dets" in capsys.readouterr().err


def test_run_refuses_a_limit_before_it_asks(
    annotations_of: Any, tmp_path: Path, capsys: Any
) -> None:
    ann = annotations_of(GRID[:1]).path
    options = ["--ann", str(ann), "--images", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["run", "--model", "none/such", *options, "--max-dets", "5"]) == 2
    assert "--max-dets" in capsys.readouterr().err


def test_other_limits_are_not_compared(evaluated: Any, tmp_path: Path, capsys: Any) -> None:
    fast = ("--engine", "hotcoco")
    for name, limit in (("a", "100"), ("b", "300"), ("c", "300")):
        evaluated(name, *fast, "--max-dets", limit)
    a, b, c = (str(tmp_path / name) for name in "abc")
    assert main(["compare", a, b]) == 2
    assert "--max-dets" in capsys.readouterr().err
    assert main(["compare", b, c, "--samples", "5"]) == 0
    assert "AR@300" in capsys.readouterr().out


def test_a_suite_says_the_limit_by_data_set(
    annotations_of: Any, write: Any, tmp_path: Path, capsys: Any
) -> None:
    path = annotations_of(GRID[:150]).path
    sets = {name: {"ann": str(path), "images": str(tmp_path)} for name in ("a", "b")}
    suite = write("suite.yaml", {"datasets": sets, "protocol": "vision_r1_coco"})
    (tmp_path / "pred").mkdir()
    for name, boxes in (("a", GRID[:150]), ("b", GRID[:10])):
        write(f"pred/{name}.json", results_of(boxes))
    files = ["--suite", str(suite), "--pred", str(tmp_path / "pred"), "--engine", "hotcoco"]
    assert main(files) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if "50 of 150" in line]
