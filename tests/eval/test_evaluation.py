"""One data set by the command: what the rows record, which options apply, what counts for
expressions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main
from mmdet_eval.evaluation import BEST_BOX
from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

from .evaluations import CAT, DOG, SIZE, boxes, coco

Evaluate = Callable[..., dict[str, Any]]
PAIR: dict[str, list[tuple[int, list[int]]]] = {"pair": [(1, CAT), (2, DOG)]}


@pytest.fixture
def evaluate(tmp_path: Path, write: Any, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Evaluate predictions by the command; returns the data set's part of metrics.json."""
    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)

    def run(data: dict[str, Any], name: str, pred: Any, *options: str) -> dict[str, Any]:
        files = [
            "--ann",
            str(write("ann.json", data)),
            "--pred",
            str(write(name, pred)),
            "--engine",
            "hotcoco",
        ]
        assert main([*files, "--orders", "2", "--out", str(tmp_path / "out"), *options]) == 0
        found: dict[str, Any] = json.loads((tmp_path / "out" / "metrics.json").read_text())[
            "datasets"
        ]["ann"]
        return found

    return run


@pytest.fixture
def refused(tmp_path: Path, write: Any, capsys: Any) -> Callable[..., str]:
    """Evaluate predictions that cannot be; returns what is said."""

    def run(data: dict[str, Any], name: str, pred: Any, *options: str) -> str:
        files = [
            "--ann",
            str(write("ann.json", data)),
            "--pred",
            str(write(name, pred)),
            "--engine",
            "hotcoco",
        ]
        assert main([*files, *options]) == 2
        said: str = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        return said

    return run


def asked(
    tmp_path: Path, write: Any, protocol: str, data: dict[str, Any], *options: str
) -> list[dict[str, Any]]:
    """The rows that the command writes for a protocol, each with the answer to it."""
    from PIL import Image

    for image in data["images"]:
        Image.new("RGB", SIZE).save(tmp_path / image["file_name"])
    ann, out = write("ann.json", data), tmp_path / "prompts.jsonl"
    files = ["--ann", str(ann), "--images", str(tmp_path), "--out", str(out)]
    assert main(["prompts", *files, "--protocol", protocol, *options]) == 0
    answers = {
        None: boxes((CAT, "cat"), (DOG, "dog")),
        "cat": boxes((CAT, "cat")),
        "dog": boxes((DOG, "dog")),
    }
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    return [row | {"response": answers[row["category"]]} for row in rows]


def test_the_recorded_protocol_is_used(tmp_path: Path, write: Any, evaluate: Evaluate) -> None:
    found = evaluate(
        coco(PAIR), "infer.jsonl", asked(tmp_path, write, "vision_r1_odinw", coco(PAIR))
    )
    assert found["protocol"]["name"] == "vision_r1_odinw"
    assert (found["metrics"]["mAP"], found["counts"]["queries"]) == (pytest.approx(1.0), 2)


def test_answers_to_a_familys_own_question(tmp_path: Path, write: Any, evaluate: Evaluate) -> None:
    """MiniCPM-V leaves the label out when it is asked for one thing: the question decides."""
    rows = asked(tmp_path, write, "vision_r1_odinw:minicpm_v", coco(PAIR))
    corners = {"cat": CAT, "dog": DOG}
    for row in rows:
        box = get_format("minicpm_v").frame.from_image(
            as_boxes([corners[row["category"]]]), View(SIZE, SIZE)
        )
        row["response"] = f"<box>{' '.join(f'{v:.0f}' for v in box[0])}</box>"
    for kept in (list(rows[0]), ["messages", "images", "response"]):  # ms-swift may drop the others
        written = [{name: row[name] for name in kept} for row in rows]
        options = ["--model-type", "minicpmo", "--protocol", "vision_r1_odinw:minicpm_v"]
        found = evaluate(
            coco(PAIR), "infer.jsonl", written, *options[: 2 if "protocol" in kept else 4]
        )
        assert found["protocol"]["name"] == "vision_r1_odinw:minicpm_v"
        assert found["metrics"]["AP50"] == pytest.approx(1.0)


