"""`vision-r1 doctor` on data with one planted fault each, all found and named; none where all is
well."""

import json
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.curate.coco import convert_coco
from swift_plugin_visionr1.models.model_io import model_io

from .planted import Row, boxes_to, changed, photographs, resized

pytest.importorskip("PIL", reason="needs the extra `viz`")


def swap_size(solution: dict) -> None:
    solution["width"], solution["height"] = solution["height"], solution["width"]


def to_unknown(solution: dict) -> None:
    solution["labels"] = [
        "triangle" if label == "red circle" else label for label in solution["labels"]
    ]


def to_plural(solution: dict) -> None:
    solution["labels"] = [label.title() + "s" for label in solution["labels"]]


DATA_FAULTS = [
    pytest.param(boxes_to(lambda b, s: b / s * 1000), "problem norm1000", id="norm1000"),
    pytest.param(boxes_to(resized), "problem resized_boxes", id="resized image"),
    pytest.param(
        boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])),
        "problem xywh",
        id="xywh",
    ),
    pytest.param(boxes_to(lambda b, s: b[:, [1, 0, 3, 2]]), "problem swapped_boxes", id="y first"),
    pytest.param(swap_size, "problem swapped_size", id="swapped width and height"),
]


@pytest.mark.parametrize(("change", "named"), DATA_FAULTS)
def test_a_fault_in_the_annotations(
    scenes: list[Row], examine: Callable, change: Callable[[dict], None], named: str
) -> None:
    told = examine(changed(scenes, change))
    assert told.code == 1
    assert named in told.findings


@pytest.mark.parametrize(
    ("change", "label"),
    [
        pytest.param(to_unknown, "'triangle'", id="unknown"),
        pytest.param(to_plural, "'Red Squares'", id="plural"),
        pytest.param(to_plural, "'red square'", id="nearly known"),
    ],
)
def test_labels_outside_of_the_category_list_are_shown(
    scenes: list[Row], examine: Callable, change: Callable[[dict], None], label: str
) -> None:
    told = examine(changed(scenes, change))
    assert told.code == 1
    assert label in told.findings["problem unknown_labels"]


@pytest.mark.parametrize(("change", "named"), DATA_FAULTS)
def test_a_fault_in_annotations_of_photographs(
    shared_data: Path, tmp_path: Path, examine: Callable, change: Callable[[dict], None], named: str
) -> None:
    rows = photographs(shared_data / "bccd", "instances_val", tmp_path)
    told = examine(changed(rows, change), max_completion_length=4096)
    assert told.code == 1
    assert named in told.findings


@pytest.mark.parametrize("max_pixels", [None, "100352"])
@pytest.mark.parametrize(
    ("folder", "annotations"),
    [("bccd", "instances_train"), ("chess_cc0", "instances_train"), ("coco_open", "instances")],
)
def test_no_false_alarm_on_real_data(
    shared_data: Path,
    tmp_path: Path,
    examine: Callable,
    folder: str,
    annotations: str,
    max_pixels: str | None,
) -> None:
    rows = photographs(shared_data / folder, annotations, tmp_path)
    told = examine(
        rows, ENV={"MAX_PIXELS": max_pixels} if max_pixels else {}, max_completion_length=4096
    )
    assert told.code == 0, told.text
    unusual = {name for name in told.findings if not name.startswith("ok ")}
    assert unusual - {"note reach", "warning reach"} == {"note not_sampled"}


def test_normalised_boxes(scenes: list[Row], examine: Callable) -> None:
    def change(solution: dict) -> None:
        sides = np.array([solution["width"], solution["height"]] * 2)
        solution["boxes"] = (np.array(solution["boxes"]).reshape(-1, 4) / sides).tolist()

    told = examine(changed(scenes, change))
    assert told.code == 1
    assert "problem norm1" in told.findings


def test_a_single_row_in_another_layout_is_explained(scenes: list[Row], examine: Callable) -> None:
    first, *others = (row for row in scenes if json.loads(row["solution"])["boxes"])
    wrong = changed([first], boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])))
    told = examine(others * 10 + wrong)
    assert told.code == 1
    last = 10 * len(others) + 1
    assert f"1 of {last} (<1%)" in told.findings["problem rows"]
    assert f"row {last} of" in told.findings["problem rows"]
    assert "1 of 1 (100%)" in told.findings["problem xywh"]


