"""Small roots laid out as the suites name them: each function writes one, with real pictures."""

import json
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from mmdet_eval.suites.files import read_suite

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


def coco(root: Path) -> None:
    """Two images with objects, the second also with a crowd, and one without any."""
    names = [f"{number:012d}.jpg" for number in (1, 2, 3)]
    for name in names:
        write_image(root / "val2017" / name)
    boxes = [coco_box(1, 1, 1, A), coco_box(2, 1, 2, B), coco_box(3, 2, 3, C)]
    boxes.append(coco_box(4, 2, 1, A, iscrowd=1))
    kinds = ("person", "bus", "cat", "dog", "kite", "oven", "vase")
    content = {"images": [coco_image(n, name) for n, name in enumerate(names, 1)]}
    content |= {"categories": [{"id": n, "name": name} for n, name in enumerate(kinds, 1)]}
    write_json(root / "annotations/instances_val2017.json", content | {"annotations": boxes})


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


def lvis(root: Path, suite: str) -> None:
    """Cat in image 1, dog in 2; a lamp is known to be absent from 1, and 2 may show more dogs."""
    known = [([3], []), ([], [2])]
    images, kinds = [], (("cat", "f"), ("dog", "r"), ("lamp_(table)", "c"), ("yak", "r"))
    for number, (absent, partly) in enumerate(known, 1):
        name = f"val2017/{number:012d}.jpg"
        write_image(root / name)
        url = f"http://images.cocodataset.org/{name}"
        lists = {"neg_category_ids": absent, "not_exhaustive_category_ids": partly}
        image = coco_image(number, Path(name).name, coco_url=url, **lists)
        images.append(image if suite == "lvis_minival" else image | {"file_name": ""})
    categories = [
        {"id": number, "name": name, "frequency": often, "synset": f"{name}.n.01"}
        for number, (name, often) in enumerate(kinds, 1)
    ]
    boxes = [coco_box(1, 1, 1, A), coco_box(2, 1, 1, B), coco_box(3, 2, 2, C)]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (spec,) = read_suite(suite, root).datasets
    write_json(spec.ann, content)


def roboflow(root: Path, suite: str) -> None:
    """Each set as its downloader leaves it, and every other as Roboflow exports it."""
    for place, spec in enumerate(read_suite(suite, root).datasets):
        first = place % 2
        categories = [{"id": first, "name": "bolt", "supercategory": spec.name}]
        categories += [{"id": first + 1, "name": "nut", "supercategory": spec.name}]
        if first:
            categories.insert(0, {"id": 0, "name": spec.name, "supercategory": "none"})
        name = "1.rf.0a1b.jpg"
        write_image(spec.images / name)
        content = {"images": [coco_image(0, name)], "categories": categories}
        boxes = [coco_box(0, 0, first, A), coco_box(1, 0, first, B)]
        for path in (spec.ann, *spec.needs):
            write_json(path, content | {"annotations": boxes})


def humanref(root: Path) -> None:
    write_image(root / "images" / "a.jpg")
    people = [A, B, C]
    rows = [
        ("attribute", "people in red", [A, B]),
        ("position", "the person on the left", [A]),
        ("rejection", "a person with a sword", []),
    ]
    lines = [
        {"id": number, "image_name": "a.jpg", "domain": domain, "sub_domain": f"{domain}_1"}
        | {"referring": text, "answer_boxes": boxes, "candidate_boxes": people}
        for number, (domain, text, boxes) in enumerate(rows)
    ]
    write_lines(root / "annotations.jsonl", lines)


def ref_l4(root: Path) -> None:
    write_image(root / "images" / "o365_1.jpg")
    for split in ("val", "test"):
        rows = [
            {
                "id": f"{split}_{number}",
                "caption": text,
                "bbox": xywh(box),
                "file_name": "o365_1.jpg",
            }
            | {"width": SIZE[0], "height": SIZE[1], "ori_category_id": kind, "split": split}
            for number, (text, box, kind) in enumerate(
                (("a tall sign", A, "o365_1"), ("a low sign", C, "refcoco_1"))
            )
        ]
        pq.write_table(pa.Table.from_pylist(rows), root / f"ref-l4-{split}.parquet")


def d3(root: Path) -> None:
    """Two groups of an image and two descriptions, one of which names an absence."""
    texts = ["a dog", "a dog that wears no leash", "two cats", "a cat that is not black"]
    sentences = [{"id": number, "name": text} for number, text in enumerate(texts, 1)]
    images = [coco_image(number, f"{number}/a.jpg") for number in (0, 1)]
    for image in images:
        write_image(root / "d3_images" / image["file_name"])
    boxes = [(0, 1, A), (0, 1, B), (0, 2, B), (1, 4, C)]
    annotations = [coco_box(number, *one) for number, one in enumerate(boxes)]
    for name, kept in (("full", sentences), ("abs", sentences[1::2]), ("pres", sentences[::2])):
        ids = {one["id"] for one in kept}
        own = [one for one in annotations if one["category_id"] in ids]
        content = {"images": images, "annotations": own, "categories": kept}
        write_json(root / "d3_json" / f"d3_{name}_annotations.json", content)
    (root / "d3_pkl").mkdir()
    groups = {n: {"id": n, "inner_sent_id": [2 * n + 1, 2 * n + 2]} for n in (0, 1)}
    of_images = {n: {"id": n, "group_id": n, "anno_id": []} for n in (0, 1)}
    for name, records in (("groups", groups), ("images", of_images)):
        (root / "d3_pkl" / f"{name}.pkl").write_bytes(pickle.dumps(records))


def rex_omni(root: Path, name: str) -> None:
    rows: list[Row] = [
        {
            "image_path": f"{name}/a.jpg",
            "categories": ["bus", "car"],
            "gt": {"bus": [A], "car": [B]},
        },
        {"image_path": f"{name}/b.jpg", "categories": ["car"], "gt": {"car": [A, C]}},
    ]
    for row in rows:
        write_image(root / row["image_path"])
        row |= {"dataset_name": name, "task_name": "dense_object_detection"}
    write_lines(root / "_annotations" / "box_eval" / f"{name}.jsonl", rows)


ROOTS: dict[str, Callable[[Path], None]] = {
    "coco_val2017": coco,
    "referring": referring,
    "grefcoco": grefcoco,
    "humanref": humanref,
    "ref_l4": ref_l4,
    "d3": d3,
    "dense200": partial(rex_omni, name="Dense200"),
    "visdrone": partial(rex_omni, name="VisDrone"),
    "doclaynet": partial(rex_omni, name="DocLayNet"),
    "lvis_val": partial(lvis, suite="lvis_val"),
    "lvis_minival": partial(lvis, suite="lvis_minival"),
    "rf20_vl": partial(roboflow, suite="rf20_vl"),
    "rf20_vl_fsod": partial(roboflow, suite="rf20_vl_fsod"),
}
