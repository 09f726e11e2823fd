"""Prediction files of every kind: told apart by content, read, or refused with the place of the fault."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import (
    Annotations,
    InputError,
    read_annotations,
    read_predictions,
    read_rows,
)
from mmdet_eval.answers.readers import coco_json

from .readers import Write, boxes_of, rows_of


def result(**changes: Any) -> dict[str, Any]:
    made = {"image_id": 3, "category_id": 7, "bbox": [1, 2.5, 3, 4], "score": 0.5, **changes}
    return {key: value for key, value in made.items() if value is not None}


def laid_out(results: list[dict[str, Any]], kind: str) -> str:
    """The results as other programs write them."""
    if kind == "braces in a text":
        results = [{**one, "note": 'a "}, {" in it'} for one in results]
    if kind == "objects inside":
        inside = [{"size": [1, 2]}, {"counts": "}, {"}]
        results = [{**one, "segments": inside} for one in results]
    text = json.dumps(results, indent=2 if kind == "indented" else None)
    return "\ufeff" + text if kind == "byte order mark" else text


@pytest.mark.parametrize("block", [1, 7, 100, 1 << 22])
@pytest.mark.parametrize(
    "kind", ["plain", "indented", "braces in a text", "objects inside", "byte order mark"]
)
def test_results_are_the_same_wherever_the_file_is_cut(
    annotations: Annotations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, block: int
) -> None:
    one = {"image_id": annotations.images[0].id, "category_id": next(iter(annotations.categories))}
    given = [{**one, "bbox": [n, 0.1, 5, n / 7], "score": 1 / (n + 1)} for n in range(30)]
    path = tmp_path / "results.json"
    path.write_text(laid_out(given, kind), "utf-8")
    monkeypatch.setattr(coco_json, "FIRST", block)
    monkeypatch.setattr(coco_json, "BLOCK", block)
    assert boxes_of(path, annotations).results == given


def test_coco_results_are_taken_as_they_are(annotations: Annotations, write: Write) -> None:
    given = [result(image_id=12), result(), result(score=0.75), result(image_id=0)]
    found = boxes_of(write("results.json", given), annotations)
    assert found.results == [given[3], given[1], given[2], given[0]], "by image id, then as given"
    assert (
        found.counts.images,
        found.counts.boxes_read,
        found.counts.boxes_kept,
        found.answers,
    ) == (3, 4, 4, ())


def test_no_results_are_none(annotations: Annotations, write: Write) -> None:
    assert boxes_of(write("results.json", []), annotations).results == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(
            result(score=None),
            "result 1 of .*score, got None: --score does not apply",
            id="no-score",
        ),
        pytest.param(result(score=float("nan")), "finite score, got nan", id="NaN-score"),
        pytest.param(result(score="0.5"), "finite score, got '0.5'", id="score-as-text"),
        pytest.param(result(image_id=99), "result 1 .*image_id.*99", id="unknown-image"),
        pytest.param(result(category_id=1), "result 1 .*category_id.*1", id="unknown-category"),
        pytest.param(result(category_id=[7]), "category_id", id="unhashable"),
        pytest.param(result(bbox=[1, 2, 3]), "four finite numbers", id="three-numbers"),
        pytest.param(result(bbox=[1, 2, 3, float("nan")]), "four finite numbers", id="NaN"),
        pytest.param(result(bbox=["1", 2, 3, 4]), "four finite numbers", id="number-as-text"),
        pytest.param(result(bbox=[1, 2, 3, 10**400]), "four finite numbers", id="beyond-float"),
        pytest.param([1], "an object with image_id", id="no-object"),
    ],
)
def test_bad_results_are_named(
    annotations: Annotations, write: Write, entry: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_predictions(write("results.json", [result(), entry]), annotations)


def test_a_real_detectors_results_are_read(shared_data: Path) -> None:
    folder = shared_data / "coco_val80"
    annotations = read_annotations(folder / "instances_val80.json")
    found = boxes_of(folder / "yolox_nano_results.json", annotations)
    given = json.loads((folder / "yolox_nano_results.json").read_text())
    assert sorted(map(json.dumps, found.results)) == sorted(map(json.dumps, given))


def test_images_with_boxes_are_counted(annotations: Annotations, write: Write) -> None:
    counts = boxes_of(
        write("results.json", [result(), result(score=0.75), result(image_id=0)]), annotations
    ).counts
    assert (counts.images, counts.answers, counts.missing) == (3, 2, 0)


@pytest.mark.parametrize("name", ["infer.jsonl", "results.json"])
def test_a_byte_order_mark_is_no_part_of_the_file(
    annotations: Annotations, tmp_path: Path, name: str
) -> None:
    content = '{"response": "[]"}' if name == "infer.jsonl" else json.dumps([result()])
    (tmp_path / name).write_text(content, encoding="utf-8-sig")
    found = read_predictions(tmp_path / name, annotations)
    assert len(found if isinstance(found, list) else found.results) == 1
    if name == "infer.jsonl":
        assert len(read_rows(tmp_path / name)) == 1


@pytest.mark.parametrize(
    "row", [{"response": "[1"}, {"choices": [{"text": "[1"}]}], ids=["swift", "openai"]
)
def test_a_json_list_of_answers_is_rows(
    annotations: Annotations, write: Write, row: dict[str, Any]
) -> None:
    found = rows_of(write("answers.json", [row | {"image_id": 3}, row]), annotations)
    assert [(one.line, one.text) for one in found] == [(1, "[1"), (2, "[1")]
    with pytest.raises(InputError, match=r"answers\.json, entry 2: .*got a int"):
        read_predictions(write("answers.json", [row, 7]), annotations)


@pytest.mark.parametrize("indent", [None, 1], ids=["one-line", "indented"])
def test_annotations_are_no_predictions(
    annotations: Annotations, dataset: Any, tmp_path: Path, indent: Any
) -> None:
    (tmp_path / "pred.json").write_text(json.dumps(dataset, indent=indent))
    with pytest.raises(
        InputError, match=r"pred\.json to hold predictions, got COCO annotations: .*--ann"
    ):
        read_predictions(tmp_path / "pred.json", annotations)
