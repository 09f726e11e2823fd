"""The whole path on real photographs (BCCD blood cells): rows, GRPO, inference, evaluation."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1 import get_format

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("mmdet", reason="needs the extra `eval`")
pytestmark = pytest.mark.slow

IMAGES = 6
MAX_PIXELS = "50176"  # 640 x 480 photographs are shrunk to 64 visual tokens
# The small model can name nothing but shapes, so for it the cells are called that.
NAMES = {"RBC": "red circle", "WBC": "blue circle", "Platelets": "green circle"}


def few(annotations: Path, out: Path) -> dict:
    """The first images of a COCO file with their annotations."""
    data = json.loads(annotations.read_text())
    data["images"] = data["images"][:IMAGES]
    kept = {image["id"] for image in data["images"]}
    data["annotations"] = [a for a in data["annotations"] if a["image_id"] in kept]
    for category in data["categories"]:
        category["name"] = NAMES.get(category["name"], category["name"])
    out.write_text(json.dumps(data))
    return data


def tool(*arguments: object) -> None:
    command = [sys.executable, "-m", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]


def test_photographs_through_training_and_evaluation(
    shared_data: Path, swift: Callable, grpo: Callable, tmp_path: Path
) -> None:
    bccd = shared_data / "bccd"
    coco = few(bccd / "instances_train.json", tmp_path / "instances.json")
    rows_file = tmp_path / "rows.jsonl"
    tool(
        "swift_plugin_visionr1.cli",
        "prepare",
        "--ann",
        tmp_path / "instances.json",
        "--images",
        bccd / "images",
        "--out",
        rows_file,
    )
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()]
    assert len(rows) == IMAGES
    boxes = [box for row in rows for box in json.loads(row["solution"])["boxes"]]
    assert 0 < len(boxes) <= len(coco["annotations"])
    assert all(0 <= x1 < x2 <= 640 and 0 <= y1 < y2 <= 480 for x1, y1, x2, y2 in boxes)

    run = grpo(
        rows,
        tmp_path,
        "--reward_funcs",
        "vision_r1",
        "--callbacks",
        "vision_r1",
        "--max_steps",
        2,
        "--max_pixels",
        MAX_PIXELS,
    )
    assert run.code == 0, run.text[-3000:]
    assert "images processed with --max_pixels 50176," in run.text, (
        "the reward must see the run's own limit"
    )
    for row in run.steps:
        assert 0 <= row["reward"] <= 3
        assert all(0 <= row[f"vision_r1/{part}"] <= 1 for part in ("format", "recall", "precision"))
    assert run.steps[0]["vision_r1/truths"] > 1

    answers = tmp_path / "infer.jsonl"
    inferred = swift(
        "infer",
        "--model",
        run.out / "checkpoint-2",
        "--val_dataset",
        rows_file,
        "--result_path",
        answers,
        "--temperature",
        0,
        "--max_new_tokens",
        128,
        "--max_batch_size",
        IMAGES,
        "--max_pixels",
        MAX_PIXELS,
        out=tmp_path,
    )
    assert inferred.code == 0, inferred.text[-3000:]
    tool(
        "mmdet_eval",
        "--ann",
        tmp_path / "instances.json",
        "--pred",
        answers,
        "--out",
        tmp_path / "eval",
        "--max-pixels",
        MAX_PIXELS,
    )
    report = json.loads((tmp_path / "eval" / "metrics.json").read_text())["datasets"]["instances"]
    counts = report["counts"]
    assert (counts["images"], counts["answers"], counts["missing"]) == (IMAGES, IMAGES, 0)
    assert (
        counts["boxes_read"]
        == counts["boxes_kept"] + counts["unknown_labels"] + counts["nothing_left"]
    )
    assert all(0 <= report["metrics"][name] <= 1 for name in ("mAP", "AP50", "AP75", "AR@100"))
    results = json.loads((tmp_path / "eval" / "instances" / "coco_results.json").read_text())
    assert results, "the small model writes boxes on photographs too"
    written = [json.loads(line)["response"] for line in answers.read_text().splitlines()]
    read = [box for text in written for box in get_format("qwen2_5_vl").parse(text).boxes]
    right_edges = {
        round(x2 * 640 / 252, 3) for _, _, x2, _ in read
    }  # the photographs were 252 pixels wide
    for result in results:
        x, y, width, height = result["bbox"]
        assert 0 <= x < x + width <= 640
        assert 0 <= y < y + height <= 480
        assert round(x + width, 3) in right_edges, "boxes are in the original frame"