def test_a_suite_is_read_as_asked_in_the_words_of_the_model(tmp_path: Path, write: Any) -> None:
    rows = asked(tmp_path, write, "vision_r1_odinw:minicpm_v", coco(PAIR))
    pred = write(
        "infer.jsonl",
        [{name: row[name] for name in ("messages", "images", "response")} for row in rows],
    )
    suite = tmp_path / "suite.yaml"
    suite.write_text("protocol: vision_r1_odinw\ndatasets:\n  pair: {ann: ann.json, images: .}\n")
    command = [
        "--suite",
        str(suite),
        "--root",
        str(tmp_path),
        "--pred",
        str(pred),
        "--engine",
        "hotcoco",
    ]
    assert main([*command, "--model-type", "minicpmo", "--out", str(tmp_path / "out")]) == 0
    record = json.loads((tmp_path / "out" / "metrics.json").read_text())["datasets"]["pair"]
    assert record["protocol"]["name"] == "vision_r1_odinw:minicpm_v"
    assert main(command) == 2, "Qwen2.5-VL would have been asked in other words"


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        pytest.param(
            ["qwen_odinw", "vision_r1_odinw"],
            [],
            "that record 'qwen_odinw' and 'vision_r1_odinw'",
            id="two",
        ),
        pytest.param(
            ["mine", "mine"], [], "--protocol with the YAML file of 'mine'", id="ones-own"
        ),
        pytest.param(
            ["vision_r1_odinw", "qwen_odinw"],
            ["--protocol", "vision_r1_odinw"],
            "line 2: expected an answer to protocol vision_r1_odinw, got one that records "
            "'qwen_odinw'",
            id="another",
        ),
    ],
)
def test_rows_that_record_another_protocol_are_refused(
    tmp_path: Path, write: Any, refused: Any, names: list[str], options: list[str], message: str
) -> None:
    rows = asked(tmp_path, write, "vision_r1_odinw", coco(PAIR))
    rows = [row | {"protocol": name} for row, name in zip(rows, names, strict=True)]
    assert message in refused(coco(PAIR), "infer.jsonl", rows, *options)


def test_the_wording_counts_not_only_the_category(tmp_path: Path, write: Any, refused: Any) -> None:
    rows = asked(tmp_path, write, "vision_r1_odinw", coco(PAIR))
    rows[1] |= {"query": "Is there a dog?"}
    assert "got query 'Is there a dog?'" in refused(coco(PAIR), "infer.jsonl", rows)


def test_a_category_that_is_never_annotated_is_warned_of_and_can_be_left_out(
    tmp_path: Path, write: Any, evaluate: Evaluate
) -> None:
    data = coco(PAIR)
    data["categories"].insert(0, {"id": 0, "name": "pieces"})
    found = evaluate(data, "infer.jsonl", asked(tmp_path, write, "vision_r1_coco", data))
    (warning,) = found["warnings"]
    assert "1 of 3" in warning
    assert "'pieces'" in warning
    classes = ("--classes", "cat", "dog")
    found = evaluate(
        data, "infer.jsonl", asked(tmp_path, write, "vision_r1_coco", data, *classes), *classes
    )
    assert (found["warnings"], found["metrics"]["mAP"]) == ([], pytest.approx(1.0))
    assert "left out" in found["annotations"]["repairs"][0]


def test_where_only_present_categories_are_asked_for_the_others_do_no_harm(
    tmp_path: Path, write: Any, evaluate: Evaluate
) -> None:
    data = coco(PAIR)
    data["categories"].insert(0, {"id": 0, "name": "pieces"})
    assert (
        evaluate(data, "infer.jsonl", asked(tmp_path, write, "vision_r1_odinw", data))["warnings"]
        == []
    )


def test_classes_are_not_for_suites(capsys: Any) -> None:
    assert main(["--suite", "odinw13", "--pred", "nowhere", "--classes", "cat"]) == 2
    assert "--classes" in capsys.readouterr().err


def result(image: int, category: int, box: list[int], score: float) -> dict[str, Any]:
    x1, y1, x2, y2 = box
    return {
        "image_id": image,
        "category_id": category,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "score": score,
    }


