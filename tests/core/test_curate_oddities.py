"""What real sources have beside the usual: files that overlap, shapes of other kinds, records that
are incomplete."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1.curate.absence import absent_of
from swift_plugin_visionr1.curate.sample import Sample, Source
from swift_plugin_visionr1.errors import InputError

from . import source_trees as trees
from .test_curate_rows import card_of, prepare
from .test_curate_sources import BOX, known, read

pytest.importorskip("PIL")
CORNERS = "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>"


def absent(source: Source, samples: list[Sample]) -> dict[Any, list[str]]:
    return {sample.id: absent_of(sample, source) for sample in samples}


@pytest.mark.parametrize("ignore", [1, True])
def test_a_box_to_ignore_is_not_an_object_and_not_absent(tmp_path: Path, ignore: object) -> None:
    trees.picture(tmp_path / "1.jpg")
    data = {
        "images": [trees.image_record(1)],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "ignore": ignore}
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    trees.write_json(tmp_path / "a.json", data)
    source, samples, _ = read(tmp_path / "a.json")
    assert (samples[0].labels, absent(source, samples)) == ((), {1: ["dog"]})


@pytest.mark.parametrize(
    "names",
    [
        ("_annotations.coco.json", "annotations_without_background.json"),
        ("annotations_without_background.json", "fewshot_train_shot1_seed3.json"),
    ],
    ids=["roboflow", "few-shot"],
)
def test_odinws_files_of_the_same_images_are_read_once(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    for split in ("train", "valid"):
        trees.picture(tmp_path / split / "1.jpg")
        data = {
            "images": [trees.image_record(1)],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40]}],
            "categories": [{"id": 1, "name": "cat"}],
        }
        for name in names:
            trees.write_json(tmp_path / split / name, data)
    _, samples, _ = read(tmp_path)
    assert [(sample.split, known(sample)) for sample in samples] == [
        ("train", [("cat", BOX)]),
        ("val", [("cat", BOX)]),
    ]


def _openimages(root: Path) -> Path:
    for split in ("train", "validation"):
        for name in ("boxed", "seen"):
            trees.picture(root / split / f"{split}-{name}.jpg")
        (root / f"{split}-annotations-bbox.csv").write_text(
            "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n"
            f"{split}-boxed,/m/cat,0.05,0.2,0.2,0.6,0\n"
        )
        (root / f"{split}-annotations-human-imagelabels.csv").write_text(
            "ImageID,Source,LabelName,Confidence\n"
            f"{split}-boxed,verification,/m/dog,0\n{split}-boxed,verification,/m/cat,0\n"
            f"{split}-seen,verification,/m/dog,0\n"
        )
    (root / "train-annotations-machine-imagelabels.csv").write_text(
        "ImageID,Source,LabelName,Confidence\ntrain-boxed,machine,/m/owl,0.0\n"
    )
    (root / "class-descriptions-boxable.csv").write_text("/m/cat,Cat\n/m/dog,Dog\n/m/owl,Owl\n")
    return root


@pytest.mark.parametrize("file", ["", "train-annotations-bbox.csv"], ids=["folder", "file"])
def test_openimages_images_without_boxes_have_their_own_split(tmp_path: Path, file: str) -> None:
    source, samples, tally = read(_openimages(tmp_path) / file)
    splits = {sample.id: sample.split for sample in samples}
    wanted = {"train-boxed": "train", "train-seen": "train"}
    if not file:
        wanted |= {"validation-boxed": "val", "validation-seen": "val"}
    assert splits == wanted
    assert absent(source, samples) == {name: ["Dog"] for name in wanted}
    assert not tally.dropped


def test_a_thing_is_alone_only_if_no_other_has_its_name(tmp_path: Path) -> None:
    trees.picture(tmp_path / "VG_100K" / "1.jpg")

    def thing(x: float | None, *names: str) -> dict[str, Any]:
        return {"x": x, "y": 20, "w": 10, "h": 10, "names": names}

    objects = [
        thing(1, "man"),
        thing(50, "person", "man"),
        thing(80, "dog"),
        thing(None, "dog"),
        thing(120, "cup"),
        thing(120, "cup"),
    ]
    trees.write_json(tmp_path / "objects.json", [{"image_id": 1, "objects": objects}])
    _, (sample,), _ = read(tmp_path)
    assert [phrase.text for phrase in sample.phrases] == ["person", "cup"]
    assert sample.labels == ("man", "person", "dog", "cup")


def test_a_chain_that_lacks_a_box_is_not_asked_for(tmp_path: Path) -> None:
    trees.picture(tmp_path / "flickr30k-images" / "1.jpg")
    (tmp_path / "Sentences").mkdir()
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Sentences" / "1.txt").write_text("[/EN#1/people Two men] in [/EN#2/other hats] .")
    objects = "".join(
        f"<object><name>{chain}</name>{corners}</object>"
        for chain, corners in ((1, CORNERS), (1, CORNERS.replace("11", "x")), (2, CORNERS))
    )
    (tmp_path / "Annotations" / "1.xml").write_text(f"<annotation>{objects}</annotation>")
    _, (sample,), tally = read(tmp_path)
    assert [(phrase.text, phrase.boxes) for phrase in sample.phrases] == [("hats", (1,))]
    assert sum(tally.dropped.values()) == 2


def test_voc_names_its_categories_in_any_order_of_elements(tmp_path: Path) -> None:
    trees.picture(tmp_path / "1.jpg")
    part = f"<part><name>head</name>{CORNERS}</part>"
    (tmp_path / "1.xml").write_text(
        f"<annotation><object><pose>left</pose>{part}<name>R&amp;D</name>{CORNERS}</object>"
        f'<object id="2"><name>cat</name>{CORNERS}</object></annotation>'
    )
    source, (sample,), _ = read(tmp_path)
    assert source.categories == ("R&D", "cat")
    assert known(sample) == [("R&D", BOX), ("cat", BOX)]


def test_a_yolo_box_over_the_border_is_kept_and_label_files_in_splits_are_counted(
    tmp_path: Path,
) -> None:
    trees.picture(tmp_path / "images" / "train" / "a.jpg")
    folder = tmp_path / "labels" / "train"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("0 0.99 0.5 0.06 0.2\n0 1.5 0.5 0.1 0.1\n")
    (folder / "gone.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "data.yaml").write_text("train: images/train\nnames: {0: cat}\n")
    _, (sample,), tally = read(tmp_path)
    assert known(sample) == [("cat", [192, 40, 204, 60])]
    assert dict(tally.dropped) == {
        "boxes with numbers that are not in 0-1": 1,
        "label files without an image": 1,
    }


def test_labelme_holds_its_image_itself(tmp_path: Path) -> None:
    trees.picture(tmp_path / "elsewhere.jpg")
    raw = (tmp_path / "elsewhere.jpg").read_bytes()
    shape = {"label": "cat", "shape_type": "rectangle", "points": [[40, 60], [10, 20]]}
    data = {"shapes": [shape], "imagePath": "a.jpg", "imageData": base64.b64encode(raw).decode()}
    trees.write_json(tmp_path / "a.json", data)
    _, (sample,), tally = read(tmp_path / "a.json")
    assert (sample.image["bytes"], known(sample)) == (raw, [("cat", BOX)])
    assert not tally.dropped


def test_turned_ellipses(tmp_path: Path) -> None:
    trees.picture(tmp_path / "a.jpg")
    (tmp_path / "a.xml").write_text(
        '<annotations><image id="0" name="a.jpg" width="200" height="100">'
        '<ellipse label="cat" cx="50" cy="40" rx="20" ry="10" rotation="90"/>'
        "</image></annotations>"
    )
    value = {"x": 25, "y": 40, "radiusX": 10, "radiusY": 10, "rotation": 90}
    _label_studio(tmp_path / "a.json", [value | {"ellipselabels": ["cat"]}])
    for file in ("a.xml", "a.json"):
        _, (sample,), _ = read(tmp_path / file)
        assert known(sample) == [("cat", [40, 20, 60, 60])]


def _label_studio(path: Path, values: list[dict[str, Any]]) -> None:
    sizes = {"original_width": 200, "original_height": 100, "image_rotation": 0}
    results = [{"id": str(n), "value": value, **sizes} for n, value in enumerate(values)]
    task = {"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": results}]}
    trees.write_json(path, [task])


@pytest.mark.parametrize(
    "value",
    [
        {"format": "rle", "rle": [1], "brushlabels": ["dog"]},
        {"x": 1, "y": 2, "width": 0.3, "keypointlabels": ["dog"]},
    ],
    ids=["brush", "key point"],
)
def test_label_studios_other_shapes_are_not_absent(tmp_path: Path, value: dict[str, Any]) -> None:
    trees.picture(tmp_path / "a.jpg")
    box = {"x": 5, "y": 20, "width": 15, "height": 40, "rectanglelabels": ["cat"]}
    _label_studio(tmp_path / "a.json", [box, value])
    source, samples, tally = read(tmp_path / "a.json")
    assert (known(samples[0]), absent(source, samples)) == ([("cat", BOX)], {1: []})
    assert dict(tally.dropped) == {"masks and key points, which are not read": 1}


def test_a_category_without_its_box_is_not_absent(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    image = io.BytesIO()
    trees.Image.new("RGB", trees.SIZE).save(image, "PNG")
    objects = {"bbox": [[10.0, 20, 30, 40]], "category": ["cat", "dog"]}
    row = {"image": {"bytes": image.getvalue(), "path": "a.png"}, "objects": objects}
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "train.parquet")
    source, samples, tally = read(tmp_path)
    assert (known(samples[0]), absent_of(samples[0], source)) == ([("cat", BOX)], [])
    assert dict(tally.dropped) == {"boxes that are not four numbers": 1}


def test_the_question_has_the_names_of_its_placeholders(tmp_path: Path) -> None:
    trees.picture(tmp_path / "a.jpg")
    row = {
        "messages": [
            {"role": "user", "content": "<image>Find <ref-object> and <ref-object>"},
            {"role": "assistant", "content": "<bbox><bbox>"},
        ],
        "images": ["a.jpg"],
        "objects": {"ref": ["cat", "dog"], "bbox": [[10, 20, 40, 60], [1, 2, 3, 4]]},
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    _, (sample,), _ = read(tmp_path / "rows.jsonl")
    assert sample.phrases[0].text == "Find cat and dog"
    assert known(sample) == [("cat", BOX), ("dog", [1, 2, 3, 4])]


def test_a_json_min_export_may_start_with_tasks_without_a_box(tmp_path: Path) -> None:
    trees.picture(tmp_path / "a.jpg")
    box = {"x": 5, "y": 20, "width": 15, "height": 40, "rectanglelabels": ["cat"]}
    tasks = [{"id": 1, "image": "/data/a.jpg"}, {"id": 2, "image": "/data/a.jpg", "label": [box]}]
    trees.write_json(tmp_path / "a.json", tasks)
    source, samples, _ = read(tmp_path)
    assert (source.format, absent(source, samples)) == ("label_studio", {1: ["cat"], 2: []})


def test_refs_as_json_name_the_image_with_a_number_of_their_own(tmp_path: Path) -> None:
    trees.picture(tmp_path / "train2014" / "COCO_train2014_000000000001.jpg")
    ref = {
        "ann_id": 1,
        "bbox": [10, 20, 30, 40],
        "file_name": "COCO_train2014_000000000001_7.jpg",
        "sentences": [{"sent": "left cat"}],
    }
    trees.write_json(tmp_path / "refcoco_train.json", [ref])
    _, (sample,), _ = read(tmp_path / "refcoco_train.json")
    assert (Path(sample.image).name, sample.boxes_xyxy.tolist()) == (
        "COCO_train2014_000000000001.jpg",
        [BOX],
    )


@pytest.mark.parametrize("folder", ["train", "images/train", "images/train2017"])
def test_images_lie_in_a_folder_of_their_split(tmp_path: Path, folder: str) -> None:
    trees.picture(tmp_path / folder / "patch8" / "1.jpg")
    data = {
        "images": [trees.image_record(1, file_name="images/v1/patch8/1.jpg")],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40]}],
        "categories": [{"id": 1, "name": "Handbag/Satchel"}],
    }
    (tmp_path / "annotations").mkdir()
    trees.write_json(tmp_path / "annotations" / "zhiyuan_objv2_train.json", data)
    _, (sample,), _ = read(tmp_path)
    assert known(sample) == [("Handbag/Satchel", BOX)]


def test_frames_of_a_video_without_an_object_are_negatives(tmp_path: Path) -> None:
    for number in (0, 1, 7):
        trees.picture(tmp_path / "images" / f"frame_{number:06d}.png")
    box = '<box frame="{}" xtl="10" ytl="20" xbr="40" ybr="60" outside="{}" keyframe="1"/>'
    (tmp_path / "annotations.xml").write_text(
        "<annotations><meta><task><size>3</size></task></meta>"
        f'<track id="0" label="cat">{box.format(0, 0)}{box.format(1, 1)}</track></annotations>'
    )
    source, samples, _ = read(tmp_path)
    assert absent(source, samples) == {0: [], 1: ["cat"]}


def test_images_of_other_splits_are_counted(tmp_path: Path) -> None:
    names = ("ImageSets/Main/train.txt", "ImageSets/Main/val.txt")
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "Annotations").mkdir()
    for number, file in enumerate((*names, "Annotations/of_none.txt")):
        trees.picture(tmp_path / "JPEGImages" / f"{number}.jpg")
        (tmp_path / file).write_text(f"{number}\n")
        (tmp_path / "Annotations" / f"{number}.xml").write_text(
            f"<annotation><object><name>cat</name>{CORNERS}</object></annotation>"
        )
    rows = prepare(tmp_path, tmp_path / "out" / "train.jsonl")
    card = card_of(tmp_path / "out")
    assert len(rows) == card["counts"]["total"] == 1
    assert [(each["reason"], each["count"]) for each in card["records"]] == [
        ("images of other splits", 2)
    ]


def test_images_of_coco_2014_are_found_under_their_names_of_2017(tmp_path: Path) -> None:
    trees.picture(tmp_path / "val2017" / "000000266409.jpg")
    data = {
        "images": [trees.image_record(266409, file_name="COCO_val2014_000000266409.jpg")],
        "annotations": [{"id": 1, "image_id": 266409, "category_id": 1, "bbox": [10, 20, 30, 40]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    trees.write_json(tmp_path / "lvis_v0.5_val.json", data)
    _, (sample,), tally = read(tmp_path)
    assert (known(sample), Path(sample.image).name) == ([("cat", BOX)], "000000266409.jpg")
    assert sum(tally.mended.values()) == 1


def test_label_studios_relations_are_not_broken_boxes(tmp_path: Path) -> None:
    trees.picture(tmp_path / "a.jpg")
    box = {"x": 5, "y": 20, "width": 15, "height": 40, "rectanglelabels": ["cat"]}
    results = [{"id": "q", "value": box}, {"type": "relation", "from_id": "q", "to_id": "q"}]
    task = {"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": results}]}
    trees.write_json(tmp_path / "a.json", [task])
    _, (sample,), tally = read(tmp_path / "a.json")
    assert (known(sample), dict(tally.dropped)) == ([("cat", BOX)], {})


def test_cocos_files_of_captions_do_not_make_what_is_there_absent(tmp_path: Path) -> None:
    trees.picture(tmp_path / "val2017" / "1.jpg")
    images = {"images": [trees.image_record(1)]}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40]}
    people = images | {"annotations": [box], "categories": [{"id": 1, "name": "person"}]}
    captions = images | {"annotations": [{"id": 1, "image_id": 1, "caption": "a man"}]}
    for name, data in (
        ("person_keypoints", people),
        ("captions", captions),
        ("image_info", images),
    ):
        trees.write_json(tmp_path / f"{name}_val2017.json", data)
    source, samples, _ = read(tmp_path)
    assert absent(source, samples) == {1: []}
    with pytest.raises(InputError, match="bbox"):
        read(tmp_path / "captions_val2017.json")


def test_an_image_column_may_hold_paths_only(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    trees.picture(tmp_path / "images" / "a.jpg")
    image = {"bytes": None, "path": "images/a.jpg"}
    rows = [{"image": image, "objects": [{"bbox": [10.0, 20, 30, 40], "category": "cat"}]}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "train.parquet")
    _, (sample,), tally = read(tmp_path)
    assert (sample.image, known(sample)) == (str(tmp_path / "images/a.jpg"), [("cat", BOX)])
    assert not tally.dropped


def test_llava_rows_in_pixels_may_ask_in_any_words(tmp_path: Path) -> None:
    trees.picture(tmp_path / "s" / "a.jpg")
    turns = [
        {"from": "human", "value": '<image>\nGive the box of "left cat".'},
        {"from": "gpt", "value": "It is at [10, 20, 40, 60]."},
    ]
    row = {"image": "D:\\s\\a.jpg", "conversations": turns}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    _, (sample,), _ = read(tmp_path / "rows.jsonl")
    assert known(sample) == [("left cat", BOX)]
    assert sample.phrases[0].text == 'Give the box of "left cat".'


def test_an_expression_is_not_of_a_category_with_a_second_broken_box(tmp_path: Path) -> None:
    trees.picture(tmp_path / "1.jpg")
    boxes = {1: ([10, 20, 30, 40], [50, 2, None, 40]), 2: ([10, 20, 30, 40],)}
    data = {
        "images": [trees.image_record(1)],
        "annotations": [
            {"image_id": 1, "category_id": number, "bbox": box}
            for number, some in boxes.items()
            for box in some
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    trees.write_json(tmp_path / "a.json", data)
    out = tmp_path / "out" / "train.jsonl"
    (row,) = prepare(tmp_path / "a.json", out, "--task", "referring")
    assert json.loads(row["solution"])["labels"] == ["dog"]


def test_cvats_labels_of_whole_images_are_not_categories(tmp_path: Path) -> None:
    """A tag has no place; a label that has boxes elsewhere may be in the image, too."""
    for name in "ab":
        trees.picture(tmp_path / f"{name}.jpg")
    label = "<label><name>{}</name><type>{}</type></label>"
    (tmp_path / "annotations.xml").write_text(
        f"<annotations><meta><labels>{label.format('cat', 'any')}{label.format('day', 'tag')}"
        "</labels></meta>"
        '<image id="0" name="a.jpg" width="200" height="100"><tag label="day"/><tag label="cat"/>'
        '</image><image id="1" name="b.jpg" width="200" height="100"><tag label="night"/>'
        '<box label="cat" xtl="1" ytl="2" xbr="30" ybr="40"/></image></annotations>'
    )
    source, (first, second), _ = read(tmp_path)
    assert source.categories == ("cat",)
    assert absent_of(first, source) == absent_of(second, source) == []
    assert second.labels == ("cat",)


def test_yolos_files_may_begin_with_a_mark_of_their_bytes(tmp_path: Path) -> None:
    """As Windows' Notepad writes it."""
    trees.picture(tmp_path / "images" / "a.jpg")
    (tmp_path / "labels").mkdir()
    for name, text in (
        ("labels/a.txt", "0 0.5 0.5 0.5 0.5\r\n"),
        ("all.txt", "./images/a.jpg\r\n"),
    ):
        (tmp_path / name).write_text(text, "utf-8-sig")
    (tmp_path / "data.yaml").write_text("train: all.txt\nnames: [cat]\n")
    _, (sample,), _ = read(tmp_path)
    assert sample.labels == ("cat",)
