"""Random annotations and results: crowds, small objects, empty images, ids in no order, boxes near
truths and not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdet_eval import Annotations, read_annotations

Results = list[dict[str, Any]]
CATEGORIES = (7, 2, 5, 11)  # 11 has no annotation


def random_set(
    folder: Path,
    seed: int,
    scores: Sequence[float] | None = None,
    images: int = 15,
    strings: bool = False,
) -> tuple[Annotations, Results]:
    """A set and results; `scores`: all there are, None for distinct ones; `strings`: ids are
    text."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(images).tolist()
    truths, results = [], []
    for image in ids[: images - 2]:  # two have no annotation
        for _ in range(rng.integers(0, 6)):
            category = int(rng.choice(CATEGORIES[:3]))
            side = rng.choice([20, 60, 150])  # small, medium, large
            box = np.concatenate([rng.uniform(0, 200, 2), side * rng.uniform(0.7, 1.3, 2)])
            crowd = int(rng.random() < 0.15)
            truths.append(
                _record(
                    image,
                    category,
                    box,
                    iscrowd=crowd,
                    area=float(box[2] * box[3]),
                    id=len(truths) + 1,
                )
            )
            for _ in range(rng.integers(0, 3)):
                results.append(
                    _record(image, category, box + rng.normal(0, 0.08, 4) * np.tile(box[2:], 2))
                )
    for image in ids:
        for _ in range(rng.integers(0, 5)):
            box = np.concatenate([rng.uniform(0, 200, 2), rng.uniform(5, 150, 2)])
            results.append(_record(image, int(rng.choice(CATEGORIES)), box))
    results = [results[place] for place in rng.permutation(len(results))]
    for result in results:
        result["score"] = float(rng.random() if scores is None else rng.choice(scores))
    data = {
        "images": [
            {"id": image, "file_name": f"{image}.png", "width": 400, "height": 400} for image in ids
        ],
        "categories": [{"id": category, "name": f"class {category}"} for category in CATEGORIES],
        "annotations": truths,
    }
    if strings:
        _with_text_ids(data, results)
    path = folder / f"{seed}.json"
    path.write_text(json.dumps(data))
    return read_annotations(path), results


def coarse_set(dataset: dict[str, Any], write: Any, seed: int) -> tuple[Annotations, Results]:
    """Boxes on a coarse grid: overlaps that are equal or exactly a threshold, twins, areas of 0,
    equal scores. `dataset`, `write`: the fixtures."""
    rng = np.random.default_rng(seed)

    def some(count: int) -> Results:
        boxes = rng.integers(0, 6, (count, 4)) * rng.choice([0.1, 1, 8])
        images = rng.choice([3, 0, 12], count).tolist()
        categories = rng.choice([7, 2], count).tolist()
        rows = zip(images, categories, boxes.tolist(), strict=True)
        return [
            {"image_id": image, "category_id": category, "bbox": box}
            for image, category, box in rows
        ]

    dataset["annotations"] = [
        {**a, "id": n, "iscrowd": int(rng.random() < 0.2)} for n, a in enumerate(some(20))
    ]
    twins = [
        {name: a[name] for name in ("image_id", "category_id", "bbox")}
        for a in dataset["annotations"][::3]
    ]
    results = [
        {**result, "score": float(rng.choice([-1.0, -0.0, 0.0, 0.5]))}
        for result in some(30) + twins
    ]
    return read_annotations(write("ann.json", dataset)), results


def _record(image: int, category: int, box: Any, **more: Any) -> dict[str, Any]:
    return {
        "image_id": image,
        "category_id": category,
        "bbox": [float(value) for value in box],
        **more,
    }


def _with_text_ids(data: dict[str, Any], results: Results) -> None:
    for record in (*data["images"], *data["categories"]):
        record["id"] = f"id {record['id']}"
    for record in (*data["annotations"], *results):
        record |= {name: f"id {record[name]}" for name in ("image_id", "category_id")}
