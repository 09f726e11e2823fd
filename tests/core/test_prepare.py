"""COCO annotations to rows, and the command line around it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.formats.questions import DETECT, WITHOUT_JSON
from swift_plugin_visionr1.models.model_io import Limits, model_io


def coco(tmp_path: Path, **changes: object) -> list[str]:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    Image.new("RGB", (64, 48)).save(tmp_path / "b.png")
    data = {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 64, "height": 48},
            {"id": 9, "file_name": "b.png", "width": 64, "height": 48},
        ],
        "categories": [{"id": 3, "name": "cat"}, {"id": 5, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 5, "bbox": [-2, 3, 12, 10]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [1, 1, 5, 5], "iscrowd": 1},
            {"id": 3, "image_id": 7, "category_id": 3, "bbox": [10, 10, 0, 5]},
        ],
    } | changes
    (tmp_path / "ann.json").write_text(json.dumps(data))
    return [
        "prepare",
        "--ann",
        str(tmp_path / "ann.json"),
        "--images",
        str(tmp_path),
        "--out",
        str(tmp_path / "rows.jsonl"),
    ]


def test_rows(tmp_path: Path) -> None:
    assert main(coco(tmp_path)) == 0
    first, second = map(json.loads, (tmp_path / "rows.jsonl").read_text().splitlines())
    assert first["messages"][0]["content"].startswith(
        "<image>Locate every item from the category list"
    )
    assert first["messages"][0]["content"].endswith("The category set includes cat, dog.")
    assert first["images"] == [str(tmp_path / "a.png")]
    assert json.loads(first["solution"]) == {
        "width": 64,
        "height": 48,
        "boxes": [[0, 3, 10, 13]],
        "labels": ["dog"],
    }
    assert json.loads(second["solution"])["boxes"] == []
    assert (first["image_id"], second["image_id"]) == (7, 9)


def test_a_missing_image_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = [{"id": 1, "file_name": "gone.png", "width": 4, "height": 4}]
    assert main(coco(tmp_path, images=images, annotations=[])) == 2
    assert "gone.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param(
            {"images": [{"id": 7, "file_name": "a.png"}]}, ["image 7", "width"], id="no width"
        ),
        pytest.param(
            {"annotations": [{"id": 4, "image_id": 7, "category_id": 3}]},
            ["annotation 4", "bbox"],
            id="no bbox",
        ),
        pytest.param(
            {"annotations": [{"id": 4, "image_id": 7, "category_id": 4, "bbox": [1, 1, 5, 5]}]},
            ["annotation 4", "category_id", "got 4"],
            id="unknown category",
        ),
        pytest.param(
            {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [1, 1, 5]}]},
            ["annotation number 1", "bbox", "[1, 1, 5]"],
            id="three numbers, no id",
        ),
        pytest.param({"categories": [{"id": 3}]}, ["category 3", "name"], id="no name"),
        pytest.param(
            {"annotations": [{"id": 4, "image_id": "7", "category_id": 3, "bbox": [1, 1, 5, 5]}]},
            ["annotation 4", "image_id", "'7'"],
            id="ids of another type",
        ),
    ],
)
def test_a_bad_record_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict, named: list[str]
) -> None:
    assert main(coco(tmp_path, **changes)) == 2
    error = capsys.readouterr().err
    assert [word for word in named if word not in error] == []
    assert error.count("\n") == 1
    assert not (tmp_path / "rows.jsonl").exists()


def test_the_question_can_be_given(tmp_path: Path) -> None:
    assert main([*coco(tmp_path), "--prompt", 'Find {} as {"bbox_2d": ...}']) == 0
    first = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert first["messages"] == [
        {"role": "user", "content": '<image>Find cat, dog as {"bbox_2d": ...}'}
    ]


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        pytest.param(
            ["--model-type", "paligemma"], "detect cat ; dog", id="joined as the family does"
        ),
        pytest.param(
            ["--model-type", "internvl_chat", "--classes", "dog"],
            "Please detect and label all objects in the following image and mark their positions. "
            "The category set includes dog.",
            id="one of several",
        ),
        pytest.param(
            ["--model-type", "deepseek_vl2", "--classes", "dog"],
            "Locate <|ref|>dog<|/ref|> in the given image.",
            id="documented for one",
        ),
        pytest.param(
            ["--model-type", "deepseek_vl2"],
            WITHOUT_JSON.format("cat, dog"),
            id="documented for no more than one",
        ),
        pytest.param(
            ["--model-type", "qwen2_5_vl", "--classes", "dog"],
            DETECT.format("dog"),
            id="the paper's model",
        ),
        pytest.param(
            ["--config", "rex.yaml"],
            "Detect cat, dog. Output the bounding box coordinates in [x0, y0, x1, y1] format.",
            id="a format by the settings",
        ),
        pytest.param(["--model-type", "paligemma", "--target"], "detect cat ; dog", id="for sft"),
        pytest.param(
            ["--model-type", "paligemma", "--prompt", "Find {}."],
            "Find cat, dog.",
            id="a prompt wins",
        ),
        pytest.param(["--prompt", "Find {: and }."], "Find cat and dog.", id="a prompt that joins"),
    ],
)
def test_the_question_of_the_models_authors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], asked: str
) -> None:
    monkeypatch.delenv("VISION_R1_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("rex.yaml").write_text("format: rex_omni")
    assert main([*coco(tmp_path), *options]) == 0
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["messages"][0]["content"] for row in rows] == [f"<image>{asked}"] * 2


def test_without_a_model_type_the_environment_does_not_choose_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reward.yaml").write_text("model_type: paligemma")
    monkeypatch.setenv("VISION_R1_CONFIG", str(tmp_path / "reward.yaml"))
    assert main(coco(tmp_path)) == 0
    first = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert first["messages"][0]["content"] == "<image>" + DETECT.format("cat, dog")


ANSWERS = {  # of an image of 64 x 48 with a dog at [0, 3, 10, 13], and of one with nothing
    "qwen2_5_vl": (
        '```json\n[\n\t{"bbox_2d": [0, 4, 9, 15], "label": "dog"}\n]\n```',
        "```json\n[]\n```",
    ),
    "qwen3_vl": (
        '```json\n[\n\t{"bbox_2d": [0, 62, 156, 271], "label": "dog"}\n]\n```',
        "```json\n[]\n```",
    ),
    "internvl_chat": ("<ref>dog</ref><box>[[0, 62, 156, 271]]</box>", "None"),
    "griffon_g": ("dog-[0.000,0.062,0.156,0.271]", "None"),
}


@pytest.mark.parametrize("model_type", ANSWERS)
def test_targets_are_the_models_own_answers(tmp_path: Path, model_type: str) -> None:
    assert main([*coco(tmp_path), "--target", "--model-type", model_type]) == 0
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["messages"][-1]["role"] for row in rows] == ["assistant"] * 2
    assert tuple(row["messages"][-1]["content"] for row in rows) == ANSWERS[model_type]
    assert json.loads(rows[0]["solution"])["boxes"] == [[0, 3, 10, 13]]


@pytest.mark.parametrize("max_pixels", [None, "100352"])
@pytest.mark.parametrize("model_type", ANSWERS)
@pytest.mark.parametrize(
    ("folder", "annotations"),
    [("bccd", "instances_val"), ("chess_cc0", "instances_valid"), ("coco_open", "instances")],
)
def test_targets_are_read_back_to_half_a_unit(
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    annotations: str,
    model_type: str,
    max_pixels: str | None,
) -> None:
    environ = {"MAX_PIXELS": max_pixels} if max_pixels else {}
    for name in ("MAX_PIXELS", "VISION_R1_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    source, out = shared_data / folder, tmp_path / "rows.jsonl"
    words = [
        "--ann",
        str(source / f"{annotations}.json"),
        "--images",
        str(source / "images"),
        "--out",
        str(out),
    ]
    assert main(["prepare", *words, "--target", "--model-type", model_type]) == 0
    io = model_io(Settings(), model_type, Limits(environ))
    half = 0.0005 if model_type == "griffon_g" else 0.5
    for row in map(json.loads, out.read_text().splitlines()):
        truth, parsed = json.loads(row["solution"]), io.format.parse(row["messages"][-1]["content"])
        view = io.resize.view((truth["width"], truth["height"]))
        wanted = io.format.frame.from_image(np.array(truth["boxes"]).reshape(-1, 4), view)
        assert parsed.issues == io.format.content_issues(parsed, view) == ()
        rounded = np.rint(wanted / (2 * half))
        thick = (rounded[:, :2] < rounded[:, 2:]).all(axis=1)
        assert thick.sum() >= len(thick) - 1
        assert list(parsed.labels) == list(np.array(truth["labels"])[thick])
        np.testing.assert_allclose(parsed.boxes, wanted[thick], rtol=0, atol=half + 1e-9)


def test_boxes_thinner_than_the_grid_are_in_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = [[10, 10, 0.2, 20], [10, 10, 20, 20]]
    annotations = [{"image_id": 7, "category_id": 3, "bbox": box} for box in boxes]
    assert main([*coco(tmp_path, annotations=annotations), "--target"]) == 0
    first = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert first["messages"][-1]["content"].count("bbox_2d") == 1
    assert len(json.loads(first["solution"])["boxes"]) == 2
    assert (
        "1 boxes are in no answer: they are thinner than the format's grid"
        in capsys.readouterr().out
    )


def test_a_label_that_the_format_cannot_hold_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = coco(tmp_path, categories=[{"id": 3, "name": "cat"}, {"id": 5, "name": "a-[1]&b"}])
    assert main([*words, "--target", "--model-type", "griffon"]) == 2
    assert "['a-[1]&b']" in capsys.readouterr().err


def test_classes_are_asked_for_in_their_order(tmp_path: Path) -> None:
    categories = [{"id": 3, "name": "cat"}, {"id": 5, "name": "dog"}, {"id": 6, "name": "owl"}]
    annotations = [
        {"image_id": 7, "category_id": number, "bbox": [1, 1, 5, 5]} for number in (3, 5, 6)
    ]
    words = coco(tmp_path, categories=categories, annotations=annotations)
    assert main([*words, "--classes", "owl", "cat"]) == 0
    first = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert first["messages"][0]["content"].endswith("The category set includes owl, cat.")
    assert json.loads(first["solution"])["labels"] == ["cat", "owl"]


def test_a_class_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*coco(tmp_path), "--classes", "dogs"]) == 2
    assert "'dog'" in capsys.readouterr().err


def test_what_was_written_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = coco(tmp_path)
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == (
        f"wrote {tmp_path / 'rows.jsonl'}: 2 rows, 1 boxes; no box is of cat: --classes names those "
        "to ask for"
    )
    assert said[1:] == [
        "left out: 1 boxes of crowds: annotation 2",
        "left out: 1 boxes without area: annotation 3",
        "clipped: 1 boxes that left their image by up to 3 pixels: annotation 1",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--model-type", "qwen2_5_vl"], "", id="nothing to say"),
        pytest.param(
            [], "note: no --model-type, so the answers are for qwen2_5_vl", id="no model type"
        ),
        pytest.param(["--model-type", "internvl_chat"], "", id="its authors' question"),
        pytest.param(["--model-type", "cogvlm"], "", id="without JSON"),
        pytest.param(
            ["--model-type", "paligemma", "--prompt", "Find {} as JSON."],
            "note: the prompt asks for JSON, which paligemma is not: its authors ask 'detect cat ; "
            "dog', and "
            "so does `vision-r1 prepare --model-type ...`",
            id="JSON",
        ),
        pytest.param(
            ["--model-type", "cogvlm", "--prompt", "Find {} as JSON."],
            "note: the prompt asks for JSON, which cogvlm is not: its authors ask for one thing at "
            "a time, "
            "'Can you point out cat in the image",
            id="JSON, no question",
        ),
        pytest.param(
            ["--model-type", "internvl_chat", "--prompt", "Find all {}."], "", id="own question"
        ),
    ],
)
def test_notes_about_targets(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
) -> None:
    monkeypatch.delenv("VISION_R1_CONFIG", raising=False)
    assert main([*coco(tmp_path), "--target", *options]) == 0
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == bool(said)


def test_output_that_nobody_reads_any_more_ends_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", "swift_plugin_visionr1.cli", "settings"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


def test_options_that_only_targets_need(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*coco(tmp_path), "--max-pixels", "401408"]) == 2
    assert "--target" in capsys.readouterr().err


def test_settings_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "strict"]) == 0
    assert "precision_over: larger" in capsys.readouterr().out


def test_bad_settings_are_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "strickt"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_plugin_path_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugin-path"]) == 0
    assert Path(capsys.readouterr().out.strip()).name == "plugin.py"


def test_the_template_decides_what_stands_around_the_answer(tmp_path: Path) -> None:
    """MiMo-VL has Qwen2.5-VL's model type, and reasons."""
    assert (
        main([*coco(tmp_path), "--target", "--model-type", "qwen2_5_vl", "--template", "mimo_vl"])
        == 0
    )
    row = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert row["messages"][1]["content"].startswith("<think>\n</think>\n\n```json\n")


def test_the_curator_writes_the_same_boxes(shared_data: Path, tmp_path: Path) -> None:
    """Their numbers are those of the annotation; the curator rounds to a thousandth of a pixel, and
    does not ask for a category with a crowd in the image."""
    source = shared_data / "coco_open"
    records = json.loads((source / "instances.json").read_text())["annotations"]
    crowds = {record["image_id"] for record in records if record["iscrowd"]}
    truths = {}
    for way in ("ann", "source"):
        out = tmp_path / f"{way}.jsonl"
        words = [f"--{way}", str(source / "instances.json"), "--images", str(source / "images")]
        assert main(["prepare", *words, "--out", str(out)]) == 0
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        truths[way] = {row["image_id"]: json.loads(row["solution"]) for row in rows}
    assert truths["ann"].keys() == truths["source"].keys() > crowds
    for image in truths["ann"].keys() - crowds:
        plain, curated = truths["ann"][image], truths["source"][image]
        assert plain["labels"] == curated["labels"]
        rounded = np.round(np.reshape(plain["boxes"], (-1, 4)), 3)
        assert rounded.tolist() == np.reshape(curated["boxes"], (-1, 4)).tolist()
