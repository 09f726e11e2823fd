"""A small data set of odd image sizes, and answers to it as `swift infer` writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import Annotations, read_annotations
from mmdet_eval.evaluation import Evaluation
from swift_plugin_visionr1 import QwenResize, get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import convert

from .evaluations import CAT, DOG, boxes, coco, evaluated

Row = dict[str, Any]
SIZES = {
    3: (641, 427),
    0: (1333, 799),
    12: (97, 353),
}  # image id -> size; ids out of order and one is 0
NAMES = {7: "red circle", 2: "blue square", 5: "Cat"}  # not in the order of the ids
TRUTHS = {
    3: [(7, [64, 33, 320, 150]), (2, [10, 200, 501, 200])],
    0: [(5, [800, 100, 500, 600])],
    12: [(7, [7, 40, 80, 290])],
}
RESIZE = QwenResize(max_pixels=401408)


@pytest.fixture
def dataset() -> dict[str, Any]:
    """COCO annotations; annotation ids start at 0."""
    boxes = [(image, *truth) for image, truths in TRUTHS.items() for truth in truths]
    return {
        "images": [
            {"id": i, "file_name": f"val/{i}.png", "width": w, "height": h}
            for i, (w, h) in SIZES.items()
        ],
        "categories": [{"id": i, "name": name} for i, name in NAMES.items()],
        "annotations": [
            {
                "id": n,
                "image_id": i,
                "category_id": c,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            for n, (i, c, box) in enumerate(boxes)
        ],
    }


@pytest.fixture
def rows() -> list[Row]:
    """Perfect answers, in pixels of the processed image, in the data set's order."""
    return [
        {"response": perfect(image), "labels": None, "logprobs": None, "image_id": image}
        for image in SIZES
    ]


def perfect(image: int, resize: QwenResize = RESIZE) -> str:
    """The right answer for an image, in the processed frame, written as Qwen2.5-VL does."""
    boxes = as_boxes([box for _, box in TRUTHS[image]])
    boxes[:, 2:] += boxes[:, :2]
    processed = resize.processed_size(SIZES[image])
    labels = [NAMES[category] for category, _ in TRUTHS[image]]
    return get_format("qwen2_5_vl").write(convert(boxes, SIZES[image], processed), labels)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Write a list of rows as JSONL, anything else as JSON; returns the path."""

    def to_file(name: str, content: Any) -> Path:
        lines = content if name.endswith(".jsonl") else [content]
        path = tmp_path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def annotations(dataset: dict[str, Any], write: Callable[[str, Any], Path]) -> Annotations:
    """The data set, read."""
    return read_annotations(write("ann.json", dataset))


@pytest.fixture
def zoo(tmp_path: Path) -> Evaluation:
    """A small evaluation with everything that can go right or wrong."""
    return evaluated(tmp_path)


@pytest.fixture
def pond(tmp_path: Path) -> Evaluation:
    """A second data set: everything found."""
    truth = coco({"duck": [(1, CAT), (2, DOG)]})
    return evaluated(
        tmp_path, "pond", {"duck": boxes((CAT, "cat"), (DOG, "dog"))}, truth, images=False
    )
