"""`mmdet-eval prompts`: the rows for `swift infer`."""

import argparse
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.commands import prompts
from mmdet_eval.suites.files import load_suite
from mmdet_eval.suites.prompt_rows import prompt_rows
from mmdet_eval.suites.protocols import load_protocol
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1 import QwenResize, get_format
from swift_plugin_visionr1.errors import ImageError, InputError
from swift_plugin_visionr1.formats.questions import DETECT, WITHOUT_JSON

from .odinw import answer_rows, make_odinw


@pytest.fixture
def images(dataset: Any, tmp_path: Path) -> Path:
    """A folder with a file for each image of `dataset`."""
    folder = tmp_path / "pictures"
    for image in dataset["images"]:
        path = folder / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (image["width"], image["height"])).save(path)
    return folder


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    prompts.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["prompts", *map(str, arguments)])
    code: int = parsed.run(parsed)
    return code


def test_a_row_has_what_inference_and_evaluation_need(
    dataset: Any, write: Any, images: Path
) -> None:
    spec = DatasetSpec("shapes", write("ann.json", dataset), images)
    rows = prompt_rows(spec, read_annotations(spec.ann), load_protocol("vision_r1_odinw"))
    text = "Locate every blue square in the image and output the coordinates in JSON format."
    assert rows[1] == {
        "messages": [{"role": "user", "content": f"<image>{text}"}],
        "images": [str(images / "val/3.png")],
        "dataset": "shapes",
        "image_id": 3,
        "width": 641,
        "height": 427,
        "query": text,
        "category": "blue square",
        "category_id": 2,
        "protocol": "vision_r1_odinw",
    }
    assert [(row["image_id"], row["category"]) for row in rows] == [
        (3, "red circle"),
        (3, "blue square"),
        (0, "Cat"),
        (12, "red circle"),
    ]


def test_a_query_for_everything_is_about_no_category(
    dataset: Any, write: Any, images: Path
) -> None:
    spec = DatasetSpec("shapes", write("ann.json", dataset), images)
    rows = prompt_rows(spec, read_annotations(spec.ann), load_protocol("vision_r1_coco"))
    assert [(row["image_id"], row["category"], row["category_id"]) for row in rows] == [
        (3, None, None),
        (0, None, None),
        (12, None, None),
    ]


