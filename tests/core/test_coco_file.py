"""The reader of COCO instances files that both packages share."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import read_annotations
from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.data.coco import read_coco
from swift_plugin_visionr1.errors import InputError

from .coco_files import sound, write


def first(section: str, **change: Any) -> Any:
    def apply(data: Any) -> None:
        data[section][0] |= change

    return apply


def without(section: str, field: str) -> Any:
    return lambda data: data[section][0].pop(field)


def ids_as_text(section: str) -> Any:
    def apply(data: Any) -> None:
        for record in data[section]:
            record["id"] = str(record["id"])

    return apply


BAD = {
    "no width": (without("images", "width"), ["image 1", "width"]),
    "null height": (first("images", height=None), ["image 1", "height"]),
    "zero width": (first("images", width=0), ["image 1", "width"]),
    "width as text": (first("images", width="640"), ["image 1", "'640'"]),
    "a width of 10**400": (first("images", width=10**400), ["image 1", "width"]),
    "half a pixel": (first("images", width=640.5), ["image 1", "640.5"]),
    "an image twice": (first("images", id=2), ["images", "2"]),
    "an image that is null": (lambda d: d["images"].append(None), ["images", "entry 13", "None"]),
    "an empty box": (first("annotations", bbox=[]), ["annotation 1", "bbox", "[]"]),
    "a box of text": (
        first("annotations", bbox=["1", "2", "3", "4"]),
        ["annotation 1", "bbox", "'1'"],
    ),
    "a box of booleans": (first("annotations", bbox=[True] * 4), ["annotation 1", "bbox"]),
    "a box of NaN": (
        first("annotations", bbox=[0, 0, 1, float("nan")]),
        ["annotation 1", "bbox", "nan"],
    ),
    "a box of 10**400": (first("annotations", bbox=[0, 0, 1, 10**400]), ["annotation 1", "bbox"]),
    "nested boxes": (first("annotations", bbox=[[0, 0, 1, 1]]), ["annotation 1", "bbox"]),
    "no box": (without("annotations", "bbox"), ["annotation 1", "bbox"]),
    "of an unknown image": (first("annotations", image_id=77), ["annotation 1", "image_id", "77"]),
    "of an unknown category": (
        first("annotations", category_id=77),
        ["annotation 1", "category_id", "77"],
    ),
    "category ids as text": (ids_as_text("categories"), ["annotation 1", "category_id", "text"]),
    "image ids as text": (ids_as_text("images"), ["annotation 1", "image_id", "text"]),
    "a list as category": (first("annotations", category_id=[1]), ["annotation 1", "category_id"]),
    "two categories of one name": (first("categories", name="dog"), ["categories 1 and 2", "dog"]),
    "no name": (without("categories", "name"), ["category 1", "name"]),
    "no categories": (lambda d: d.pop("categories"), ["categories"]),
    "no images": (lambda d: d.pop("images"), ["images"]),
    "no annotations": (lambda d: d.pop("annotations"), ["annotations"]),
    "an object as annotations": (lambda d: d.update(annotations={}), ["annotations", "dict"]),
    "a crowd of text": (first("annotations", iscrowd="0"), ["annotation 1", "iscrowd", "'0'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_record_and_field_are_named_alike_in_both_packages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    data = sound()
    path = write(tmp_path, data)
    spoil, named = BAD[case]
    spoil(data)
    path.write_text(json.dumps(data))
    with pytest.raises(InputError) as error:
        read_annotations(path)
    said = str(error.value)
    assert [word for word in named if word not in said] == []
    assert len(said) < 500
    out = tmp_path / "rows.jsonl"
    words = ["--ann", str(path), "--images", str(tmp_path / "images"), "--out", str(out)]
    assert main(["prepare", *words]) == 2
    assert capsys.readouterr().err == f"vision-r1: {said}\n"
    assert not out.exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n", id="blank"),
        pytest.param(b'{"images": [', id="cut"),
        pytest.param(b"\xff\xfe\xff", id="binary"),
        pytest.param(b"[]", id="a list of results"),
        pytest.param(b"[" * 200_000, id="nested too deeply"),
        pytest.param(b'{"images": [{"id": ' + b"1" * 5000 + b"}]}", id="a number of 5000 digits"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ann.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"ann\.json"):
        read_coco(path)


def test_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(sound()), encoding="utf-8-sig")
    assert len(read_coco(path).annotations) == 36


def as_pandas_writes(data: Any) -> None:
    for record in data["images"] + data["categories"]:
        record["id"] = float(record["id"])
    for record in data["annotations"]:
        record |= {"image_id": float(record["image_id"]), "category_id": 1e0, "iscrowd": False}


def test_ids_and_sizes_as_floats(tmp_path: Path) -> None:
    data = sound()
    as_pandas_writes(data)
    data["images"][0] |= {"width": 640.0, "height": 4.8e2}
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(data))
    annotations = read_annotations(path)
    assert repr(annotations.images[0].size) == "(640, 480)"
    assert {type(image.id) for image in annotations.images} == {int}
    assert {type(record["image_id"]) for record in annotations.data["annotations"]} == {int}
    assert [text for text in annotations.repairs if "7.0" in text]
    with annotations.metric_file() as copy:
        assert read_annotations(copy).repairs == ()


def test_a_supercategory_of_the_same_name_is_left_out(tmp_path: Path) -> None:
    data = sound()
    data["categories"].insert(0, {"id": 0, "name": "dog", "supercategory": "none"})
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(data))
    file = read_coco(path)
    assert file.categories == {1: "cat", 2: "dog"}
    assert len(file.changes) == 1


def test_crowds_with_masks_stay(tmp_path: Path) -> None:
    data = sound()
    mask = {"counts": [100, 200], "size": [480, 640]}
    data["annotations"][0] |= {"iscrowd": 1, "segmentation": mask}
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(data))
    assert (read_coco(path).annotations[0]["iscrowd"], read_coco(path).changes) == (1, ())
