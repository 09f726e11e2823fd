"""A root laid out as the ODinW suites name it, with small pictures, and answers to the prompts
about it."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mmdet_eval.suites.files import read_suite
from mmdet_eval.suites.forms import read_dataset
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1 import QwenResize, get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import convert

Row = dict[str, Any]
SIZES = [(640, 480), (533, 711), (801, 600)]  # (width, height); most sides are not multiples of 28
GRID = 6  # objects stand in the cells of a GRID x GRID grid
WORSE = 0.775  # share of a box that a worse answer covers: a hit at .5 to .75, so mAP is .6
VECTOR = ("cube", "vector")  # made up: the suite reads this set's categories from the file


def make_odinw(root: Path, suites: Sequence[str], images: int = 2) -> None:
    """Write every data set of the suites: `images` pictures with objects of all classes, and one
    without any.

    Annotation ids start at 0 in the sets with an odd place, and Aquarium has its supercategory as
    category 0.
    """
    for suite in suites:
        for place, spec in enumerate(read_suite(suite, root).datasets):
            _write_dataset(spec, images, first_id=1 - place % 2)


def _write_dataset(spec: DatasetSpec, images: int, first_id: int) -> None:
    spec.ann.parent.mkdir(parents=True, exist_ok=True)
    spec.images.mkdir(parents=True, exist_ok=True)
    names = list(spec.classes or VECTOR)
    categories = [
        {"id": i, "name": name, "supercategory": "things"} for i, name in enumerate(names, start=1)
    ]
    if spec.name == "Aquarium":
        categories.insert(0, {"id": 0, "name": "things", "supercategory": "none"})
    records: list[Row] = []
    annotations: list[Row] = []
    for number in range(1, images + 2):
        width, height = SIZES[number % len(SIZES)]
        name = f"{number:03d}.png"
        Image.new("RGB", (width, height), (40 * number % 256, 90, 160)).save(spec.images / name)
        records.append({"id": number, "file_name": name, "width": width, "height": height})
        here = range(number - 1, len(names), images) or range(
            1
        )  # a set of one class has it in every picture
        for cell, category in enumerate(here if number <= images else ()):
            box = _box(cell, width, height)
            annotations.append(
                {
                    "id": first_id + len(annotations),
                    "image_id": number,
                    "category_id": category + 1,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    content = {"images": records, "annotations": annotations, "categories": categories}
    spec.ann.write_text(json.dumps(content), encoding="utf-8")


def _box(cell: int, width: int, height: int) -> list[float]:
    """[x, y, width, height] of an object: most of a cell."""
    w, h = width / GRID, height / GRID
    return [
        round((cell % GRID) * w + 0.05 * w, 2),
        round(cell // GRID * h + 0.05 * h, 2),
        0.9 * w,
        0.9 * h,
    ]


def answer_rows(
    prompts: Sequence[Row],
    datasets: Sequence[DatasetSpec],
    resize: QwenResize,
    worse: Collection[str] = (),
) -> list[Row]:
    """What `swift infer --remove_unused_columns false` writes when the model answers each prompt
    perfectly.

    The boxes are in pixels of the processed image. In the data sets named by `worse` they are too
    narrow, by `WORSE`.
    """
    truths = {spec.name: _truths(spec) for spec in datasets}
    return [
        _answered(row, truths[row["dataset"]], resize, row["dataset"] in worse) for row in prompts
    ]


def _truths(spec: DatasetSpec) -> dict[Any, list[tuple[str, list[float]]]]:
    annotations = read_dataset(spec)
    found = defaultdict(list)
    for record in annotations.data["annotations"]:
        x, y, w, h = record["bbox"]
        found[record["image_id"]].append(
            (annotations.categories[record["category_id"]], [x, y, x + w, y + h])
        )
    return found


def _answered(
    row: Row, truths: dict[Any, list[tuple[str, list[float]]]], resize: QwenResize, worse: bool
) -> Row:
    asked = [
        (name, box)
        for name, box in truths.get(row["image_id"], [])
        if row["category"] in (None, name)
    ]
    boxes = as_boxes([box for _, box in asked])
    if worse:
        boxes[:, 2] = boxes[:, 0] + WORSE * (boxes[:, 2] - boxes[:, 0])
    size = (row["width"], row["height"])
    processed = convert(boxes, size, resize.processed_size(size))
    text = get_format("qwen2_5_vl").write(processed, [name for name, _ in asked])
    return {
        **row,
        "response": text,
        "labels": None,
        "logprobs": None,
        "images": [{"bytes": None, "path": path} for path in row["images"]],
        "messages": [*row["messages"], {"role": "assistant", "content": text}],
    }