def test_of_boxes_is_said_where_they_are_and_nothing_about_text(
    evaluate: Evaluate, capsys: Any
) -> None:
    found = evaluate(
        coco(),
        "results.json",
        [result(1, 1, CAT, 0.5), result(2, 1, CAT, 0.5)],
        "--max-pixels",
        "401408",
    )
    assert (found["counts"]["answers"], found["counts"]["missing"]) == (2, 0)
    assert (
        not {"format", "score", "synonyms", "max_pixels", "duplicates"}
        & found["conditions"]["arguments"].keys()
    )
    assert found["conditions"].keys() == {"confidence", "labels", "limits", "arguments"}
    printed = capsys.readouterr().out
    assert "in 2 of 7 images" in printed
    assert "not parsed" not in printed


@pytest.mark.parametrize(
    "options", [["--score", "area"], ["--synonyms", "synonyms.yaml"]], ids=["score", "synonyms"]
)
def test_options_that_boxes_cannot_have_are_refused(
    refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    (tmp_path / "synonyms.yaml").write_text("kitty: cat\n")
    monkeypatch.chdir(tmp_path)
    assert options[0] in refused(coco(), "results.json", [result(1, 1, CAT, 0.5)], *options)


@pytest.mark.parametrize("pixels", ["0", "-1", "783"])
def test_too_few_max_pixels_are_refused(refused: Any, pixels: str) -> None:
    assert "--max-pixels of at least 784" in refused(
        coco(), "infer.jsonl", [{}], "--max-pixels", pixels
    )


def expressions() -> dict[str, Any]:
    data = coco({"left": [(1, CAT)], "right": [(1, DOG)]})
    return data | {
        "images": [image | {"caption": f"the {image['id']}"} for image in data["images"]]
    }


FAR = [200, 120, 240, 138]


def test_of_an_expressions_answer_the_first_box_counts(
    tmp_path: Path, write: Any, evaluate: Evaluate
) -> None:
    write_boxes = get_format("qwen2_5_vl").write
    answers = {1: as_boxes([CAT, FAR]), 2: as_boxes([DOG, FAR])}
    rows = [
        {"image_id": image, "response": write_boxes(found, ["thing"] * 2)}
        for image, found in answers.items()
    ]
    found = evaluate(expressions(), "infer.jsonl", rows, "--protocol", "refcoco")["metrics"]
    assert (found["accuracy@.5"], found["AP50"]) == (1.0, pytest.approx(1.0))
    rows = [
        {"image_id": image, "response": write_boxes(boxes[::-1], ["thing"] * 2)}
        for image, boxes in answers.items()
    ]
    found = evaluate(expressions(), "infer.jsonl", rows, "--protocol", "refcoco")["metrics"]
    assert (found["accuracy@.5"], found["AP50"]) == (0.0, 0.0)


def test_the_only_box_of_a_sentence_counts_for_an_expression(evaluate: Any) -> None:
    numbers = ", ".join(f"{number:.0f}" for number in CAT)
    rows = [{"image_id": image, "response": f"It is at [{numbers}]."} for image in (1, 2)]
    found = evaluate(expressions(), "infer.jsonl", rows, "--protocol", "refcoco")
    assert found["metrics"]["accuracy@.5"] == 0.5


def test_of_given_boxes_the_best_scored_counts_for_an_expression(evaluate: Evaluate) -> None:
    best_is_last = [result(1, 1, FAR, 0.2), result(1, 1, CAT, 0.9)]
    ties = [result(2, 1, DOG, 0.4), result(2, 1, FAR, 0.4)]
    found = evaluate(expressions(), "results.json", best_is_last + ties, "--protocol", "refcoco")
    assert (found["metrics"]["accuracy@.5"], found["metrics"]["AP50"]) == (1.0, pytest.approx(1.0))
    assert found["conditions"]["limits"] == BEST_BOX
    found = evaluate(
        expressions(), "results.json", best_is_last[:1] + ties[::-1], "--protocol", "refcoco"
    )
    assert found["metrics"]["accuracy@.5"] == 0.0
