"""`vision-r1 upright`: photographs turned as viewers show them, with boxes that then lie right."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs the extra `viz`")
from PIL import Image, ImageOps

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.data.images import open_image, read_header

STORED, SHOWN = (64, 48), (48, 64)
BOX = [10, 40, 20, 15]  # x, y, width, height in the image as shown: below the stored one's border


def photograph(path: Path, orientation: int) -> None:
    """Blue, with a red box at BOX as viewers show it."""
    size = SHOWN if orientation >= 5 else STORED
    shown = Image.new("RGB", size, "blue")
    shown.paste("red", (BOX[0], BOX[1] - 16, BOX[0] + BOX[2], BOX[1] + BOX[3] - 16))
    turns = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    stored = shown if orientation == 1 else shown.transpose(turns[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(path, exif=exif, **({"quality": 95} if path.suffix == ".jpg" else {}))
    assert ImageOps.exif_transpose(Image.open(path)).size == size


def annotations(folder: Path, orientations: list[int]) -> Path:
    images = []
    for number, orientation in enumerate(orientations):
        name = f"{number}.{'png' if number % 2 else 'jpg'}"
        photograph(folder / name, orientation)
        images.append({"id": number, "file_name": name, "width": STORED[0], "height": STORED[1]})
    path = folder / "ann.json"
    path.write_text(json.dumps({"images": images, "annotations": [], "categories": [], "x": 1}))
    return path


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8])
def test_the_copy_shows_what_a_viewer_shows(tmp_path: Path, orientation: int) -> None:
    ann = annotations(tmp_path, [orientation, orientation])
    out = tmp_path / "out"
    assert main(["upright", "--ann", str(ann), "--images", str(tmp_path), "--out", str(out)]) == 0
    written = json.loads((out / "ann.json").read_text())
    assert written["x"] == 1
    for entry, name in zip(written["images"], ["0.jpg", "1.png"], strict=True):
        header = read_header(entry["file_name"])
        assert (header.size, header.orientation) == ((entry["width"], entry["height"]), 1)
        assert header.size == (SHOWN if orientation >= 5 else STORED)
        viewer = ImageOps.exif_transpose(Image.open(tmp_path / name)).convert("RGB")
        seen = np.asarray(open_image(entry["file_name"])).astype(int)
        assert np.abs(seen - np.asarray(viewer)).mean() < 3
        is_original = entry["file_name"] == str(tmp_path / name)
        assert is_original == (orientation == 1)


def test_rows_of_any_form(tmp_path: Path) -> None:
    photograph(tmp_path / "a.jpg", 6)
    photograph(tmp_path / "b.jpg", 1)
    solution = {"width": 64, "height": 48, "boxes": [], "labels": []}
    rows = [
        {"images": [str(tmp_path / "a.jpg")], "solution": json.dumps(solution), "more": 1},
        {"image": str(tmp_path / "a.jpg"), "width": 64, "height": 48, "solution": "[]"},
        {"image": str(tmp_path / "a.jpg"), "width": 48, "height": 64, "solution": "[]"},
        {"images": [str(tmp_path / "b.jpg")], "solution": json.dumps(solution)},
        {"images": ["https://example.org/a.jpg"], "solution": json.dumps(solution)},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    assert main(["upright", "--rows", str(tmp_path / "rows.jsonl"), "--out", str(out)]) == 0
    ours, authors, right, *others = map(json.loads, (out / "rows.jsonl").read_text().splitlines())
    assert json.loads(ours["solution"]) == solution | {"width": 48, "height": 64}
    assert (authors["width"], authors["height"]) == (right["width"], right["height"]) == SHOWN
    assert read_header(ours["images"][0]).size == SHOWN
    assert ours["images"] == [authors["image"]] == [right["image"]]
    assert others == rows[3:]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: (folder / "0.jpg").unlink(), id="missing image"),
        pytest.param(lambda folder: (folder / "ann.json").write_text("[]"), id="no annotations"),
    ],
)
def test_nothing_is_written_at_an_error(tmp_path: Path, change: object) -> None:
    ann = annotations(tmp_path, [6, 6])
    change(tmp_path)
    out = tmp_path / "out"
    assert main(["upright", "--ann", str(ann), "--images", str(tmp_path), "--out", str(out)]) == 2
    assert not out.exists()


def test_the_source_is_not_overwritten(tmp_path: Path) -> None:
    ann = annotations(tmp_path, [6, 6])
    before = ann.read_text()
    options = ["--ann", str(ann), "--images", str(tmp_path), "--out", str(tmp_path)]
    assert main(["upright", *options]) == 2
    assert ann.read_text() == before
