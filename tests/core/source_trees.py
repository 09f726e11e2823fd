"""Small trees of annotations with the real layouts, each with broken records among sound ones."""

import csv
import json
import pickle
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (200, 100)


def picture(path: Path, size: tuple[int, int] = SIZE, orientation: int = 1) -> Path:
    """An image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, (size[0] % 251, size[1] % 241, len(path.name) % 231)).save(
        path, exif=exif
    )
    return path


def write_json(path: Path, data: Any) -> Path:
    """A JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def image_record(number: int, **more: Any) -> dict[str, Any]:
    """An entry of COCO's images."""
    return {"id": number, "file_name": f"{number}.jpg", "width": 200, "height": 100} | more


def box_record(number: int, image: int, category: int, bbox: Any, **more: Any) -> dict[str, Any]:
    """An entry of COCO's annotations."""
    base = {"id": number, "image_id": image, "category_id": category, "bbox": bbox, "iscrowd": 0}
    return base | more


CATEGORIES = [{"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}, {"id": 90, "name": "owl"}]


def coco(root: Path) -> Path:
    """COCO: gaps in ids, a crowd, and one record of each broken kind."""
    for number in (1, 2):
        picture(root / "train2017" / f"{number}.jpg")
    data = {
        "info": {},
        "images": [image_record(1), image_record(2), image_record(4), {"file_name": "x.jpg"}],
        "annotations": [
            box_record(1, 1, 7, [10, 20, 30, 40]),
            box_record(2, 1, 3, [0.5, 0.5, 10, 10]),
            box_record(3, 1, 90, [0, 0, 50, 50], iscrowd=1),
            box_record(4, 99, 3, [0, 0, 5, 5]),
            box_record(5, 1, 55, [0, 0, 5, 5]),
            box_record(6, 2, 3, [1, 2, 3]),
            box_record(7, 1, 7, [50, 50, 20, 20]),
        ],
        "categories": CATEGORIES,
    }
    return write_json(root / "annotations" / "instances_train2017.json", data)


def lvis(root: Path) -> Path:
    """LVIS v1: no file_name."""
    picture(root / "val2017" / "000000000001.jpg")
    image = {
        "id": 1,
        "coco_url": "http://images.cocodataset.org/val2017/000000000001.jpg",
        "width": 200,
        "height": 100,
        "neg_category_ids": [7, 1234],
        "not_exhaustive_category_ids": [3],
    }
    data = {
        "images": [image],
        "annotations": [box_record(1, 1, 3, [10, 20, 30, 40])],
        "categories": CATEGORIES,
    }
    return write_json(root / "lvis_v1_train.json", data)


def roboflow(root: Path) -> Path:
    """Roboflow's COCO export: three splits, a placeholder as category 0, equal file names."""
    categories = [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "pets"},
        {"id": 2, "name": "dog", "supercategory": "pets"},
    ]
    for number, split in enumerate(("train", "valid", "test")):
        picture(root / split / "a_jpg.rf.0123.jpg", (200 + number, 100))
        data = {
            "images": [
                image_record(0, file_name="a_jpg.rf.0123.jpg", width=200 + number),
            ],
            "annotations": [box_record(0, 0, 1, [number, 20, 30, 40])],
            "categories": categories,
        }
        write_json(root / split / "_annotations.coco.json", data)
    (root / "README.roboflow.txt").write_text("export")
    return root


def openimages(root: Path) -> Path:
    """Open Images: fractions in its own order, a group, verified labels, a hierarchy."""
    for name in ("00ab", "00cd"):
        picture(root / "train" / f"{name}.jpg")
    rows = [
        ["00ab", "xclick", "/m/cat", "1", "0.1", "0.5", "0.2", "0.6", "0", "0", "0", "0", "0"],
        ["00ab", "xclick", "/m/dog", "1", "0.0", "1.0", "0.0", "1.0", "0", "0", "1", "0", "0"],
        ["00ab", "xclick", "/m/zzz", "1", "0.0", "1.0", "0.0", "1.0", "0", "0", "0", "0", "0"],
        ["00cd", "xclick", "/m/cat", "1", "0.1", "oops", "0.2", "0.6", "0", "0", "0", "0", "0"],
    ]
    header = (
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,"
        "IsDepiction,IsInside"
    )
    _csv(root / "oidv6-train-annotations-bbox.csv", [header.split(","), *rows])
    labels = [["00ab", "verification", "/m/owl", "0"], ["00ab", "machine", "/m/dog", "0.7"]]
    _csv(
        root / "oidv6-train-annotations-human-imagelabels-boxable.csv",
        [["ImageID", "Source", "LabelName", "Confidence"], *labels],
    )
    classes = [["/m/cat", "Cat"], ["/m/dog", "Dog"], ["/m/owl", "Owl"], ["/m/pet", "Pet"]]
    _csv(root / "class-descriptions-boxable.csv", classes)
    tree = {"LabelName": "/m/pet", "Subcategory": [{"LabelName": "/m/cat"}]}
    write_json(root / "bbox_labels_600_hierarchy.json", tree)
    return root


def _csv(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def visual_genome(root: Path) -> Path:
    """Visual Genome: an object that was boxed twice, one without a name, two image folders."""
    picture(root / "VG_100K" / "1.jpg")
    picture(root / "VG_100K_2" / "2.jpg")
    write_json(
        root / "image_data.json",
        [
            {"image_id": 1, "url": "https://x/VG_100K/1.jpg", "width": 200, "height": 100},
            {"image_id": 2, "url": "https://x/VG_100K_2/2.jpg", "width": 200, "height": 100},
        ],
    )
    tree = {"object_id": 1, "x": 10, "y": 20, "w": 30, "h": 40, "names": ["tree", "oak"]}
    near = {**tree, "object_id": 2, "w": 31}
    cars = [
        {"object_id": n, "x": 100 + 30 * n, "y": 0, "w": 20, "h": 20, "names": ["car"]}
        for n in (0, 1)
    ]
    nameless = {"object_id": 9, "x": 1, "y": 1, "w": 5, "h": 5, "names": []}
    records = [
        {"image_id": 1, "objects": [tree, near, *cars, nameless]},
        {"image_id": 2, "objects": []},
    ]
    return write_json(root / "objects.json", records)


def regions(root: Path) -> Path:
    """Visual Genome's region descriptions."""
    picture(root / "VG_100K" / "1.jpg")
    region = {"region_id": 5, "image_id": 1, "phrase": "a tall tree", "x": 10, "y": 20}
    records = [
        {"id": 1, "regions": [{**region, "width": 30, "height": 40}, {**region, "width": None}]}
    ]
    return write_json(root / "region_descriptions.json", records)


def refcoco(root: Path) -> Path:
    """RefCOCO: a pickle whose file names are not the image's; one ref of a lost box."""
    picture(root / "train2014" / "COCO_train2014_000000000001.jpg")
    name = "COCO_train2014_000000000001.jpg"
    instances = {
        "images": [image_record(1, file_name=name)],
        "annotations": [
            box_record(10, 1, 3, [10, 20, 30, 40]),
            box_record(11, 1, 3, [100, 20, 30, 40]),
        ],
        "categories": CATEGORIES,
    }
    folder = root / "refcoco"
    write_json(folder / "instances.json", instances)
    refs = [_ref(1, 10, "testA", "left cat", "the cat"), _ref(2, 77, "val", "gone")]
    (folder / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))
    return folder


def _ref(number: int, ann: Any, split: str, *texts: str) -> dict[str, Any]:
    sentences = [{"sent": text, "raw": text.upper(), "tokens": text.split()} for text in texts]
    return {
        "ref_id": number,
        "ann_id": ann,
        "image_id": 1,
        "split": split,
        "file_name": f"COCO_train2014_000000000001_{number}.jpg",
        "category_id": 3,
        "sentences": sentences,
    }


def grefcoco(root: Path) -> Path:
    """gRefCOCO: several targets and none."""
    folder = refcoco(root)
    (folder / "refs(unc).p").unlink()
    refs = [_ref(1, [10, 11], "train", "both cats"), _ref(2, [-1], "train", "a dog")]
    write_json(folder / "grefs(unc).json", refs)
    return folder


def flickr30k(root: Path) -> Path:
    """Flickr30k Entities: a box of two chains, a scene, words that mean two things."""
    picture(root / "flickr30k-images" / "36.jpg")
    text = (
        "[/EN#1/people Two men] see [/EN#2/clothing a hat] in [/EN#3/scene a park] .\n"
        "[/EN#0/notvisual It] is on [/EN#4/people a man] , [/EN#5/people a man] .\n"
    )
    (root / "Sentences").mkdir(parents=True)
    (root / "Annotations").mkdir()
    (root / "Sentences" / "36.txt").write_text(text)
    box = "<bndbox><xmin>{}</xmin><ymin>11</ymin><xmax>{}</xmax><ymax>51</ymax></bndbox>"
    objects = [
        f"<object><name>1</name><name>4</name>{box.format(1, 31)}</object>",
        f"<object><name>1</name><name>5</name>{box.format(41, 71)}</object>",
        f"<object><name>2</name>{box.format(81, 91)}</object>",
        "<object><name>3</name><scene>1</scene><nobndbox>0</nobndbox></object>",
    ]
    size = "<size><width>200</width><height>100</height><depth>3</depth></size>"
    xml = f"<annotation><filename>36.jpg</filename>{size}{''.join(objects)}</annotation>"
    (root / "Annotations" / "36.xml").write_text(xml)
    (root / "Annotations" / "37.xml").write_text("<annotation>")
    for name in ("train", "val", "test"):
        (root / f"{name}.txt").write_text("36\n" if name == "test" else "")
    return root


def voc_object(name: str, corners: tuple[Any, ...], more: str = "") -> str:
    """An object of VOC's XML."""
    names = ("xmax", "xmin", "ymax", "ymin")  # the order varies
    values = (corners[2], corners[0], corners[3], corners[1])
    box = "".join(f"<{n}>{v}</{n}>" for n, v in zip(names, values, strict=True))
    return f"<object><name>{name}</name>{more}<bndbox>{box}</bndbox></object>"


def voc(root: Path) -> Path:
    """Pascal VOC: a part, a difficult object, a size of 0, a wrong file name, a cut off file."""
    for stem, ending in (("000001", ".jpg"), ("000002", ".png")):
        picture(root / "JPEGImages" / (stem + ending))
    folder = root / "Annotations"
    folder.mkdir()
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    first = [
        voc_object("cat", (11, 21, "40.5", 60), part),
        voc_object("dog", (1, 1, 10, 10), "<difficult>1</difficult>"),
        voc_object("owl", ("x", 1, 10, 10)),
    ]
    size = "<size><width>0</width><height>0</height></size>"
    (folder / "000001.xml").write_text(
        f"<annotation><filename>000001.jpg</filename>{size}{''.join(first)}</annotation>"
    )
    (folder / "000002.xml").write_text(
        f"<annotation><filename>000002.jpg</filename>{voc_object('dog', (1, 1, 200, 100))}"
        "</annotation>"
    )
    (folder / "000003.xml").write_text("<annotation><object>")
    (root / "ImageSets" / "Main").mkdir(parents=True)
    (root / "ImageSets" / "Main" / "train.txt").write_text("000001\n")
    (root / "ImageSets" / "Main" / "val.txt").write_text("000002\n")
    (root / "ImageSets" / "Main" / "cat_train.txt").write_text("000002 -1\n")
    return root


def yolo(root: Path) -> Path:
    """YOLO: Roboflow's paths, a polygon among boxes, a background image, broken lines."""
    for split, stem in (("train", "a"), ("train", "empty"), ("valid", "b")):
        picture(root / split / "images" / f"{stem}.jpg")
    labels = {
        "train/labels/a.txt": "0 0.5 0.5 0.2 0.4\n1 0.1 0.1 0.3 0.1 0.3 0.4\n7 0.5 0.5 0.1 0.1\n"
        "0 0.5 x 0.1 0.1\n1 0.5 0.5 3 0.1\n\n",
        "valid/labels/b.txt": "1 0.25 0.25 0.5 0.5\n",
        "train/labels/gone.txt": "0 0.5 0.5 0.1 0.1\n",
    }
    for name, text in labels.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    (root / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n"
        "nc: 2\nnames: ['cat', 'dog']\n"
    )
    return root


def labelme(root: Path) -> Path:
    """LabelMe: corners in any order, a circle, a group, a point, a path of Windows, a broken file."""
    picture(root / "a.jpg")
    picture(root / "b.jpg")

    def shape(label: str, kind: str, points: Any, group: Any = None) -> dict[str, Any]:
        return {"label": label, "shape_type": kind, "points": points, "group_id": group}

    shapes = [
        shape("cat", "rectangle", [[40, 60], [10, 20]]),
        shape("dog", "circle", [[50, 50], [60, 50]]),
        shape("owl", "polygon", [[100, 10], [110, 10], [105, 20]], 1),
        shape("owl", "polygon", [[150, 10], [160, 10], [155, 30]], 1),
        shape("cat", "point", [[5, 5]]),
    ]
    data = {"shapes": shapes, "imagePath": "..\\photos\\a.jpg", "imageData": None}
    write_json(root / "a.json", {"version": "5.0", **data, "imageHeight": None, "imageWidth": None})
    (root / "broken.json").write_text('{"shapes": [')
    return root


def cvat(root: Path) -> Path:
    """CVAT for images: a turned box, a polygon, an empty image, a subfolder."""
    picture(root / "images" / "set" / "a.jpg")
    picture(root / "images" / "b.jpg")
    shapes = [
        '<box label="cat" xtl="10.5" ytl="20" xbr="40.5" ybr="60" occluded="0" z_order="0"/>',
        '<box label="dog" xtl="100" ytl="40" xbr="140" ybr="60" rotation="90"/>',
        '<polygon label="cat" points="1,2;11,2;6,12"/>',
        '<polyline label="dog" points="1,2;11,2"/>',
        '<box label="dog" xtl="x" ytl="40" xbr="140" ybr="60"/>',
    ]
    labels = "".join(f"<label><name>{name}</name></label>" for name in ("cat", "dog", "owl"))
    text = (
        '<?xml version="1.0"?><annotations><version>1.1</version>'
        f"<meta><task><labels>{labels}</labels></task></meta>"
        f'<image id="0" name="set/a.jpg" width="200" height="100">{"".join(shapes)}</image>'
        '<image id="1" name="b.jpg" width="200" height="100"></image>'
        '<image id="2" width="200" height="100"></image></annotations>'
    )
    path = root / "annotations.xml"
    path.write_text(text)
    return path


def label_studio(root: Path) -> Path:
    """Label Studio: percent, an upload's prefix, a cancelled answer, two annotators, predictions."""
    for name in ("a b.jpg", "c.jpg", "d.jpg"):
        picture(root / "images" / name)

    def result(label: str, x: float, y: float, w: float, h: float, turn: float = 0) -> Any:
        value = {"x": x, "y": y, "width": w, "height": h, "rotation": turn}
        return {
            "type": "rectanglelabels",
            "original_width": 200,
            "original_height": 100,
            "value": {**value, "rectanglelabels": [label]},
        }

    def task(number: int, name: str, answers: list[Any]) -> dict[str, Any]:
        data = {"image": f"/data/upload/1/0123abcd-{name}"}
        wrong = [{"result": [result("owl", 0, 0, 100, 100)]}]
        return {"id": number, "data": data, "annotations": answers, "predictions": wrong}

    cat, dog = result("cat", 5, 20, 15, 40), result("dog", 50, 40, 20, 20, 90)
    broken = result("dog", 1, 1, 1, 1)
    broken["value"]["x"] = None
    tasks = [
        task(1, "a%20b.jpg", [{"result": [cat, dog, broken]}, {"result": []}]),
        task(2, "c.jpg", [{"was_cancelled": True, "result": [dog]}, {"result": []}]),
        task(3, "d.jpg", []),
        task(4, "gone.jpg", [{"result": [cat]}]),
    ]
    return write_json(root / "project-1.json", tasks)


def hf_objects(root: Path) -> Path:
    """Parquet with an `objects` column and images inside."""
    import pyarrow as pa
    from pyarrow import parquet

    image = picture(root / "a.png").read_bytes()
    (root / "a.png").unlink()
    rows = [
        {
            "image_id": 15,
            "image": {"bytes": image, "path": "a.png"},
            "width": 200,
            "height": 100,
            "objects": {"bbox": [[10.0, 20.0, 30.0, 40.0], [1.0, 2.0]], "category": [1, 0]},
        },
        {
            "image_id": 16,
            "image": None,
            "width": 2,
            "height": 2,
            "objects": {"bbox": [], "category": []},
        },
    ]
    names = {"_type": "ClassLabel", "names": ["Mask", "Gloves"]}
    features = {"objects": {"feature": {"category": names}, "_type": "Sequence"}}
    table = pa.Table.from_pylist(rows)
    table = table.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    path = root / "data" / "train-00000-of-00001.parquet"
    path.parent.mkdir()
    parquet.write_table(table, path)
    return path


def expressions(root: Path) -> Path:
    """Rows of referring expressions."""
    picture(root / "images" / "1.jpg")
    rows = [
        {
            "image": "1.jpg",
            "image_id": 1,
            "bbox_xywh": [10, 20, 30, 40],
            "expression": "left cat",
            "split": "refcoco_testB",
        },
        {"image": "1.jpg", "bbox_xywh": [10, 20, 30], "expression": "broken"},
        {"image": "1.jpg", "bbox_xywh": [1, 2, 3, 4]},
    ]
    path = root / "refs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\nnot json\n")
    return path


