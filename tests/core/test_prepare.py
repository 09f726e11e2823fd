"""COCO annotations to rows, and the command line around it."""

import json
from pathlib import Path

import pytest
from PIL import Image

from swift_plugin_visionr1.cli import main


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
    } | changes  # fmt: skip
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
    assert first["messages"][0]["content"].startswith("<image>Locate every item from the category list")
    assert first["messages"][0]["content"].endswith("The category set includes cat, dog.")
    assert first["images"] == [str(tmp_path / "a.png")]
    assert json.loads(first["solution"]) == {"width": 64, "height": 48, "boxes": [[0, 3, 10, 13]], "labels": ["dog"]}
    assert json.loads(second["solution"])["boxes"] == []
    assert (first["image_id"], second["image_id"]) == (7, 9)


def test_a_missing_image_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = [{"id": 1, "file_name": "gone.png", "width": 4, "height": 4}]
    assert main(coco(tmp_path, images=images, annotations=[])) == 2
    assert "expected the image gone.png under" in capsys.readouterr().err


def test_settings_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "strict"]) == 0
    assert "precision_over: larger" in capsys.readouterr().out


def test_bad_settings_are_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "strickt"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_plugin_path_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugin-path"]) == 0
    assert Path(capsys.readouterr().out.strip()).name == "plugin.py"
