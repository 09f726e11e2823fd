"""Detection scenes of coloured shapes, drawn on demand: images, COCO annotations and ms-swift rows.

A scene is a noisy, shaded background with 0-4 circles and squares in three colours. Image sides are
100-124 pixels and therefore no multiple of 28: Qwen2.5-VL's processor resizes every scene to 112 x
112, so boxes really have to be converted between the original frame (annotations) and the processed
one (the model's answers).

    python examples/shapes/scenes.py --out DIR --train 1200 --val 200
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (210, 55, 50), "green": (60, 165, 75), "blue": (60, 90, 205)}
SHAPES = ("circle", "square")
CLASSES = tuple(f"{colour} {shape}" for colour in COLOURS for shape in SHAPES)
COUNT_PROBABILITIES = (0.08, 0.22, 0.25, 0.25, 0.20)  # of 0, 1, 2, 3, 4 objects
PROCESSED_SIDE = 112


def prompt_for(classes: tuple[str, ...]) -> str:
    """The paper's question for detection."""
    return (
        "Locate every item from the category list in the image and output the coordinates in JSON "
        "format. "
        "The category set includes " + ", ".join(classes) + "."
    )


PROMPT = prompt_for(CLASSES)


@dataclass(frozen=True)
class Scene:
    """One image with its boxes: `(n, 4)` integer xyxy in pixels of this image, and one label for
    each."""

    image: Image.Image
    boxes: np.ndarray
    labels: tuple[str, ...]


def random_scene(rng: np.random.Generator, count: int | None = None) -> Scene:
    """Draw a scene; `count` fixes the number of objects asked for (fewer fit in rare crowded
    layouts)."""
    width, height = (int(v) for v in rng.integers(100, 125, size=2))
    count = (
        int(rng.choice(len(COUNT_PROBABILITIES), p=COUNT_PROBABILITIES)) if count is None else count
    )
    image = _background(rng, width, height)
    draw = ImageDraw.Draw(image)
    boxes: list[tuple[int, int, int, int]] = []
    labels: list[str] = []
    for _ in range(count):
        box = _free_box(rng, width, height, boxes)
        if box is None:
            break
        label = CLASSES[int(rng.integers(len(CLASSES)))]
        _draw(draw, box, label, rng)
        boxes.append(box)
        labels.append(label)
    order = sorted(
        range(len(boxes)), key=lambda i: boxes[i]
    )  # answers list objects from left to right
    return Scene(
        image, np.array([boxes[i] for i in order]).reshape(-1, 4), tuple(labels[i] for i in order)
    )


def _background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    shade = (
        np.linspace(-20, 20, width)[None, :] * rng.uniform(-1, 1)
        + np.linspace(-20, 20, height)[:, None]
    )
    pixels = rng.uniform(150, 220) + shade[..., None] + rng.normal(0, 6, size=(height, width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _free_box(
    rng: np.random.Generator, width: int, height: int, taken: list[tuple[int, int, int, int]]
) -> tuple[int, int, int, int] | None:
    for _ in range(50):
        w, h = (int(v) for v in rng.integers(18, 45, size=2))
        x, y = int(rng.integers(1, width - w - 1)), int(rng.integers(1, height - h - 1))
        box = (x, y, x + w, y + h)
        if all(box[0] > t[2] or box[2] < t[0] or box[1] > t[3] or box[3] < t[1] for t in taken):
            return box
    return None


def _draw(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], label: str, rng: np.random.Generator
) -> None:
    colour, shape = label.split()
    fill = tuple(int(np.clip(c + rng.normal(0, 12), 0, 255)) for c in COLOURS[colour])
    corners = (
        box[0],
        box[1],
        box[2] - 1,
        box[3] - 1,
    )  # PIL includes the last pixel; box edges are exclusive
    if shape == "circle":
        draw.ellipse(corners, fill=fill)
    else:
        draw.rectangle(corners, fill=fill)


def answer(boxes: np.ndarray, labels: tuple[str, ...]) -> str:
    """Qwen2.5-VL's JSON for boxes that are already in the processed frame."""
    objects = [
        {"bbox_2d": [int(v) for v in box], "label": label}
        for box, label in zip(boxes, labels, strict=True)
    ]
    return json.dumps(objects)


def write_split(
    out: Path,
    split: str,
    count: int,
    seed: int,
    draw: Callable[[np.random.Generator], Scene] = random_scene,
    classes: tuple[str, ...] = CLASSES,
) -> None:
    """Write `count` scenes: PNGs, `{split}.json` (COCO) and `{split}.jsonl` (rows for ms-swift)."""
    rng = np.random.default_rng(seed)
    folder = out / "images" / split
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations, rows = [], [], []
    for image_id in range(1, count + 1):
        scene = draw(rng)
        path = folder / f"{image_id:05d}.png"
        scene.image.save(path)
        width, height = scene.image.size
        images.append(
            {"id": image_id, "file_name": f"{split}/{path.name}", "width": width, "height": height}
        )
        for (x1, y1, x2, y2), label in zip(scene.boxes.tolist(), scene.labels, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": classes.index(label) + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": 0,
                }
            )
        solution = {
            "width": width,
            "height": height,
            "boxes": scene.boxes.tolist(),
            "labels": list(scene.labels),
        }
        rows.append(
            {
                "messages": [{"role": "user", "content": "<image>" + prompt_for(classes)}],
                "images": [str(path.resolve())],
                "solution": json.dumps(solution),
                "image_id": image_id,
            }
        )
    categories = [{"id": i, "name": name} for i, name in enumerate(classes, start=1)]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (out / f"{split}.json").write_text(json.dumps(coco))
    (out / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, default=1200, help="number of training scenes")
    parser.add_argument("--val", type=int, default=200, help="number of held-out scenes")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    write_split(args.out, "train", args.train, args.seed + 1_000_003)
    write_split(args.out, "val", args.val, args.seed + 2_000_003)
    print(f"wrote {args.train} train and {args.val} val scenes to {args.out}")


if __name__ == "__main__":
    main()