def test_few_rows_in_another_frame_do_not_accuse_all(
    shared_data: Path, tmp_path: Path, examine: Callable
) -> None:
    rows = photographs(shared_data / "coco_open", "instances", tmp_path)
    wrong = changed(rows, boxes_to(lambda b, s: b / s * 1000))
    mixed = [wrong[i] if i % 20 == 3 else row for i, row in enumerate(rows)]
    told = examine(mixed, max_completion_length=4096)
    assert told.code == 1
    assert "26 of 26 (100%)" in told.findings["problem norm1000"]


def test_data_on_a_hub_is_not_downloaded(scenes: list[Row], examine: Callable) -> None:
    with mock.patch("socket.socket.connect", side_effect=AssertionError("a connection")):
        told = examine(scenes, dataset="somebody/boxes#500")
    assert told.code == 0
    assert "note data_elsewhere" in told.findings


def test_files_of_one_name_are_told_apart(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    files = [tmp_path / folder / "rows.jsonl" for folder in ("a", "b")]
    wrong = changed(scenes, boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])))
    for file, rows in zip(files, (scenes, wrong), strict=True):
        file.parent.mkdir()
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = examine(scenes, dataset=[f"{files[0]}#10", str(files[1])])
    assert told.code == 1
    assert f"row 1 of {files[1]}" in told.findings["problem rows"]
    assert "80 of 94 (85%)" in told.findings["problem xywh"]


def test_a_missing_image_far_down_is_named(scenes: list[Row], examine: Callable) -> None:
    rows = [
        row | ({"images": ["gone/38.png"]} if number == 38 else {})
        for number, row in enumerate(scenes, start=1)
    ]
    told = examine(rows, "--rows", 3)
    assert told.code == 1
    assert "1 of 40 (2%)" in told.findings["problem missing_image"]
    assert "gone/38.png in row 38" in told.findings["problem missing_image"]


def test_a_missing_image_with_an_absolute_path(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    told = examine([scenes[0] | {"images": [str(tmp_path / "gone.png")]}, *scenes[1:]])
    assert told.code == 1
    assert "gone.png in row 1 of train.jsonl" in told.findings["problem missing_image"]
    assert "relative" not in told.findings["problem missing_image"]


def test_few_rows_left_are_not_judged(scenes: list[Row], examine: Callable) -> None:
    told = examine(changed(scenes, boxes_to(lambda b, s: b * 9)), "--sample")
    assert told.code == 1
    assert list(told.findings)[-1] == "note mostly_refused", "nothing is judged after it"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"", "problem empty_image", id="empty"),
        pytest.param(b"no image", "problem unreadable_image", id="no image"),
    ],
)
def test_a_broken_image(
    scenes: list[Row], examine: Callable, tmp_path: Path, content: bytes, named: str
) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    told = examine([scenes[0] | {"images": [str(tmp_path / "bad.png")]}, *scenes[1:]])
    assert told.code == 1
    assert named in told.findings


def test_annotations_without_any_box(scenes: list[Row], examine: Callable) -> None:
    told = examine(changed(scenes, lambda solution: solution.update(boxes=[], labels=[])))
    assert told.code == 1
    assert "problem no_boxes" in told.findings


def test_an_empty_file(examine: Callable) -> None:
    told = examine([])
    assert told.code == 1
    assert "problem data_form" in told.findings


def test_a_missing_file(scenes: list[Row], examine: Callable) -> None:
    told = examine(scenes, dataset="nowhere/train.jsonl")
    assert told.code == 1
    assert "problem missing_data" in told.findings


def test_rows_without_annotations(scenes: list[Row], examine: Callable) -> None:
    told = examine([{key: row[key] for key in ("messages", "images")} for row in scenes])
    assert told.code == 1
    assert "problem columns" in told.findings


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        pytest.param({}, 'it has no "messages"', id="none"),
        pytest.param({"mesages": [{"role": "user", "content": "x"}]}, '"mesages"', id="misspelt"),
        pytest.param({"messages": []}, '"messages" are empty', id="empty"),
        pytest.param({"messages": [{"role": "user", "content": None}]}, "content", id="null"),
    ],
)
def test_a_row_without_a_question_is_named(
    scenes: list[Row], examine: Callable, messages: Row, why: str
) -> None:
    last = {name: value for name, value in scenes[-1].items() if name != "messages"}
    told = examine([*scenes[:-1], {**last, **messages}])
    assert told.code == 1
    assert "row 40 of train.jsonl" in told.findings["problem rows"]
    assert why in told.findings["problem rows"]


