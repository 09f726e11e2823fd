"""The tables' drawn scenes."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "paper_tables"))
import testbed

from swift_plugin_visionr1 import get_format


@pytest.mark.parametrize("name", testbed.KINDS)
def test_boxes_lie_inside_and_cover_little_of_one_another(name: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        scene = testbed.draw_scene(rng, testbed.KINDS[name])
        assert len(scene.boxes) == len(scene.labels)
        assert (scene.boxes[:, :2] >= 0).all()
        assert (scene.boxes[:, 2:] <= scene.image.size).all()
        assert (scene.boxes[:, 2:] - scene.boxes[:, :2] >= testbed.SMALL[0]).all()
        boxes = [tuple(box) for box in scene.boxes.tolist()]
        for i, one in enumerate(boxes):
            assert all(testbed.covered_share(one, two) <= 0.3 for two in boxes[i + 1 :])


def test_counts_of_the_sets_are_as_said() -> None:
    rng = np.random.default_rng(0)
    trained = [len(testbed.draw_scene(rng).boxes) for _ in range(600)]
    denser = [len(testbed.draw_scene(rng, testbed.KINDS["denser"]).boxes) for _ in range(60)]
    assert max(trained) == 10
    assert 0.11 < trained.count(0) / 600 < 0.19
    assert {count for count in denser if count} <= set(range(11, 16))


@pytest.mark.parametrize(
    ("kind", "two"), [("in_domain", False), ("unseen_colours", True)], ids=["trained", "unseen"]
)
def test_two_colours_on_one_object_are_never_in_training_scenes(kind: str, two: bool) -> None:
    rng = np.random.default_rng(0)
    several = 0
    for _ in range(80):
        scene = testbed.draw_scene(rng, testbed.KINDS[kind])
        if len(scene.boxes) != 1:
            continue
        x1, y1, x2, y2 = scene.boxes[0]
        pixels = np.asarray(scene.image).astype(int)[y1:y2, x1:x2].reshape(-1, 3)
        colourful = pixels[np.ptp(pixels, axis=1) > 60]
        several += len(np.unique(colourful.argmax(axis=1))) > 1
    assert (several > 0) == two


def test_the_answer_taught_by_sft_is_the_annotation(tmp_path: Path) -> None:
    testbed.write_sets(tmp_path, train=20, in_domain=2, others=1)
    for line in (tmp_path / "train_sft.jsonl").read_text().splitlines():
        row = json.loads(line)
        said = get_format("qwen2_5_vl").parse(row["messages"][-1]["content"])
        assert not said.issues
        taught = next(
            json.loads(one["solution"])
            for one in map(json.loads, (tmp_path / "train.jsonl").read_text().splitlines())
            if one["images"] == row["images"]
        )
        sides = np.array([taught["width"], taught["height"]] * 2)
        boxes_xyxy = np.array(taught["boxes"]).reshape(-1, 4)
        assert np.abs(said.boxes * sides / 112 - boxes_xyxy).max(initial=0) < 0.6
        assert list(said.labels) == taught["labels"]
