"""The example's scenes, vocabulary and checkpoint."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from swift_plugin_visionr1 import QwenResize, get_format, read_solution


def load(checkpoint: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, checkpoint.parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shapes")
    scenes = load(checkpoint, "scenes")
    scenes.write_split(out, "train", 60, seed=1)
    scenes.write_split(out, "val", 20, seed=2)
    return out


def test_rows_and_coco_tell_the_same(data: Path) -> None:
    coco = json.loads((data / "train.json").read_text())
    rows = [json.loads(line) for line in (data / "train.jsonl").read_text().splitlines()]
    counts = []
    for row, image in zip(rows, coco["images"], strict=True):
        truth = read_solution(row["solution"])
        assert truth.size == (image["width"], image["height"]) == Image.open(row["images"][0]).size
        own = [a["bbox"] for a in coco["annotations"] if a["image_id"] == image["id"]]
        assert [[x, y, x + w, y + h] for x, y, w, h in own] == truth.boxes.tolist()
        counts.append(len(truth.boxes))
    assert {0, 1, 2, 3, 4} == set(counts), "negatives and several instances"


def test_the_same_seed_draws_the_same_scenes_and_splits_differ(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    load(checkpoint, "scenes").write_split(tmp_path, "train", 5, seed=1)
    again = json.loads((tmp_path / "train.json").read_text())["annotations"]
    assert again == json.loads((data / "train.json").read_text())["annotations"][: len(again)]
    assert again != json.loads((data / "val.json").read_text())["annotations"][: len(again)]


def test_shapes_fill_their_boxes(checkpoint: Path) -> None:
    scenes = load(checkpoint, "scenes")
    rng = np.random.default_rng(0)
    for _ in range(20):
        scene = scenes.random_scene(rng, 1)
        (x1, y1, x2, y2), pixels = scene.boxes[0], np.asarray(scene.image).astype(int)
        colourful = np.ptp(pixels, axis=2) > 60
        rows, columns = np.where(colourful)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x1, y1, x2, y2)


def test_every_scene_is_processed_at_the_models_size() -> None:
    sides = range(100, 125)
    assert {QwenResize().processed_size((w, h)) for w in sides for h in sides} == {(112, 112)}


def test_the_pruned_vocabulary_tokenises_prompts_as_the_full_one(checkpoint: Path) -> None:
    transformers = pytest.importorskip("transformers")
    scenes = load(checkpoint, "scenes")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    answer = scenes.answer(np.array([[1, 20, 33, 112]]), ("red circle",))
    # The full tokenizer's pieces: whole words, single digits.
    pieces = [tokenizer.decode([i]) for i in tokenizer.encode(answer)]
    assert pieces == [
        "[",
        '{"',
        "bbox",
        "_",
        "2",
        "d",
        '":',
        " [",
        "1",
        ",",
        " ",
        "2",
        "0",
        ",",
        " ",
        "3",
        "3",
        ",",
        " ",
        "1",
        "1",
        "2",
        "],",
        ' "',
        "label",
        '":',
        ' "',
        "red",
        " circle",
        '"}',
        "]",
    ]
    for text in (scenes.PROMPT, answer, "plätzlich 東京"):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_checkpoint_is_small(checkpoint: Path) -> None:
    assert sum(file.stat().st_size for file in checkpoint.iterdir()) < 8 * 2**20


def test_answers_are_in_the_models_format(checkpoint: Path) -> None:
    scenes = load(checkpoint, "scenes")
    scene = scenes.random_scene(np.random.default_rng(3), 3)
    parsed = get_format("qwen2_5_vl").parse(scenes.answer(scene.boxes, scene.labels))
    assert (parsed.boxes.tolist(), parsed.labels, parsed.issues) == (
        scene.boxes.tolist(),
        scene.labels,
        (),
    )