def test_the_path_is_absolute(
    dataset: Any, write: Any, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(images.parent)
    spec = DatasetSpec("shapes", write("ann.json", dataset), Path("pictures"))
    rows = prompt_rows(spec, read_annotations(spec.ann), load_protocol("vision_r1_coco"))
    assert rows[0]["images"] == [str(images / "val/3.png")]


def test_an_image_without_a_file_name_is_refused(dataset: Any, write: Any, images: Path) -> None:
    del dataset["images"][1]["file_name"]
    spec = DatasetSpec("shapes", write("ann.json", dataset), images)
    with pytest.raises(InputError, match='image 0 of .* "file_name"'):
        prompt_rows(spec, read_annotations(spec.ann), load_protocol("vision_r1_coco"))


def test_the_command_writes_one_file(
    dataset: Any, write: Any, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset["categories"][2]["name"] = "Kätzchen"
    out = tmp_path / "new" / "prompts.jsonl"
    ann = write("ann.json", dataset)
    assert run("--protocol", "vision_r1_odinw", "--ann", ann, "--images", images, "--out", out) == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    spec = DatasetSpec("ann", ann, images)
    assert rows == prompt_rows(spec, read_annotations(ann), load_protocol("vision_r1_odinw"))
    assert "Kätzchen" in out.read_text(encoding="utf-8")
    assert re.findall(r"\b\d+ \w+", capsys.readouterr().out)[:2] == ["4 queries", "3 images"]


def test_missing_pictures_are_an_error_before_anything_is_written(
    dataset: Any, write: Any, images: Path, tmp_path: Path
) -> None:
    (images / "val/0.png").unlink()
    out = tmp_path / "prompts.jsonl"
    with pytest.raises(ImageError, match=r"image 0 of a: expected .*pictures/val/0\.png"):
        run(
            "--protocol",
            "vision_r1_coco",
            "--ann",
            write("a.json", dataset),
            "--images",
            images,
            "--out",
            out,
        )
    assert not out.exists()


def test_a_protocol_that_asks_nothing_is_an_error(
    dataset: Any, write: Any, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "prompts.jsonl"
    with pytest.raises(InputError, match="got no query: no image has a caption"):
        run(
            "--protocol",
            "refcoco",
            "--ann",
            write("a.json", dataset),
            "--images",
            images,
            "--out",
            out,
        )


def test_annotations_need_a_folder_of_images(dataset: Any, write: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected --images"):
        run("--ann", write("a.json", dataset), "--out", tmp_path / "o.jsonl")


def test_annotations_are_asked_about_by_the_coco_protocol(
    dataset: Any, write: Any, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.jsonl"
    run("--ann", write("a.json", dataset), "--images", images, "--out", out)
    assert {json.loads(line)["protocol"] for line in out.read_text().splitlines()} == {
        "vision_r1_coco"
    }


@pytest.mark.parametrize(
    ("options", "protocol", "query"),
    [
        pytest.param(
            ["--model-type", "paligemma"],
            "vision_r1_coco:paligemma",
            "detect red circle ; blue square ; Cat",
            id="authors-words",
        ),
        pytest.param(
            ["--model-type", "qwen2_5_vl"],
            "vision_r1_coco",
            DETECT.format("red circle, blue square, Cat"),
            id="papers-model",
        ),
        pytest.param(
            ["--model-type", "deepseek_vl2"],
            "vision_r1_coco:deepseek_vl2",
            WITHOUT_JSON.format("red circle, blue square, Cat"),
            id="tags-no-question",
        ),
        pytest.param(
            ["--model-type", "paligemma", "--protocol", "vision_r1_coco"],
            "vision_r1_coco",
            DETECT.format("red circle, blue square, Cat"),
            id="protocol-wins",
        ),
        pytest.param(
            ["--protocol", "vision_r1_odinw:minicpm_v"],
            "vision_r1_odinw:minicpm_v",
            "Please provide the bounding box coordinate of the region this sentence describes: "
            "<ref>red circle</ref>",
            id="by-name",
        ),
    ],
)
def test_a_model_is_asked_in_the_words_of_its_authors(
    dataset: Any,
    write: Any,
    images: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    protocol: str,
    query: str,
) -> None:
    out = tmp_path / "o.jsonl"
    run("--ann", write("a.json", dataset), "--images", images, "--out", out, *options)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["protocol"] for row in rows} == {protocol}
    assert rows[0]["messages"][0]["content"] == f"<image>{query}"
    assert capsys.readouterr().err == ""


def test_a_model_that_ones_own_protocol_asks_for_what_it_does_not_write(
    dataset: Any, write: Any, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = write(
        "mine.yaml", {"prompt": "JSON, {categories}", "queries": "all", "labels": "answer"}
    )
    sets = {"one": {"ann": str(write("a.json", dataset)), "images": str(images)}}
    suite = write("suite.yaml", {"datasets": sets, "protocol": str(protocol)})
    words = ("--suite", suite, "--root", tmp_path, "--out", tmp_path / "o")
    run(*words, "--model-type", "deepseek_vl2")
    assert "asks for JSON, which deepseek_vl2 is not" in capsys.readouterr().err
    run(*words, "--model-type", "qwen2_5_vl")
    assert "asks for JSON" not in capsys.readouterr().err


def test_a_model_type_that_nobody_knows(
    dataset: Any, write: Any, images: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="got 'paligema'; did you mean 'paligemma'"):
        run(
            "--ann",
            write("a.json", dataset),
            "--images",
            images,
            "--out",
            tmp_path / "o",
            "--model-type",
            "paligema",
        )


def test_a_suite_is_written_with_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_odinw(tmp_path, ["vision_r1_ood"])
    (tmp_path / "ThermalCheetah/valid/annotations_without_background.json").unlink()
    out = tmp_path / "prompts.jsonl"
    run("--suite", "vision_r1_ood", "--root", tmp_path, "--allow-missing", "--out", out)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    # Two pictures with objects in each set: 36 classes in them, then 1 class in both, then 2
    # classes.
    assert Counter(row["dataset"] for row in rows) == {
        "boggleBoards": 36,
        "MountainDewCommercial": 2,
        "vector": 2,
    }
    assert {row["protocol"] for row in rows} == {"vision_r1_odinw"}
    assert "ThermalCheetah" in capsys.readouterr().out, "what is left out is named"


@pytest.mark.parametrize("protocol", ["vision_r1_odinw", "qwen_odinw", "qwen3_odinw"])
def test_every_prompt_of_odinw13_has_an_answer_that_is_read_as_meant(
    tmp_path: Path, protocol: str
) -> None:
    """What the end-to-end test builds on: the right boxes of the right category, in the processed
    frame."""
    make_odinw(tmp_path, ["odinw13"])
    specs = load_suite("odinw13", tmp_path)[0].datasets
    asked = load_protocol(protocol)
    rows = [
        row
        for spec in specs
        for row in prompt_rows(spec, read_annotations(spec.ann, spec.classes), asked)
    ]
    answers = answer_rows(rows, specs, QwenResize(max_pixels=200000))
    parsed = [get_format("qwen2_5_vl").parse(row["response"]) for row in answers]
    truths = [read_annotations(spec.ann, spec.classes).data["annotations"] for spec in specs]
    assert sum(len(answer.boxes) for answer in parsed) == sum(map(len, truths))
    for row, answer in zip(rows, parsed, strict=True):
        assert row["category"] is None or set(answer.labels) == {row["category"]}
        assert row["category"] is None or not answer.issues


def asked_for(out: Path) -> set[str]:
    return {
        json.loads(line)["query"].split("The category set includes ")[1]
        for line in out.read_text().splitlines()
    }


def test_only_the_classes_given_are_asked_about(
    dataset: Any, write: Any, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset["categories"].append({"id": 9, "name": "pieces"})
    ann, out = write("a.json", dataset), tmp_path / "o.jsonl"
    run("--ann", ann, "--images", images, "--out", out)
    assert "('pieces')" in capsys.readouterr().out, "never annotated"
    run("--ann", ann, "--images", images, "--out", out, "--classes", "Cat", "red circle")
    assert asked_for(out) == {"red circle, Cat."}
    assert "('pieces')" not in capsys.readouterr().out


def test_what_is_not_asked_about_may_lack_annotations(
    dataset: Any, write: Any, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset["categories"].append({"id": 9, "name": "pieces"})
    ann = write("a.json", dataset)
    run(
        "--protocol",
        "vision_r1_odinw",
        "--ann",
        ann,
        "--images",
        images,
        "--out",
        tmp_path / "o.jsonl",
    )
    assert "('pieces')" not in capsys.readouterr().out


def test_a_suite_says_its_classes_itself(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--classes only with --ann"):
        run(
            "--suite",
            "odinw13",
            "--root",
            tmp_path,
            "--classes",
            "Cat",
            "--out",
            tmp_path / "o.jsonl",
        )
