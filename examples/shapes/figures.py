"""The demo's picture: held-out scenes with the boxes before and after."""

import json
from pathlib import Path

from swift_plugin_visionr1.data.images import open_image
from swift_plugin_visionr1.explain.painter import BLUE, GREEN, RED, BoxMark, paint
from swift_plugin_visionr1.explain.sheet import SheetPanel, fitted, make_sheet

EDGES = {"red": RED, "green": GREEN, "blue": BLUE}
SIDE = 180  # pixels of a scene


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
    panels = []
    for name, boxes in rows.items():
        for scene in scenes:
            marks = [_mark(b, names) for b in boxes if b["image_id"] == scene["id"]]
            image = fitted(open_image(images / scene["file_name"]), (SIDE, SIDE))
            paint(image, (scene["width"], scene["height"]), marks)
            panels.append(SheetPanel(image, (name if scene is scenes[0] else "",)))
    make_sheet(panels, len(scenes)).save(out)


def _mark(box: dict, names: dict[int, str]) -> BoxMark:
    x, y, width, height = box["bbox"]
    colour, shape = names[box["category_id"]].split()
    return BoxMark((x, y, x + width, y + height), shape, EDGES[colour])
