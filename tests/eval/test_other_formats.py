"""Where answers break the format: another reading is tried before it is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main

BOXES = [[64, 96, 256, 240], [400, 240, 240, 240], [10, 10, 300, 200]]
NAMES = ["cat", "dog", "dog"]
SIZE = 640, 480


def thousandths(box: list[int]) -> list[int]:
    x, y, width, height = box
    corners = (x / 640, y / 480, (x + width) / 640, (y + height) / 480)
    return [round(1000 * value) for value in corners]


def objects(labels: list[str]) -> str:
    rows = [
        {"bbox_2d": thousandths(box), "label": label}
        for box, label in zip(BOXES, labels, strict=True)
    ]
    return json.dumps(rows)


def as_keys(labels: list[str]) -> str:
    """Boxes without labels of their own."""
    return f"{labels[0]}: " + json.dumps([thousandths(box) for box in BOXES])


def hybrid(labels: list[str]) -> str:
    rows = [
        f'{{"bbox_2d": <|box_start|>({a},{b}),({c},{d})<|box_end|>, '
        f'"label": "<|object_ref_start|>{label}<|object_ref_end|>"}}'
        for (a, b, c, d), label in zip(map(thousandths, BOXES), labels, strict=True)
    ]
    return f"[{', '.join(rows)}]"


@pytest.fixture
def evaluate(write: Any, tmp_path: Path) -> Any:
    ann = write(
        "ann.json",
        {
            "images": [{"id": 1, "file_name": "1.jpg", "width": SIZE[0], "height": SIZE[1]}],
            "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
            "annotations": [
                {"id": n, "image_id": 1, "bbox": box, "category_id": 1 + (name == "dog")}
                for n, (box, name) in enumerate(zip(BOXES, NAMES, strict=True), 1)
            ],
        },
    )

    def run(text: str, *options: str) -> dict[str, Any]:
        pred = write("infer.jsonl", [{"image_id": 1, "response": text}])
        out = tmp_path / "out"
        files = ["--ann", str(ann), "--pred", str(pred), "--engine", "hotcoco", "--out", str(out)]
        assert main([*files, *options]) == 0
        found: dict[str, Any] = json.loads((out / "metrics.json").read_text())["datasets"]["ann"]
        return found

    return run


def test_format_and_frame_are_named_with_what_they_give(evaluate: Any) -> None:
    found = evaluate(objects(NAMES), "--model-type", "internvl_chat")
    (warning,) = found["warnings"]
    assert "--format qwen3_vl --frame norm1000 reads 3 boxes" in warning
    assert "finds 3 of 3" in warning
    assert found["metrics"]["mAP"] == 0, "the number is as it was asked for"


@pytest.mark.parametrize(
    ("text", "model_type"),
    [
        pytest.param(objects(["x", "y", "z"]), "internvl_chat", id="labels of nothing"),
        pytest.param(objects(NAMES).replace("0,", "0000,"), "paligemma", id="far outside"),
        pytest.param(as_keys(NAMES), "qwen3_vl", id="boxes without labels"),
    ],
)
def test_what_gives_nothing_is_not_named(evaluate: Any, text: str, model_type: str) -> None:
    warnings = evaluate(text, "--model-type", model_type)["warnings"]
    assert not [warning for warning in warnings if "--format" in warning]


def test_a_reading_with_issues_is_named_where_it_finds_most_objects(evaluate: Any) -> None:
    text = json.dumps({"cat": [thousandths(BOXES[0])], "dog": [thousandths(b) for b in BOXES[1:]]})
    (warning,) = evaluate(text, "--model-type", "paligemma")["warnings"]
    assert "--format qwen3_vl --frame norm1000" in warning


def test_the_annotations_decide_between_readings_that_read_as_much(evaluate: Any) -> None:
    """Thousandths and pixels of Griffon's 1022 x 1022 both hold all boxes; one fits them better."""
    (warning,) = evaluate(objects(NAMES), "--model-type", "griffon")["warnings"]
    assert "--format qwen3_vl --frame norm1000" in warning


def test_answers_taught_without_qwenvl_bbox_format(evaluate: Any) -> None:
    (warning,) = evaluate(hybrid(NAMES), "--model-type", "qwen3_vl")["warnings"]
    assert "QWENVL_BBOX_FORMAT=new" in warning
    assert "--format" not in warning


@pytest.mark.parametrize(
    ("text", "model_type", "reasoning"),
    [
        pytest.param(f"<think>So.</think>{objects(NAMES)}", "qwen3_vl", "think", id="thoughts"),
        pytest.param(objects(NAMES), "qwen3_5", "none", id="none where some are expected"),
        pytest.param(
            f"<think>So.</think><answer>{objects(NAMES)}</answer>",
            "qwen3_vl",
            "think_answer",
            id="answer tags",
        ),
    ],
)
def test_what_stands_around_the_answers_is_named(
    evaluate: Any, text: str, model_type: str, reasoning: str
) -> None:
    found = evaluate(text, "--model-type", model_type)
    assert f"--reasoning {reasoning} fits" in found["warnings"][0]
    right = evaluate(text, "--model-type", model_type, "--reasoning", reasoning)
    assert (right["counts"]["broken_format"], right["warnings"]) == (0, [])
    assert right["metrics"] == found["metrics"]


def pixels() -> str:
    """Clean answers in pixels of the original image."""
    rows = [
        {"bbox_2d": [x, y, x + width, y + height], "label": label}
        for (x, y, width, height), label in zip(BOXES, NAMES, strict=True)
    ]
    return f"```json\n{json.dumps(rows)}\n```"


def test_clean_answers_that_find_nothing_are_tried_in_other_frames(evaluate: Any) -> None:
    found = evaluate(pixels(), "--model-type", "qwen3_vl")
    (warning,) = found["warnings"]
    assert "0 of 3 (0%) annotated boxes are found" in warning
    assert "3 in another frame" in warning
    options = warning[warning.index("--") :].split()
    right = evaluate(pixels(), "--model-type", "qwen3_vl", *options)
    assert (right["metrics"]["mAP"], right["warnings"]) == (pytest.approx(1, abs=0.1), [])


def test_clean_answers_that_fit_no_frame_blame_none(evaluate: Any) -> None:
    rows = [{"bbox_2d": [900, 20, 980, 90], "label": label} for label in NAMES]
    assert evaluate(json.dumps(rows), "--model-type", "qwen3_vl")["warnings"] == []