def test_a_line_that_is_no_json_is_named(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    (tmp_path / "broken.jsonl").write_text(json.dumps(scenes[0]) + "\n{cut off\n")
    told = examine(scenes, dataset=str(tmp_path / "broken.jsonl"))
    assert told.code == 1
    assert "problem rows" in told.findings


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        pytest.param(lambda b, s: b / s * 1000, lambda b, s: b * s / 1000, id="norm1000"),
        pytest.param(resized, lambda b, s: b * s / resized(s, s), id="resized image"),
        pytest.param(
            lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]]),
            lambda b, s: np.hstack([b[:, :2], b[:, :2] + b[:, 2:]]),
            id="xywh",
        ),
    ],
)
def test_boxes_put_right_as_told_pass(
    scenes: list[Row], examine: Callable, wrong: Callable, remedy: Callable
) -> None:
    planted = changed(scenes, boxes_to(wrong))
    assert examine(planted).code == 1
    told = examine(changed(planted, boxes_to(remedy)))
    assert told.code == 0, told.text


@pytest.mark.parametrize("form", ["grounding", "authors"])
def test_rows_of_published_forms(scenes: list[Row], examine: Callable, form: str) -> None:
    def published(row: Row, shift: int) -> Row:
        truth = json.loads(row["solution"])
        boxes, labels = (np.array(truth["boxes"]).reshape(-1, 4) + shift).tolist(), truth["labels"]
        question = row["messages"][0]["content"]
        if form == "grounding":
            answer = {"role": "assistant", "content": "".join("<ref-object><bbox>" for _ in boxes)}
            objects = {"ref": labels, "bbox": boxes}
            return {
                "messages": [*row["messages"], answer],
                "images": row["images"],
                "objects": objects,
            }
        pairs = json.dumps([[label, [box]] for label, box in zip(labels, boxes, strict=True)])
        sides = {"width": truth["width"], "height": truth["height"]}
        return {"image": row["images"][0], "problem": question, "solution": pairs, **sides}

    full = [row for row in scenes if json.loads(row["solution"])["boxes"]]
    told = examine([published(row, 0) for row in full])
    assert told.code == 0, told.text
    assert "ok data" in told.findings
    told = examine([published(row, 90) for row in full])
    assert told.code == 1
    assert "94 of 94 (100%)" in told.findings["problem out_of_image"]


@pytest.mark.parametrize("fault", ["norm1000", "xywh"])
def test_faults_in_rows_of_vlm_r1(scenes: list[Row], examine: Callable, fault: str) -> None:
    rows = []
    for row in scenes:
        truth = json.loads(row["solution"])
        sides = np.array([truth["width"], truth["height"]] * 2)
        for box, label in zip(np.array(truth["boxes"], dtype=float), truth["labels"], strict=True):
            wrong = box / sides * 1000 if fault == "norm1000" else [*box[:2], *(box[2:] - box[:2])]
            asked = (
                "<image>Please provide the bounding box of the region this sentence "
                f"describes: {label}."
            )
            turns = [
                {"from": "human", "value": asked},
                {"from": "gpt", "value": [float(v) for v in wrong]},
            ]
            rows.append({"image": row["images"][0], "conversations": turns})
    told = examine(rows)
    assert told.code == 1
    assert f"problem {fault}" in told.findings


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        pytest.param({}, 0, id="right"),
        pytest.param(
            {"model_type": "qwen3_vl", "model": "Qwen/Qwen3-VL-8B"}, 1, id="another model"
        ),
        pytest.param({"ENV": {"MAX_PIXELS": 100352}}, 1, id="other MAX_PIXELS"),
    ],
)
def test_targets_against_their_own_solutions(
    shared_data: Path, tmp_path: Path, examine: Callable, recipe: dict, code: int
) -> None:
    io, out = model_io(Settings(), "qwen2_5_vl"), tmp_path / "sft.jsonl"
    convert_coco(
        shared_data / "bccd" / "instances_val.json", shared_data / "bccd" / "images", out, io=io
    )
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    told = examine(rows, rlhf_type=None, reward_funcs=[], callbacks=[], **recipe)
    assert (told.code, "problem targets" in told.findings) == (code, bool(code)), told.text


def test_supervised_rows_are_read_in_the_models_format(
    scenes: list[Row], examine: Callable
) -> None:
    def rows(answer: str) -> list[Row]:
        turn = {"role": "assistant", "content": answer}
        return [{"messages": [*row["messages"], turn], "images": row["images"]} for row in scenes]

    good, bad = '[{"bbox_2d": [1, 2, 30, 40], "label": "red circle"}]', "<box>(1,2),(30,40)</box>"
    supervised = {"rlhf_type": None, "reward_funcs": [], "callbacks": []}
    assert examine(rows(good), **supervised).code == 0
    told = examine(rows(bad), **supervised)
    assert told.code == 1
    assert "problem targets" in told.findings
