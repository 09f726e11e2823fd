"""The demo's picture: held-out scenes with the boxes before and after."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from swift_plugin_visionr1.data.images import open_image

EDGES = {"red": "#e6194b", "green": "#1a9641", "blue": "#2b6cff"}


def draw_scenes(
    annotations: Path, images: Path, results: dict[str, Path], out: Path, count: int = 6
) -> None:
    """Draw the first `count` crowded scenes: annotations on top, then one row per COCO results
    file."""
    coco = json.loads(annotations.read_text())
    names = {category["id"]: category["name"] for category in coco["categories"]}
    rows = {"annotated": coco["annotations"]} | {
        name: json.loads(path.read_text()) for name, path in results.items()
    }
    objects = [a["image_id"] for a in coco["annotations"]]
    scenes = [image for image in coco["images"] if objects.count(image["id"]) >= 3][:count]
    figure, grid = plt.subplots(
        len(rows), count, figsize=(2 * count, 2.1 * len(rows)), layout="constrained"
    )
    for line, (name, boxes) in zip(grid, rows.items(), strict=True):
        line[0].set_ylabel(name, fontsize=12)
        for axes, scene in zip(line, scenes, strict=True):
            axes.imshow(open_image(images / scene["file_name"]))
            axes.set(xticks=[], yticks=[])
            for box in (b for b in boxes if b["image_id"] == scene["id"]):
                _draw_box(axes, box["bbox"], names[box["category_id"]])
    figure.savefig(out, dpi=80)
    plt.close(figure)


def _draw_box(axes: plt.Axes, xywh: list[float], name: str) -> None:
    colour = EDGES[name.split()[0]]
    x, y, width, height = xywh
    for edge, line in (("white", 3.5), (colour, 1.8)):
        axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=edge, linewidth=line))
    axes.text(x, y - 2, name.split()[1], fontsize=7, color=colour, backgroundcolor=(1, 1, 1, 0.7))
