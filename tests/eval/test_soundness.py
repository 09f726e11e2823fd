"""Annotations that do not fit their images, in the evaluator's commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmdet_eval.cli import main

WIDTH, HEIGHT = 640, 480
PERFECT = [[64, 96, 256, 240], [400, 240, 240, 240], [100, 50, 200, 300], [10, 10, 300, 200]]


def files(folder: Path, change: Callable[[list[int]], list[int]] = list) -> dict[str, Path]:
    """Two images with two boxes each, and perfect answers in thousandths."""
    (folder / "images").mkdir()
    data: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    data["categories"] = [{"id": 1, "name": "cat"}]
    answers = []
    for number in (1, 2):
        name = f"{number}.jpg"
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "images" / name)
        data["images"].append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        boxes = PERFECT[2 * number - 2 : 2 * number]
        data["annotations"] += [
            {"id": 10 * number + k, "image_id": number, "category_id": 1, "bbox": change(box)}
            for k, box in enumerate(boxes)
        ]
        said = [
            {
                "bbox_2d": [
                    1000 * x / WIDTH,
                    1000 * y / HEIGHT,
                    1000 * (x + w) / WIDTH,
                    1000 * (y + h) / HEIGHT,
                ],
                "label": "cat",
            }
            for x, y, w, h in boxes
        ]
        answers.append({"images": [name], "response": json.dumps(said)})
    (folder / "ann.json").write_text(json.dumps(data))
    (folder / "infer.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    return {name: folder / name for name in ("ann.json", "infer.jsonl", "images")}


def evaluate(folder: Path, *words: str) -> int:
    return main(
        [
            "--ann",
            str(folder / "ann.json"),
            "--pred",
            str(folder / "infer.jsonl"),
            "--model-type",
            "qwen3_vl",
            "--engine",
            "hotcoco",
            "--out",
            str(folder / "out"),
            *words,
        ]
    )


def metrics(folder: Path) -> tuple[float, list[str]]:
    data = json.loads((folder / "out" / "metrics.json").read_text())
    only = next(iter(data["datasets"].values()))
    return only["metrics"]["mAP"], only["warnings"]


def edited(folder: Path, change: Callable[[Any], None]) -> None:
    data = json.loads((folder / "ann.json").read_text())
    change(data)
    (folder / "ann.json").write_text(json.dumps(data))


FAULTS: dict[str, Callable[[list[int]], list[int]]] = {
    "corners": lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]],
    "unshrunk": lambda b: [2 * v for v in b],
    "0-1": lambda b: [b[0] / 640, b[1] / 480, b[2] / 640, b[3] / 480],  # type: ignore[list-item]
}


@pytest.mark.parametrize("images", [False, True], ids=["alone", "with images"])
@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_with_a_name_is_refused(tmp_path: Path, case: str, images: bool) -> None:
    files(tmp_path, FAULTS[case])
    words = ["--images", str(tmp_path / "images")] if images else []
    assert evaluate(tmp_path, *words) == 2
    assert not (tmp_path / "out" / "metrics.json").exists()


@pytest.mark.parametrize("case", FAULTS)
def test_no_prompts_are_written(tmp_path: Path, case: str) -> None:
    files(tmp_path, FAULTS[case])
    out = tmp_path / "prompts.jsonl"
    words = ["--ann", str(tmp_path / "ann.json"), "--images", str(tmp_path / "images")]
    assert main(["prompts", *words, "--out", str(out)]) == 2
    assert not out.exists()


def test_the_size_of_the_image_files_counts_where_they_are_at_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files(tmp_path)
    for path in (tmp_path / "images").glob("*.jpg"):
        Image.new("RGB", (320, 240)).save(path)
    assert evaluate(tmp_path) == 0
    assert evaluate(tmp_path, "--images", str(tmp_path / "images")) == 2
    assert "320 x 240" in capsys.readouterr().err


def flat(data: Any) -> None:
    data["annotations"].append({"id": 99, "image_id": 1, "category_id": 1, "bbox": [9, 9, 0, 0]})


def far_outside(data: Any) -> None:
    data["annotations"].append(
        {"id": 99, "image_id": 1, "category_id": 1, "bbox": [-200, 9, 260, 90]}
    )


@pytest.mark.parametrize("spoil", [flat, far_outside], ids=["no area", "beyond the border"])
def test_what_cocoeval_takes_is_counted_and_warned_of(
    tmp_path: Path, spoil: Callable[[Any], None]
) -> None:
    files(tmp_path)
    edited(tmp_path, spoil)
    assert evaluate(tmp_path) == 0
    precision, warnings = metrics(tmp_path)
    assert precision < 0.9
    assert any("annotation 99" in warning for warning in warnings)


def test_a_sound_file_is_evaluated_without_a_word(tmp_path: Path) -> None:
    files(tmp_path)
    assert evaluate(tmp_path, "--images", str(tmp_path / "images")) == 0
    precision, warnings = metrics(tmp_path)
    assert (round(precision, 6), [w for w in warnings if "annotation" in w]) == (1.0, [])


@pytest.mark.parametrize("start", ["..\\..\\media\\upload\\4\\", "images\\", "/other/machine/"])
def test_names_from_another_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], start: str
) -> None:
    files(tmp_path)

    def foreign(data: Any) -> None:
        for image in data["images"]:
            image["file_name"] = start + image["file_name"]

    edited(tmp_path, foreign)
    assert evaluate(tmp_path, "--images", str(tmp_path / "images")) == 0
    assert "2 of 2 images" in capsys.readouterr().err
    assert round(metrics(tmp_path)[0], 6) == 1.0
    out = tmp_path / "prompts.jsonl"
    words = ["--ann", str(tmp_path / "ann.json"), "--images", str(tmp_path / "images")]
    assert main(["prompts", *words, "--out", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [Path(row["images"][0]) for row in rows] == [
        tmp_path / "images" / "1.jpg",
        tmp_path / "images" / "2.jpg",
    ]


def test_images_that_are_not_in_the_folder_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files(tmp_path)
    next((tmp_path / "images").glob("*.jpg")).unlink()
    assert evaluate(tmp_path, "--images", str(tmp_path / "images")) == 0
    assert "1 of 2 (50%)" in capsys.readouterr().err


def test_single_images_off_by_a_rounded_pixel_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files(tmp_path)
    Image.new("RGB", (WIDTH - 1, HEIGHT)).save(tmp_path / "images" / "2.jpg")
    assert evaluate(tmp_path, "--images", str(tmp_path / "images")) == 0
    assert "1 of 2 (50%)" in capsys.readouterr().err
    assert metrics(tmp_path)[0] == pytest.approx(1)
