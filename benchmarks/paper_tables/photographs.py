"""The testbed on real photographs: crops of the images of a COCO data set, scaled down.

The photographs are not part of the repository. Made for the blood cells of BCCD (364 images of 640
x 480 under the MIT licence): cells are some 100 pixels wide there, and 67 in a crop.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from testbed import IN_DOMAIN, ORIGINAL_SIDES, Scene, Testbed

from swift_plugin_visionr1.data.coco import CocoFile, read_coco
from swift_plugin_visionr1.errors import InputError

SCALE = 1.5  # pixels of a photograph that become one of a crop
LEAST_VISIBLE = 0.5  # of a box; an object of which a crop shows less is not annotated there
TRAIN, TEST = "instances_train.json", "instances_test.json"


@dataclass(frozen=True, eq=False)
class Photograph:
    """An image, scaled down, with its annotated boxes (n, 4) in its pixels, and their labels."""

    image: Image.Image
    boxes_xyxy: NDArray[np.float64]
    labels: tuple[str, ...]


def read_testbed(folder: Path) -> Testbed:
    """Crops of the training images to train on, and of the test images to evaluate.

    Args:
        folder: with `instances_train.json`, `instances_test.json` and the folder `images`.

    Raises:
        InputError: something of this is missing.
    """
    for name in (TRAIN, TEST, "images"):
        if not (folder / name).exists():
            raise InputError(
                f"expected {TRAIN}, {TEST} and the folder images in {folder}, got no {name}: name "
                "the folder of a COCO data set such as BCCD"
            )
    train, test = read_coco(folder / TRAIN), read_coco(folder / TEST)
    learnt, held_out = photographs_of(train, folder), photographs_of(test, folder)
    return Testbed(
        tuple(train.categories.values()),
        lambda rng: flipped(draw_crop(rng, learnt), rng),
        {IN_DOMAIN: lambda rng: draw_crop(rng, held_out)},
    )


def photographs_of(coco: CocoFile, folder: Path) -> list[Photograph]:
    """Its images, scaled down, and their boxes.

    Raises:
        InputError: an image is too small for a crop.
    """
    by_image: dict[object, list[dict]] = {}
    for record in coco.annotations:
        by_image.setdefault(record["image_id"], []).append(record)
    photographs = []
    for image in coco.images:
        records = by_image.get(image.id, [])
        boxes_xywh = np.array([one["bbox"] for one in records], dtype=float).reshape(-1, 4) / SCALE
        boxes_xyxy = np.hstack([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]])
        labels = tuple(coco.categories[one["category_id"]] for one in records)
        path = folder / "images" / image.file_name
        photographs.append(Photograph(scaled_down(path), boxes_xyxy, labels))
    return photographs


def scaled_down(path: Path) -> Image.Image:
    """An image of which crops are cut."""
    image = Image.open(path).convert("RGB")
    if min(image.size) < SCALE * ORIGINAL_SIDES[1]:
        raise InputError(
            f"expected images of at least {SCALE * ORIGINAL_SIDES[1]:.0f} pixels a side, got "
            f"{image.width} x {image.height} in {path}"
        )
    return image.resize((round(image.width / SCALE), round(image.height / SCALE)))


def draw_crop(rng: np.random.Generator, photographs: list[Photograph]) -> Scene:
    """A random part of a random photograph, with the objects that are visible enough in it."""
    photograph = photographs[int(rng.integers(len(photographs)))]
    image = photograph.image
    width, height = (int(v) for v in rng.integers(*ORIGINAL_SIDES, size=2))
    x, y = int(rng.integers(0, image.width - width)), int(rng.integers(0, image.height - height))
    moved_xyxy = photograph.boxes_xyxy - [x, y, x, y]
    boxes_xyxy = moved_xyxy.clip(0, [width, height] * 2).round().astype(int)
    kept = visible_shares(boxes_xyxy, moved_xyxy) >= LEAST_VISIBLE
    order = sorted(np.flatnonzero(kept).tolist(), key=lambda i: tuple(boxes_xyxy[i]))
    crop = image.crop((x, y, x + width, y + height))
    return Scene(crop, boxes_xyxy[order], tuple(photograph.labels[i] for i in order))


def visible_shares(
    boxes_xyxy: NDArray[np.integer], whole_xyxy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) the area of each box over that of the whole one, both xyxy in one frame."""
    sides, whole = (boxes[:, 2:] - boxes[:, :2] for boxes in (boxes_xyxy, whole_xyxy))
    return sides.prod(axis=1) / np.maximum(whole.prod(axis=1), 1)


def flipped(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene, mirrored along each axis with a probability of one half; boxes from left to right
    again."""
    image, boxes_xyxy = scene.image, scene.boxes
    if rng.random() < 0.5:
        image, boxes_xyxy = ImageOps.mirror(image), boxes_xyxy[:, [2, 1, 0, 3]]
        boxes_xyxy = np.abs(boxes_xyxy - [image.width, 0, image.width, 0])
    if rng.random() < 0.5:
        image, boxes_xyxy = ImageOps.flip(image), boxes_xyxy[:, [0, 3, 2, 1]]
        boxes_xyxy = np.abs(boxes_xyxy - [0, image.height, 0, image.height])
    order = sorted(range(len(boxes_xyxy)), key=lambda i: tuple(boxes_xyxy[i]))
    return Scene(image, boxes_xyxy[order], tuple(scene.labels[i] for i in order))
