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
    pytest.param(
        boxes_to(lambda b, s: b / s * 1000), "boxes are normalised to 0-1000", id="norm1000"
    ),
    pytest.param(
        boxes_to(resized), "pixels of the resized image that the model sees", id="resized image"
    ),
    pytest.param(
        boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])),
        "[x, y, width, height]",
        id="xywh",
    ),
    pytest.param(boxes_to(lambda b, s: b[:, [1, 0, 3, 2]]), "y first", id="y first"),
    pytest.param(swap_size, "have width and height swapped", id="swapped width and height"),
    pytest.param(
        to_unknown,
        "unknown labels, not in their prompt's category list: 'triangle' in row",
        id="unknown",
    ),
    pytest.param(to_plural, "'Red Squares' in row", id="plural labels"),
    pytest.param(to_plural, "(nearly 'red square')", id="nearly known labels"),
]


@pytest.mark.parametrize(("change", "named"), DATA_FAULTS)
def test_a_fault_in_the_annotations(
    scenes: list[Row], examine: Callable, change: Callable[[dict], None], named: str
) -> None:
    code, text = examine(changed(scenes, change))
    assert code == 1
    problems = [line for line in text.splitlines() if line.startswith("problem")]
    assert any(named in line for line in problems), text


@pytest.mark.parametrize(("change", "named"), DATA_FAULTS[:5])
def test_a_fault_in_annotations_of_photographs(
    shared_data: Path, tmp_path: Path, examine: Callable, change: Callable[[dict], None], named: str
) -> None:
    rows = photographs(shared_data / "bccd", "instances_val", tmp_path)
    code, text = examine(changed(rows, change), max_completion_length=4096)
    assert code == 1
    assert named in text


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
    code, text = examine(
        rows, ENV={"MAX_PIXELS": max_pixels} if max_pixels else {}, max_completion_length=4096
    )
    assert code == 0, text
    unusual = [line for line in text.splitlines() if not line.startswith(("ok", "verdict"))]
    assert [line for line in unusual if "cannot earn the full reward" not in line] == [
        "note     the model was not asked: only its own answers prove format and frame (--sample, "
        "with --model FOLDER)"
    ]


def test_normalised_boxes(scenes: list[Row], examine: Callable) -> None:
    def change(solution: dict) -> None:
        sides = np.array([solution["width"], solution["height"]] * 2)
        solution["boxes"] = (np.array(solution["boxes"]).reshape(-1, 4) / sides).tolist()

    code, text = examine(changed(scenes, change))
    assert code == 1
    assert "problem  boxes are normalised to 0-1:" in text


def test_a_single_row_in_another_layout_is_explained(scenes: list[Row], examine: Callable) -> None:
    first, *others = (row for row in scenes if json.loads(row["solution"])["boxes"])
    wrong = changed([first], boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])))
    code, text = examine(others * 10 + wrong)
    assert code == 1
    last = 10 * len(others) + 1
    assert f"1 of {last} (<1%) rows would be refused: row {last}" in text
    assert (
        "in the refused rows at least, 1 of 1 (100%) boxes have x1 > x2 or y1 > y2, and all lie in "
        "their image as [x" in text
    )


def test_few_rows_in_another_frame_do_not_accuse_all(
    shared_data: Path, tmp_path: Path, examine: Callable
) -> None:
    rows = photographs(shared_data / "coco_open", "instances", tmp_path)
    wrong = changed(rows, boxes_to(lambda b, s: b / s * 1000))
    mixed = [wrong[i] if i % 20 == 3 else row for i, row in enumerate(rows)]
    code, text = examine(mixed, max_completion_length=4096)
    assert code == 1
    assert (
        "problem  in the refused rows at least, boxes are normalised to 0-1000: 26 of 26 (100%)"
        in text
    )


def test_data_on_a_hub_is_not_downloaded(scenes: list[Row], examine: Callable) -> None:
    with mock.patch("socket.socket.connect", side_effect=AssertionError("a connection")):
        code, text = examine(scenes, dataset="somebody/boxes#500")
    assert code == 0
    assert "note     data: no file or folder somebody/boxes#500 here, so it was not checked" in text


def test_files_of_one_name_are_told_apart(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    files = [tmp_path / folder / "rows.jsonl" for folder in ("a", "b")]
    wrong = changed(scenes, boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])))
    for file, rows in zip(files, (scenes, wrong), strict=True):
        file.parent.mkdir()
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, text = examine(scenes, dataset=[f"{files[0]}#10", str(files[1])])
    assert code == 1
    assert f"of {files[1]}: expected x1 < x2" in text
    assert "refused rows at least" not in text


def test_a_missing_image_far_down_is_named(scenes: list[Row], examine: Callable) -> None:
    rows = [
        row | ({"images": ["gone/38.png"]} if number == 38 else {})
        for number, row in enumerate(scenes, start=1)
    ]
    code, text = examine(rows, "--rows", 3)
    assert code == 1
    assert (
        "1 of 40 (2%) rows name an image file that does not exist, the first is gone/38.png in row 38"
        in text
    )


