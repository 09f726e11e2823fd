"""COCO files for tests: a sound one with images, and what makes it odd."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (640, 480)
Box = list[float]


def sound(images: int = 12, boxes: int = 3, size: tuple[int, int] = SIZE, seed: int = 0) -> Any:
    """A COCO file whose boxes lie all over its images."""
    draw = random.Random(seed)
    data: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    data["categories"] = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    for number in range(1, images + 1):
        data["images"].append(
            {"id": number, "file_name": f"{number}.jpg", "width": size[0], "height": size[1]}
        )
        for _ in range(boxes):
            w, h = draw.randint(60, size[0] // 3), draw.randint(60, size[1] // 3)
            x, y = draw.randint(0, size[0] - w), draw.randint(0, size[1] - h)
            data["annotations"].append(
                {
                    "id": len(data["annotations"]) + 1,
                    "image_id": number,
                    "category_id": 1 + number % 2,
                    "bbox": [x, y, w, h],
                    "area": w * h,
                    "iscrowd": 0,
                }
            )
    return data


def rewritten(data: Any, change: Callable[[Box, tuple[int, int]], Box], every: int = 1) -> Any:
    """The file with the boxes of every so many images written another way."""
    sizes = {image["id"]: (image["width"], image["height"]) for image in data["images"]}
    for record in data["annotations"]:
        if record["image_id"] % every == 0:
            record["bbox"] = change(record["bbox"], sizes[record["image_id"]])
    return data


def write(folder: Path, data: Any, orientation: Callable[[int], int] = lambda _: 1) -> Path:
    """Write the file and its images, as large as it says; with an EXIF orientation by number."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for image in data["images"]:
        exif = Image.Exif()
        exif[0x0112] = orientation(image["id"])
        picture = Image.new("RGB", (image["width"], image["height"]))
        picture.save(folder / "images" / image["file_name"], exif=exif)
    path = folder / "ann.json"
    path.write_text(json.dumps(data))
    return path
