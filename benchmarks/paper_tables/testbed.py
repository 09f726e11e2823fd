"""The testbeds: scenes denser and larger than the demo's, and four sets from other distributions.

Classes and prompt are the demo's, so that its checkpoint is a start for both base models. In
training scenes each object has one colour, on a plain background.

    python benchmarks/paper_tables/testbed.py --out DIR
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "shapes"))
from scenes import CLASSES, COLOURS, PROCESSED_SIDE, Scene, answer, write_split

ORIGINAL_SIDES = (100, 125)  # pixels; the processor makes every scene 112 x 112
IN_DOMAIN = "in_domain"


@dataclass(frozen=True)
class SceneKind:
    """What the scenes of one set are like.

    Attributes:
        counts: number of objects -> its probability.
        largest: pixels of the longest side of an object.
        two_coloured: an object's core has another of the colours; its rim says what it is.
        outlines: circles are rings and squares are frames.
        clutter: the background has lines and grey blobs.
    """

    counts: dict[int, float]
    largest: int = 42
    two_coloured: bool = False
    outlines: bool = False
    clutter: bool = False


Drawer = Callable[[np.random.Generator], Scene]


@dataclass(frozen=True)
class Testbed:
    """What is trained and evaluated on.

    Attributes:
        classes: the names to ask for.
        train: draws a scene to train on.
        sets: draw scenes of each evaluated set; the first set is the one in domain.
    """

    __test__ = False  # of pytest, which takes it for a test

    classes: tuple[str, ...]
    train: Drawer
    sets: dict[str, Drawer]


COUNTS = dict(enumerate((0.15, 0.25, 0.25, 0.15, 0.08, 0.05, 0.03, 0.015, 0.01, 0.008, 0.007)))
DENSER = {0: 0.15} | dict.fromkeys(range(11, 16), 0.17)
KINDS = {
    IN_DOMAIN: SceneKind(COUNTS),
    "unseen_shapes": SceneKind(COUNTS, outlines=True),
    "unseen_colours": SceneKind(COUNTS, two_coloured=True),
    "clutter": SceneKind(COUNTS, clutter=True),
    "denser": SceneKind(DENSER, largest=22),
}
SMALL = (10, 16)  # sides of small objects
SMALL_SHARE = 0.2
MOST_COVERED = 0.3  # of the smaller of two boxes that overlap


def draw_scene(rng: np.random.Generator, kind: SceneKind = KINDS[IN_DOMAIN]) -> Scene:
    """A scene of a kind; fewer objects than drawn lots for where no room is left."""
    width, height = (int(v) for v in rng.integers(*ORIGINAL_SIDES, size=2))
    count = int(rng.choice(list(kind.counts), p=list(kind.counts.values())))
    image = _background(rng, width, height, kind.clutter)
    boxes_xyxy: list[tuple[int, int, int, int]] = []
    for _ in range(count):
        box = _place(rng, (width, height), kind.largest, boxes_xyxy)
        if box:
            boxes_xyxy.append(box)
    boxes_xyxy.sort()  # answers list objects from left to right
    labels = tuple(str(rng.choice(CLASSES)) for _ in boxes_xyxy)
    for i in rng.permutation(len(boxes_xyxy)):
        _draw_object(ImageDraw.Draw(image), boxes_xyxy[i], labels[i], kind, rng)
    return Scene(image, np.array(boxes_xyxy).reshape(-1, 4), labels)


def drawer(kind: SceneKind) -> Drawer:
    """`draw_scene` for one kind, as `write_split` wants it."""
    return lambda rng: draw_scene(rng, kind)


def _background(rng: np.random.Generator, width: int, height: int, clutter: bool) -> Image.Image:
    across = np.linspace(-20, 20, width)[None, :] * rng.uniform(-1, 1)
    shade = across + np.linspace(-20, 20, height)[:, None]
    pixels = rng.uniform(150, 220) + shade[..., None] + rng.normal(0, 6, (height, width, 3))
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 6)) if clutter else 0):
        grey = (int(rng.integers(60, 240)),) * 3
        x1, x2 = sorted(rng.integers(0, width, 2).tolist())
        y1, y2 = sorted(rng.integers(0, height, 2).tolist())
        if rng.random() < 0.5:
            draw.line((x1, y1, x2, y2), fill=grey, width=int(rng.integers(1, 4)))
        else:
            draw.polygon([(x1, y1), ((x1 + x2) // 2, y1), (x2, y2)], fill=grey)
    return image


def _place(
    rng: np.random.Generator,
    size: tuple[int, int],
    largest: int,
    taken_xyxy: list[tuple[int, int, int, int]],
) -> tuple[int, int, int, int] | None:
    """A box in the image that covers little of those before it; None after 40 attempts."""
    for _ in range(40):
        sides = SMALL if rng.random() < SMALL_SHARE else (SMALL[1], largest)
        w, h = (int(v) for v in rng.integers(sides[0], sides[1] + 1, size=2))
        x, y = int(rng.integers(0, size[0] - w)), int(rng.integers(0, size[1] - h))
        box = (x, y, x + w, y + h)
        if all(covered_share(box, other) <= MOST_COVERED for other in taken_xyxy):
            return box
    return None


def covered_share(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Area of the intersection over that of the smaller of two xyxy boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(width, 0) * max(height, 0) / min(areas)


def _draw_object(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    label: str,
    kind: SceneKind,
    rng: np.random.Generator,
) -> None:
    colour, shape = label.split()
    _fill(draw, box, shape, _tinted(colour, rng), kind.outlines)
    if kind.two_coloured:
        other = str(rng.choice([name for name in COLOURS if name != colour]))
        width, height = (box[2] - box[0]) // 4, (box[3] - box[1]) // 4
        core = (box[0] + width, box[1] + height, box[2] - width, box[3] - height)
        _fill(draw, core, shape, _tinted(other, rng), kind.outlines)


def _tinted(colour: str, rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(np.clip(c + rng.normal(0, 12), 0, 255)) for c in COLOURS[colour])


def _fill(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    shape: str,
    fill: tuple[int, ...],
    outlines: bool,
) -> None:
    x1, y1, x2, y2 = box[0], box[1], box[2] - 1, box[3] - 1  # Pillow draws the last pixel too
    rim = max(3, min(box[2] - box[0], box[3] - box[1]) // 4)
    how: dict[str, Any] = {"outline": fill, "width": rim} if outlines else {"fill": fill}
    (draw.ellipse if shape == "circle" else draw.rectangle)((x1, y1, x2, y2), **how)


SCENES = Testbed(CLASSES, draw_scene, {name: drawer(kind) for name, kind in KINDS.items()})


def write_sets(
    out: Path, train: int, in_domain: int, others: int, testbed: Testbed = SCENES
) -> None:
    """Draw the training scenes and every set that is evaluated; the same seed for everybody."""
    classes = testbed.classes
    write_split(out, "train", train, 1_000_003, testbed.train, classes)
    for number, (name, draw) in enumerate(testbed.sets.items()):
        count = in_domain if name == IN_DOMAIN else others
        write_split(out, name, count, 2_000_003 + number, draw, classes)
    rows = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    taught = (json.dumps(with_answer(row)) + "\n" for row in rows)
    (out / "train_sft.jsonl").write_text("".join(taught))


def with_answer(row: dict[str, Any]) -> dict[str, Any]:
    """A training row for SFT: its exact annotations as the answer that the model should write."""
    truth = json.loads(row["solution"])
    sides = np.array([truth["width"], truth["height"]] * 2)
    boxes_xyxy = (np.array(truth["boxes"]).reshape(-1, 4) * (PROCESSED_SIDE / sides)).round()
    said = {"role": "assistant", "content": answer(boxes_xyxy, tuple(truth["labels"]))}
    return {"messages": [*row["messages"], said], "images": row["images"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, default=1200, help="training scenes")
    parser.add_argument("--in-domain", type=int, default=200, help="scenes held out")
    parser.add_argument("--others", type=int, default=80, help="scenes of each other set")
    args = parser.parse_args()
    write_sets(args.out, args.train, args.in_domain, args.others)
    print(f"{args.out}: {args.train} training scenes, {', '.join(KINDS)}")


if __name__ == "__main__":
    main()
