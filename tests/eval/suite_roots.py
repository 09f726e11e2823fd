"""Small roots laid out as the suites name them: each function writes one, with real pictures."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

Row = dict[str, Any]
SIZE = (640, 480)
A, B, C = [40, 50, 200, 250], [300, 60, 420, 300], [420, 320, 600, 460]  # xyxy


def xywh(box: Sequence[int]) -> list[int]:
    x, y, right, bottom = box
    return [x, y, right - x, bottom - y]


def write_image(path: Path, colour: str = "grey") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, colour).save(path)


def write_lines(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def coco_image(number: int, name: str, **more: Any) -> Row:
    return {"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1], **more}


def coco_box(number: int, image: int, category: int, box: Sequence[int], **more: Any) -> Row:
    x, y, w, h = xywh(box)
    record = {"id": number, "image_id": image, "category_id": category, "bbox": [x, y, w, h]}
    return {**record, "area": w * h, "iscrowd": 0, **more}


def referring(root: Path) -> None:
    for name in ("a.png", "b.png"):
        write_image(root / "images" / name)
    rows = [
        {"image": "a.png", "expression": "both signs", "boxes": [A, B]},
        {"image": "a.png", "expression": "the left sign", "boxes": [A]},
        {"image": "b.png", "expression": "a horse", "boxes": []},
        {"image": "b.png", "expression": "a bench", "boxes": [C], "width": 640, "height": 480},
    ]
    write_lines(root / "referring.jsonl", rows)


def grefcoco(root: Path) -> None:
    names = [f"COCO_train2014_{number:012d}.jpg" for number in (1, 2)]
    for name in names:
        write_image(root / "train2014" / name)
    boxes = [coco_box(11, 1, 1, A), coco_box(12, 1, 1, B), coco_box(13, 2, 1, C)]
    instances = {"images": [coco_image(n, name) for n, name in enumerate(names, 1)]}
    instances |= {"annotations": boxes, "categories": [{"id": 1, "name": "person"}]}
    write_json(root / "grefcoco" / "instances.json", instances)
    refs = []
    for split in ("train", "val", "testA", "testB"):
        for image, ids, texts in (
            (1, [11, 12], ["two people", "everybody"]),
            (1, [11], ["left one"]),
            (2, [-1], ["a kite"]),
            (2, 13, ["the lady"]),
        ):
            name = names[image - 1].replace(".jpg", f"_{len(refs)}.jpg")
            sentences = [{"sent": text, "raw": text, "sent_id": n} for n, text in enumerate(texts)]
            refs.append({"ref_id": len(refs), "image_id": image, "ann_id": ids, "split": split})
            refs[-1] |= {"file_name": name, "sentences": sentences}
    write_json(root / "grefcoco" / "grefs(unc).json", refs)


ROOTS: dict[str, Callable[[Path], None]] = {"referring": referring, "grefcoco": grefcoco}
