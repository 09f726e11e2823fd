"""The whole `mmdet-eval run` on real photographs (a member of ODinW-35) with the small model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SMALL

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("mmdet", reason="needs the extra `eval`")
pytestmark = pytest.mark.slow

IMAGES = 8
# The small model can name nothing but shapes, so for it the pieces are called that.
NAMES = ["red circle", "green circle", "blue circle", "red square", "green square", "blue square"]


def as_shapes(source: Path, out: Path) -> dict:
    """The first images of a COCO file; the pieces of the first kinds are called shapes, the others
    are left out."""
    data = json.loads(source.read_text())
    kinds = sorted({annotation["category_id"] for annotation in data["annotations"]})[: len(NAMES)]
    images = data["images"][:IMAGES]
    ids = {image["id"] for image in images}
    few = {
        "images": images,
        "categories": [{"id": kind, "name": name} for kind, name in zip(kinds, NAMES, strict=True)],
        "annotations": [
            a for a in data["annotations"] if a["image_id"] in ids and a["category_id"] in kinds
        ],
    }
    out.write_text(json.dumps(few))
    return few


def test_photographs_from_the_model_to_the_report(
    shared_data: Path, checkpoint: Path, tmp_path: Path
) -> None:
    chess = shared_data / "chess_cc0"
    few = as_shapes(chess / "instances_test.json", tmp_path / "pieces.json")
    out = tmp_path / "eval"
    command = [
        "-m",
        "mmdet_eval",
        "run",
        "--model",
        checkpoint,
        "--ann",
        tmp_path / "pieces.json",
        "--images",
        chess / "images",
        "--out",
        out,
        "--max-pixels",
        50176,
        "--max_new_tokens",
        128,
        *SMALL,
        "--external_plugins",
        checkpoint.parent / "pruned_template.py",
        "--logprobs",
        "true",
        "--score",
        "logprob",
    ]
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]

    found = json.loads((out / "metrics.json").read_text())["datasets"]["pieces"]
    counts = found["counts"]
    assert (counts["images"], counts["answers"], counts["missing"]) == (IMAGES, IMAGES, 0)
    assert counts["boxes_kept"] > 0, "the small model writes boxes on photographs too"
    assert found["protocol"]["name"] == "vision_r1_coco"
    results = json.loads((out / "pieces" / "coco_results.json").read_text())
    assert len({result["score"] for result in results}) == len(results), "log-probabilities differ"
    sizes = {image["id"]: (image["width"], image["height"]) for image in few["images"]}
    for result in results:
        x, y, width, height = result["bbox"]
        assert 0 <= x < x + width <= sizes[result["image_id"]][0]
        assert 0 <= y < y + height <= sizes[result["image_id"]][1]
    page = (out / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") >= IMAGES, "every photograph is on the page"
