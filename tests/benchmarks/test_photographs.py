"""The tables' testbed of photographs: crops, their boxes and their labels."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "paper_tables"))
import evidence
import photographs
import results
import run_list
import testbed

from swift_plugin_visionr1.errors import InputError

COLOURS = {"cell": (250, 20, 20), "dot": (20, 20, 250)}
BOXES = {
    "cell": [(100, 100, 200, 190), (300, 150, 420, 260), (450, 300, 540, 420)],
    "dot": [(230, 300, 270, 330), (30, 330, 90, 390)],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of one image, whose objects have the colour of their class."""
    out = tmp_path_factory.mktemp("photographs")
    (out / "images").mkdir()
    image = Image.new("RGB", (640, 480), (230, 230, 230))
    records = []
    for number, (name, boxes) in enumerate(BOXES.items(), 1):
        for x1, y1, x2, y2 in boxes:
            ImageDraw.Draw(image).rectangle((x1, y1, x2 - 1, y2 - 1), fill=COLOURS[name])
            box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
            about = {"id": len(records) + 1, "image_id": 1, "category_id": number, "iscrowd": 0}
            records.append(about | box)
    image.save(out / "images" / "one.png")
    coco = {
        "images": [{"id": 1, "file_name": "one.png", "width": 640, "height": 480}],
        "annotations": records,
        "categories": [{"id": i, "name": name} for i, name in enumerate(BOXES, 1)],
    }
    for name in (photographs.TRAIN, photographs.TEST):
        (out / name).write_text(json.dumps(coco))
    return out


@pytest.mark.parametrize("split", ["train", "in_domain"])
def test_boxes_of_a_crop_hold_their_objects(folder: Path, split: str) -> None:
    bed = photographs.read_testbed(folder)
    draw = bed.train if split == "train" else bed.sets[split]
    rng, seen = np.random.default_rng(0), 0
    for _ in range(100):
        scene = draw(rng)
        assert (scene.boxes >= 0).all()
        assert (scene.boxes[:, 2:] <= scene.image.size).all()
        assert list(map(tuple, scene.boxes)) == sorted(map(tuple, scene.boxes))
        for (x1, y1, x2, y2), label in zip(scene.boxes, scene.labels, strict=True):
            inner = np.asarray(scene.image)[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].reshape(-1, 3)
            assert np.abs(inner.astype(int) - COLOURS[label]).max() < 60
            seen += 1
    assert seen > 30


def test_what_is_hardly_visible_is_not_annotated() -> None:
    whole_xyxy = np.array([[-30.0, 10, 10, 30], [0, 10, 40, 30], [-50, 10, -10, 30]])
    shares = photographs.visible_shares(whole_xyxy.clip(0, 100).astype(int), whole_xyxy)
    assert shares.tolist() == [0.25, 1, 0]


def test_rows_ask_for_the_classes_of_the_data_set(folder: Path, tmp_path: Path) -> None:
    bed = photographs.read_testbed(folder)
    testbed.write_sets(tmp_path, train=3, in_domain=2, others=9, testbed=bed)
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert all(row["messages"][0]["content"].endswith("includes cell, dot.") for row in rows)
    assert len((tmp_path / "in_domain.jsonl").read_text().splitlines()) == 2


def test_a_folder_without_the_data_set_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"instances_train\.json"):
        photographs.read_testbed(tmp_path)
    for name in (photographs.TRAIN, photographs.TEST):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "images").mkdir()
    Image.new("RGB", (180, 180)).save(tmp_path / "images" / "one.png")
    with pytest.raises(InputError, match="180 x 180"):
        photographs.read_testbed(tmp_path)


def test_the_section_shows_the_stored_numbers() -> None:
    runs = run_list.read_run_list(evidence.HERE / "photographs.yaml")
    stored = results.read_results(evidence.PHOTOGRAPHS, runs)
    section = (evidence.PHOTOGRAPHS / evidence.SECTION).read_text()
    assert section in (evidence.ROOT / "docs" / "evidence.md").read_text()
    for base in runs.bases:
        for setting in runs.settings:
            values = [
                results.number(one, "mAP", testbed.IN_DOMAIN)
                for one in stored.of(base, setting.name)
            ]
            row = f"| `{setting.name}` | {len(values)} | "
            assert not values or row + evidence.spread(values) in section
