"""Boxes that a file gives: a fault of the whole file is named, and healthy results are not."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import InputError
from mmdet_eval.answers.given_boxes import given_box_warnings
from mmdet_eval.answers.given_numbers import number_warnings
from mmdet_eval.cli import main
from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.coco.detections import Detections, to_detections
from swift_plugin_visionr1.geometry.boxes import as_boxes

from .test_engines import REAL, real_set

Result = dict[str, Any]
Change = Callable[[Result, int, int], Result]


def boxed(change: Callable[..., list[float]]) -> Change:
    return lambda result, w, h: {"bbox": change(*result["bbox"], w, h)}


LAYOUTS = [
    pytest.param(boxed(lambda x, y, w, h, *_: [x, y, x + w, y + h]), "two corners", id="xyxy"),
    pytest.param(boxed(lambda x, y, w, h, *_: [x + w / 2, y + h / 2, w, h]), "middle", id="cxcywh"),
    pytest.param(
        boxed(lambda x, y, w, h, W, H: [1000 * x / W, 1000 * y / H, 1000 * w / W, 1000 * h / H]),
        "height] in thousandths",
        id="thousandths",
    ),
    pytest.param(
        boxed(lambda x, y, w, h, W, H: [100 * x / W, 100 * y / H, 100 * w / W, 100 * h / H]),
        "height] in percent",
        id="percent",
    ),
    pytest.param(
        boxed(
            lambda x, y, w, h, W, H: [
                *(1000 * x / W, 1000 * y / H),
                *(1000 * (x + w) / W, 1000 * (y + h) / H),
            ]
        ),
        "y2] in thousandths",
        id="corners in thousandths",
    ),
    pytest.param(
        boxed(lambda x, y, w, h, W, H: [640 * x / W, 640 * y / H, 640 * w / W, 640 * h / H]),
        "640 x 640",
        id="stretched",
    ),
    pytest.param(
        boxed(lambda x, y, w, h, W, H: [v * 1333 / max(W, H) for v in (x, y, w, h)]),
        "longest side of 1333",
        id="resized",
    ),
    pytest.param(boxed(lambda x, y, w, h, *_: [y, x, h, w]), "y first", id="y first"),
]


def changed(shared_data: Path, name: str, change: Change) -> tuple[Any, Detections]:
    annotations, results = real_set(shared_data, name)
    sizes = {image.id: image.size for image in annotations.images}
    changed = [{**one, **change(one, *sizes[one["image_id"]])} for one in results]
    return annotations, to_detections(annotations, changed)


@pytest.mark.parametrize("name", REAL)
def test_real_detectors_give_no_warning(shared_data: Path, name: str) -> None:
    annotations, results = real_set(shared_data, name)
    detections = to_detections(annotations, results)
    assert given_box_warnings(annotations, detections) == number_warnings(detections) == ()


@pytest.mark.parametrize("name", ["cocoapi_val2014_100", "coco_open"])
@pytest.mark.parametrize(("change", "words"), LAYOUTS)
def test_another_layout_is_named(shared_data: Path, name: str, change: Change, words: str) -> None:
    (warning,) = given_box_warnings(*changed(shared_data, name, change))
    assert words in warning


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("change", "words"), LAYOUTS)
def test_another_layout_of_very_few_boxes_is_named(
    shared_data: Path, change: Change, words: str, count: int
) -> None:
    annotations, _ = real_set(shared_data, "coco_open")
    sizes = {image.id: image.size for image in annotations.images}
    usable = [
        one
        for one in annotations.data["annotations"]
        if not one["iscrowd"] and min(one["bbox"]) > 40
    ]
    right = [{**one, "score": 1.0} for one in usable[:: len(usable) // count][:count]]
    assert given_box_warnings(annotations, to_detections(annotations, right)) == ()
    wrong = [{**one, **change(one, *sizes[one["image_id"]])} for one in right]
    (warning,) = given_box_warnings(annotations, to_detections(annotations, wrong))
    assert words in warning or count < 3, "some readings of one box are the same"


@pytest.mark.parametrize("name", ["cocoapi_val2014_100", "coco_open"])
@pytest.mark.parametrize("kind", ["shifted", "mixed"])
def test_another_numbering_of_the_categories_is_named(
    shared_data: Path, name: str, kind: str
) -> None:
    annotations, _ = real_set(shared_data, name)
    ids = list(annotations.categories)
    others = np.roll(ids, -1) if kind == "shifted" else np.random.default_rng(0).permutation(ids)
    to = dict(zip(ids, others.tolist(), strict=True))
    found = changed(
        shared_data, name, lambda result, *_: {"category_id": to[result["category_id"]]}
    )
    (warning,) = given_box_warnings(*found)
    assert "numbered differently" in warning
    assert ("with 1 taken off" in warning) == (kind == "shifted")


@pytest.mark.parametrize("name", ["cocoapi_val2014_100", "coco_open"])
def test_another_numbering_of_the_images_is_named(shared_data: Path, name: str) -> None:
    annotations, results = real_set(shared_data, name)
    place = {image.id: number for number, image in enumerate(annotations.images)}
    ids = list(place)
    moved = [{**one, "image_id": ids[place[one["image_id"]] - 1]} for one in results]
    renumbered = replace(
        annotations,
        images=tuple(replace(image, id=number) for number, image in enumerate(annotations.images)),
        data={
            **annotations.data,
            "annotations": [
                {**one, "image_id": place[one["image_id"]]}
                for one in annotations.data["annotations"]
            ],
        },
    )
    shifted = [{**one, "image_id": place[one["image_id"]]} for one in moved]
    (warning,) = given_box_warnings(renumbered, to_detections(renumbered, shifted))
    assert "images seem to be numbered differently: with 1 added" in warning


@pytest.mark.parametrize("seed", range(3))
def test_boxes_at_random_blame_nothing(shared_data: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def anywhere(result: Result, width: int, height: int) -> Result:
        corner, size = rng.random(2) * 0.6, rng.random(2) * 0.4
        return {"bbox": [*(corner * (width, height)), *(size * (width, height))]}

    annotations, boxes = changed(shared_data, "coco_open", anywhere)
    assert given_box_warnings(annotations, boxes) == ()
    for start in range(0, 60, 2):
        assert given_box_warnings(annotations, boxes.take(slice(start, start + 2))) == ()


def boxes_of(*boxes: list[float], score: float = 0.5) -> Detections:
    nothing = np.zeros(len(boxes), dtype=np.int64)
    scores = np.full(len(boxes), score, dtype=float)
    return Detections((3,), (7,), nothing, nothing, as_boxes(boxes), scores, nothing)


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        pytest.param(boxes_of([0.1, 0.1, 0.2, 0.9]), "fractions", id="fractions"),
        pytest.param(
            boxes_of([50, 60, -20, 10]), "negative width or height in 1 of 1", id="below 0"
        ),
        pytest.param(boxes_of([50, 60, 0, 10], [5, 6, 7, 0]), "without area", id="no area"),
    ],
)
def test_numbers_that_are_no_boxes_are_refused(boxes: Detections, message: str) -> None:
    with pytest.raises(InputError, match=message):
        number_warnings(boxes)


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        pytest.param(
            boxes_of([1, 1, 9, 9], [1, 1, 8, -1], [2, 2, 9, 9]), "negative width", id="size"
        ),
        pytest.param(boxes_of([1, 1, 9, 9], score=97.5), "97.5", id="percent"),
        pytest.param(boxes_of([1, 1, 9, 9], score=-1), "from -1", id="logits"),
    ],
)
def test_odd_numbers_are_a_warning(boxes: Detections, words: str) -> None:
    (warning,) = number_warnings(boxes)
    assert words in warning


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param(boxes_of(), id="none"),
        pytest.param(boxes_of([1, 1, 9, 9], *[[0.0, 0, 0, 0]] * 5), id="filled up with zeros"),
        pytest.param(boxes_of([-2.5, -1, 645, 480], score=1), id="a little outside"),
    ],
)
def test_what_detectors_write_is_healthy(boxes: Detections) -> None:
    assert number_warnings(boxes) == ()


def instances(folder: Path, ids: list[int]) -> Path:
    data = {
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "width": 640, "height": 480} for n in (1, 2, 3)
        ],
        "categories": [{"id": key, "name": str(key)} for key in ids],
        "annotations": [],
    }
    path = folder / "ann.json"
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("ids", "result", "message"),
    [
        pytest.param([1, 2, 4], {"category_id": 0}, "3 categories from 0", id="from 0"),
        pytest.param([0, 1, 2], {"category_id": 3}, "3 categories from 1", id="from 1"),
        pytest.param([1, 2, 4], {"category_id": 90}, "as the annotation file", id="unknown"),
        pytest.param([1, 2], {"image_id": 99}, "1 of 2 .*same dataset", id="another set"),
        pytest.param([1, 2], {"file_name": "a/2.jpg"}, "1, the id of 1.jpg", id="file name"),
        pytest.param([1, 2], {"file_name": r"c:\\a\1.jpg"}, None, id="a path of Windows"),
    ],
)
def test_ids_of_something_else_are_refused_with_the_cause(
    tmp_path: Path, ids: list[int], result: Result, message: str | None, capsys: Any
) -> None:
    one = {"image_id": 1, "category_id": 1, "bbox": [1, 1, 50, 50], "score": 0.5}
    pred = tmp_path / "pred.json"
    pred.write_text(json.dumps([one | result, one]))
    files = ["--ann", str(instances(tmp_path, ids)), "--pred", str(pred), "--engine", "hotcoco"]
    assert main(files) == (2 if message else 0)
    if message:
        found = capsys.readouterr().err
        assert re.search(message, found), found


def test_a_folder_of_images_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    pred = tmp_path / "pred.json"
    pred.write_text("[]")
    files = ["--ann", str(instances(tmp_path, [1])), "--pred", str(pred)]
    assert main([*files, "--images", str(tmp_path / "nowhere")]) == 2


def test_a_warning_never_changes_the_number(shared_data: Path, tmp_path: Path) -> None:
    change = boxed(lambda x, y, w, h, *_: [x, y, x + w, y + h])
    annotations, results = changed(shared_data, "coco_open", change)
    pred = tmp_path / "pred.json"
    pred.write_text(json.dumps(results.to_results()))
    out = tmp_path / "out"
    files = ["--ann", str(annotations.path), "--pred", str(pred), "--engine", "hotcoco"]
    assert main([*files, "--out", str(out)]) == 0
    found = json.loads((out / "metrics.json").read_text())["datasets"]["instances"]
    assert len(found["warnings"]) == 1
    assert found["metrics"]["mAP"] == pytest.approx(0.0523, abs=1e-4)
    assert read_annotations(annotations.path).sha256 == found["annotations"]["sha256"]