def test_a_missing_image_with_an_absolute_path(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    code, text = examine([scenes[0] | {"images": [str(tmp_path / "gone.png")]}, *scenes[1:]])
    assert code == 1
    assert "gone.png in row 1 of train.jsonl" in text
    assert "relative" not in text


def test_few_rows_left_are_not_judged(scenes: list[Row], examine: Callable) -> None:
    code, text = examine(changed(scenes, boxes_to(lambda b, s: b * 9)), "--sample")
    assert code == 1
    assert "note     most rows are refused (the first is row " in text
    for judged in (
        "longest right answer",
        "a right answer to row",
        "completions are right",
        "cannot be asked",
    ):
        assert judged not in text


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"", "an image file of 0 bytes", id="empty"),
        pytest.param(b"no image", "an image that cannot be opened", id="no image"),
    ],
)
def test_a_broken_image(
    scenes: list[Row], examine: Callable, tmp_path: Path, content: bytes, named: str
) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    code, text = examine([scenes[0] | {"images": [str(tmp_path / "bad.png")]}, *scenes[1:]])
    assert code == 1
    assert named in text


def test_annotations_without_any_box(scenes: list[Row], examine: Callable) -> None:
    code, text = examine(changed(scenes, lambda solution: solution.update(boxes=[], labels=[])))
    assert code == 1
    assert "problem  annotations: 0 boxes in 40 rows, 40 rows with nothing to find" in text


def test_an_empty_file(examine: Callable) -> None:
    code, text = examine([])
    assert code == 1
    assert "is an empty file" in text


def test_a_missing_file(scenes: list[Row], examine: Callable) -> None:
    code, text = examine(scenes, dataset="nowhere/train.jsonl")
    assert code == 1
    assert "no file nowhere/train.jsonl" in text


def test_rows_without_annotations(scenes: list[Row], examine: Callable) -> None:
    code, text = examine([{key: row[key] for key in ("messages", "images")} for row in scenes])
    assert code == 1
    assert "40 of 40 (100%) rows have no column solution, the first is row 1 of train.jsonl" in text


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
    code, text = examine([*scenes[:-1], {**last, **messages}])
    assert code == 1
    assert "1 of 40 (2%) rows would be refused: row 40 of train.jsonl" in text
    assert why in text


def test_a_line_that_is_no_json_is_named(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    (tmp_path / "broken.jsonl").write_text(json.dumps(scenes[0]) + "\n{cut off\n")
    code, text = examine(scenes, dataset=str(tmp_path / "broken.jsonl"))
    assert code == 1
    assert "row 2 of broken.jsonl: expected a JSON object" in text


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
    assert examine(planted)[0] == 1
    code, text = examine(changed(planted, boxes_to(remedy)))
    assert code == 0, text


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
    code, text = examine([published(row, 0) for row in full])
    assert code == 0, text
    assert "in the form" in text
    code, text = examine([published(row, 90) for row in full])
    assert code == 1
    assert "boxes leave their image" in text


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
    code, text = examine(rows)
    assert code == 1
    named = {
        "norm1000": "boxes are normalised to 0-1000",
        "xywh": "as [x, y, width, height], COCO's layout",
    }
    assert named[fault] in text


@pytest.mark.parametrize(
    ("recipe", "named"),
    [
        pytest.param({}, None, id="right"),
        pytest.param(
            {"model_type": "qwen3_vl", "model": "Qwen/Qwen3-VL-8B"},
            "not their rows' solutions: as qwen3_vl",
            id="another model",
        ),
        pytest.param({"ENV": {"MAX_PIXELS": 100352}}, "the mean IoU is 0.", id="other MAX_PIXELS"),
    ],
)
def test_targets_against_their_own_solutions(
    shared_data: Path, tmp_path: Path, examine: Callable, recipe: dict, named: str | None
) -> None:
    io, out = model_io(Settings(), "qwen2_5_vl"), tmp_path / "sft.jsonl"
    convert_coco(
        shared_data / "bccd" / "instances_val.json", shared_data / "bccd" / "images", out, io=io
    )
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    code, text = examine(rows, rlhf_type=None, reward_funcs=[], callbacks=[], **recipe)
    assert (code, named is None or named in text) == (int(named is not None), True), text


def test_supervised_rows_are_read_in_the_models_format(
    scenes: list[Row], examine: Callable
) -> None:
    def rows(answer: str) -> list[Row]:
        turn = {"role": "assistant", "content": answer}
        return [{"messages": [*row["messages"], turn], "images": row["images"]} for row in scenes]

    good, bad = '[{"bbox_2d": [1, 2, 30, 40], "label": "red circle"}]', "<box>(1,2),(30,40)</box>"
    supervised = {"rlhf_type": None, "reward_funcs": [], "callbacks": []}
    assert examine(rows(good), **supervised)[0] == 0
    code, text = examine(rows(bad), **supervised)
    assert code == 1
    assert "0 of 40 (0%) answers in the data are right qwen2_5_vl answers" in text