def llava(root: Path) -> Path:
    """LLaVA-style conversations with fractions."""
    picture(root / "1.jpg")
    asked = (
        "<image>\nPlease provide the bounding box of the region this sentence describes: left cat"
    )

    def row(number: int, answer: str) -> dict[str, Any]:
        turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]
        return {"id": number, "image": "1.jpg", "conversations": turns}

    rows = [row(1, "[0.05, 0.20, 0.20, 0.60]"), row(2, "I see none.")]
    return write_json(root / "llava.json", rows)


def ms_swift(root: Path) -> Path:
    """ms-swift's grounding rows."""
    picture(root / "1.jpg")
    row = {
        "messages": [
            {"role": "user", "content": "<image>Find all cats"},
            {"role": "assistant", "content": "<bbox>"},
        ],
        "images": ["1.jpg"],
        "objects": {"ref": ["cat"], "bbox": [[10, 20, 40, 60]]},
    }
    bad = row | {"objects": {"ref": ["cat"], "bbox": [[10, 20, 4000, 60]]}}
    path = root / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps(bad) + "\n")
    return path


def griffon(root: Path) -> Path:
    """Griffon's RANDDET: a category without boxes is absent."""
    for number in (1, 2):
        picture(root / "images" / f"{number}.jpg")
    size = {"width": 200, "height": 100}
    objects = [
        {"category_name": "cat", "bboxes": [[10, 20, 40, 60], [50, 20, 90, 60]]},
        {"category_name": "dog", "bboxes": []},
        {"category_name": "owl", "bboxes": [[1, 2, 3]]},
        {"bboxes": [[1, 2, 30, 40]]},
    ]
    rows = [
        {"image_path": "1.jpg", "objects": objects, **size},
        {"image_path": "2.jpg", "objects": [{"category_name": "dog", "bboxes": [[1, 2, 30, 40]]}]},
        {"image_path": None, "objects": objects},
    ]
    path = root / "vg_randet.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path
