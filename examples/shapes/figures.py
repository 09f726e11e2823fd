"""The demo's two pictures: reward parts over the run, and held-out scenes with the boxes before and after."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from PIL import Image

PARTS = {"format": "tab:gray", "recall": "tab:blue", "precision": "tab:orange"}
EDGES = {"red": "#e6194b", "green": "#1a9641", "blue": "#2b6cff"}


def plot_rewards(log: Path, out: Path, window: int = 8) -> None:
    """Draw `vision_r1/<part>` of ms-swift's logging.jsonl, smoothed over `window` steps, and the stage switch."""
    rows = [row for row in map(json.loads, log.read_text().splitlines()) if "vision_r1/stage" in row]
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for part, colour in PARTS.items():
        values = np.array([row[f"vision_r1/{part}"] for row in rows])
        smooth = [values[max(0, i - window + 1) : i + 1].mean() for i in range(len(values))]
        axes.plot(range(1, len(values) + 1), values, color=colour, alpha=0.2)
        axes.plot(range(1, len(values) + 1), smooth, color=colour, label=f"{part} reward")
    stages = [row["vision_r1/stage"] for row in rows]
    if 2.0 in stages:
        switch = stages.index(2.0) + 0.5
        axes.axvline(switch, color="black", linestyle="--")
        axes.text(switch, 0.02, " advanced stage: sharper criteria", fontsize=9)
    axes.set(xlabel="optimisation step", ylabel=f"mean over the step (line: last {window})", ylim=(0, 1.02))
    axes.legend(loc="lower left")
    figure.savefig(out, dpi=100)
    plt.close(figure)


def draw_scenes(annotations: Path, images: Path, results: dict[str, Path], out: Path, count: int = 6) -> None:
    """Draw the first `count` crowded scenes: annotations on top, then one row per COCO results file."""
    coco = json.loads(annotations.read_text())
    names = {category["id"]: category["name"] for category in coco["categories"]}
    rows = {"annotated": coco["annotations"]} | {name: json.loads(path.read_text()) for name, path in results.items()}
    objects = [a["image_id"] for a in coco["annotations"]]
    scenes = [image for image in coco["images"] if objects.count(image["id"]) >= 3][:count]
    figure, grid = plt.subplots(len(rows), count, figsize=(2 * count, 2.1 * len(rows)), layout="constrained")
    for line, (name, boxes) in zip(grid, rows.items(), strict=True):
        line[0].set_ylabel(name, fontsize=12)
        for axes, scene in zip(line, scenes, strict=True):
            axes.imshow(Image.open(images / scene["file_name"]))
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
