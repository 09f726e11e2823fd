"""COCO annotations to rows that ms-swift trains on and `swift infer` answers."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..ground_truth import SolutionError, read_solution
from ..models import ModelIO
from ..rows.base import question
from ..rows.prompts import DETECT
from .targets import target


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        rows: one per image.
        thin: boxes that are in no answer because they are thinner than the format's grid.
    """

    rows: int
    thin: int = 0


def convert_coco(
    annotations: Path, images: Path, out: Path, prompt: str = DETECT, io: ModelIO | None = None
) -> Written:  # fmt: skip
    """Write one row per image: messages, images, solution (original pixels), image_id.

    Crowd annotations are left out: a model is not asked to box a crowd. Boxes are clipped to their image, and
    those with nothing left are dropped; images without any box stay, as negatives.

    Args:
        annotations: COCO instances JSON.
        images: folder that `file_name` is relative to.
        out: JSONL to write.
        prompt: the question; `{}` stands for the names of the categories.
        io: of the model that a supervised run is to teach: its answer becomes the last message.

    Raises:
        SolutionError: the file is no COCO instances file, an image file is missing, or a box cannot be used.
    """
    data = _load(annotations)
    by_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    try:
        names = {category["id"]: str(category["name"]) for category in data["categories"]}
        for annotation in data["annotations"]:
            if not annotation.get("iscrowd"):
                by_image[annotation["image_id"]].append(annotation)
    except (KeyError, TypeError, AttributeError) as error:
        raise SolutionError(f"expected a COCO instances file at {annotations}, got an entry without {error}") from None
    asked = prompt.replace("{}", ", ".join(names.values()))
    rows = [_row(image, by_image, names, images, asked) for image in data["images"]]
    thin = sum(_answer(row, io) for row in rows) if io else 0
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Written(len(rows), thin)


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
    image: dict[str, Any], by_image: dict[Any, list[dict[str, Any]]], names: dict[Any, str], folder: Path, asked: str
) -> dict[str, Any]:  # fmt: skip
    try:
        path = folder / image["file_name"]
        text = _solution(image, by_image[image["id"]], names)
        read_solution(text)  # a row that training would refuse is refused here
    except (KeyError, TypeError, ValueError) as error:
        wrong = f"no {error}" if isinstance(error, KeyError) else str(error)
        name = image.get("file_name") if isinstance(image, dict) else image
        raise SolutionError(f"image {name!r} or one of its annotations: {wrong}") from None
    if not path.is_file():
        raise SolutionError(f"expected the image {image['file_name']} under {folder}, got no such file")
    return {"messages": question(asked), "images": [str(path.resolve())], "solution": text, "image_id": image["id"]}


def _solution(image: dict[str, Any], annotations: list[dict[str, Any]], names: dict[Any, str]) -> str:
    width, height = image["width"], image["height"]
    boxes, labels = [], []
    for annotation in annotations:
        x, y, w, h = annotation["bbox"]
        box = [max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)]
        if box[0] < box[2] and box[1] < box[3]:
            boxes.append(box)
            labels.append(names[annotation["category_id"]])
    return json.dumps({"width": width, "height": height, "boxes": boxes, "labels": labels})


def _answer(row: dict[str, Any], io: ModelIO) -> int:
    """Add the answer to the row's messages; returns how many boxes are too thin to be in it."""
    try:
        text, thin = target(read_solution(row["solution"]), io)
    except SolutionError as error:
        raise SolutionError(f"image {row['images'][0]}: {error}") from None
    row["messages"].append({"role": "assistant", "content": text})
    return thin
