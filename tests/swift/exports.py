"""Scenes of shapes as annotation tools export them, with real layouts."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "shapes" / "scenes.py"
SPLITS = ("train", "valid", "test")


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scenes", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHAPES = _example()
CLASSES = SHAPES.CLASSES


def scenes(count: int, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [SHAPES.random_scene(rng) for _ in range(count)]


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data))


def roboflow(root: Path, count: int = 8) -> Path:
    """Roboflow's "COCO" download: a file beside the images of each split, a placeholder as category
    0, boxes as [x, y, width, height]."""
    above = {"id": 0, "name": "shapes", "supercategory": "none"}
    names = [{"id": n, "name": c, "supercategory": "shapes"} for n, c in enumerate(CLASSES, 1)]
    for seed, split in enumerate(SPLITS):
        images, records = [], []
        (root / split).mkdir(parents=True)
        for number, scene in enumerate(scenes(count, seed)):
            name = f"scene_{number}_png.rf.{number:032x}.jpg"
            scene.image.save(root / split / name, quality=95)
            width, height = scene.image.size
            image = {"id": number, "license": 1, "file_name": name, "width": width}
            image |= {"height": height, "date_captured": "2026-01-01", "extra": {"name": "s.png"}}
            images.append(image)
            for (x1, y1, x2, y2), label in zip(scene.boxes.tolist(), scene.labels, strict=True):
                record = {"id": len(records), "image_id": number, "iscrowd": 0}
                record |= {"category_id": CLASSES.index(label) + 1, "segmentation": []}
                box = [x1, y1, x2 - x1, y2 - y1]
                records.append({**record, "bbox": box, "area": box[2] * box[3]})
        data = {"info": {}, "licenses": [], "categories": [above, *names]}
        data |= {"images": images, "annotations": records}
        _write(root / split / "_annotations.coco.json", data)
    (root / "README.roboflow.txt").write_text("shapes - v1")
    return root


def yolo(root: Path, count: int = 8) -> Path:
    """Ultralytics' folders: images and labels by split, `class cx cy w h` in fractions, no file for
    a background image."""
    for seed, split in enumerate(("train", "val")):
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for number, scene in enumerate(scenes(count, seed)):
            scene.image.save(root / "images" / split / f"{number}.jpg", quality=95)
            width, height = scene.image.size
            lines = [
                f"{CLASSES.index(label)} {(x1 + x2) / 2 / width:.6f} {(y1 + y2) / 2 / height:.6f} "
                f"{(x2 - x1) / width:.6f} {(y2 - y1) / height:.6f}"
                for (x1, y1, x2, y2), label in zip(scene.boxes.tolist(), scene.labels, strict=True)
            ]
            if lines:
                (root / "labels" / split / f"{number}.txt").write_text("\n".join(lines) + "\n")
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    (root / "data.yaml").write_text(
        f"path: ../datasets/shapes\ntrain: images/train\nval: images/val\nnames:\n{names}"
    )
    return root


def label_studio(root: Path, count: int = 8) -> Path:
    """Label Studio's JSON, with the uploaded images that were downloaded beside it: percent, eight
    characters in front of names that it gave the uploads."""
    (root / "images").mkdir(parents=True)
    tasks = []
    for number, scene in enumerate(scenes(count, 0), start=1):
        scene.image.save(root / "images" / f"scene {number}.jpg", quality=95)
        width, height = scene.image.size
        results = [
            {
                "id": f"r{number}{place}",
                "type": "rectanglelabels",
                "from_name": "label",
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "value": {
                    "x": 100 * x1 / width,
                    "y": 100 * y1 / height,
                    "width": 100 * (x2 - x1) / width,
                    "height": 100 * (y2 - y1) / height,
                    "rotation": 0,
                    "rectanglelabels": [label],
                },
            }
            for place, ((x1, y1, x2, y2), label) in enumerate(
                zip(scene.boxes.tolist(), scene.labels, strict=True)
            )
        ]
        answer = {"id": number, "completed_by": 1, "was_cancelled": False, "result": results}
        image = f"/data/upload/3/{number:08x}-scene%20{number}.jpg"
        tasks.append({"id": number, "data": {"image": image}, "annotations": [answer]})
    _write(root / "project-3-at-2026-01-01-12-00-00000000.json", tasks)
    return root


EXPORTS = {"roboflow": roboflow, "yolo": yolo, "label_studio": label_studio}
