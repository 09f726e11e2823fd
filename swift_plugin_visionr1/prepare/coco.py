"""COCO annotations to rows that ms-swift trains on and `swift infer` answers."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from ..ground_truth import SolutionError, read_solution
from ..rows.prompts import DETECT as PROMPT


def convert_coco(annotations: Path, images: Path, out: Path) -> int:
    """Write one row per image: messages, images, solution (original pixels), image_id. Returns their number.

    Crowd annotations are left out: a model is not asked to box a crowd. Boxes are clipped to their image, and
    those with nothing left are dropped; images without any box stay, as negatives.

    Raises:
        SolutionError: the file is no COCO instances file, an image file is missing, or a box cannot be used.
    """
    data = _load(annotations)
    names = {category["id"]: category["name"] for category in data["categories"]}
    by_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in data["annotations"]:
        if not annotation.get("iscrowd"):
            by_image[annotation["image_id"]].append(annotation)
    prompt = PROMPT.format(", ".join(names.values()))
    rows = [_row(image, by_image[image["id"]], names, images, prompt) for image in data["images"]]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def _load(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SolutionError(f"expected JSON in {path}: {error}") from None
    missing = [key for key in ("images", "annotations", "categories") if key not in data]
    if missing:
        raise SolutionError(f"expected a COCO instances file at {path}, got one without {', '.join(missing)}")
    return dict(data)


def _row(
    image: dict[str, Any], annotations: list[dict[str, Any]], names: dict[Any, str], folder: Path, prompt: str
) -> dict[str, Any]:  # fmt: skip
    path = folder / image["file_name"]
    if not path.is_file():
        raise SolutionError(f"expected the image {image['file_name']} under {folder}, got no such file")
    width, height = image["width"], image["height"]
    boxes, labels = [], []
    for annotation in annotations:
        x, y, w, h = annotation["bbox"]
        box = [max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)]
        if box[0] < box[2] and box[1] < box[3]:
            boxes.append(box)
            labels.append(names[annotation["category_id"]])
    solution = json.dumps({"width": width, "height": height, "boxes": boxes, "labels": labels})
    read_solution(solution)  # a row that training would refuse is refused here
    return {
        "messages": [{"role": "user", "content": f"<image>{prompt}"}],
        "images": [str(path.resolve())],
        "solution": solution,
        "image_id": image["id"],
    }
