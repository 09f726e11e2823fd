"""Every form of annotations: what its samples are, and that broken records are counted."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from swift_plugin_visionr1.curate.image_search import locate
from swift_plugin_visionr1.curate.registry import FORMATS, open_source
from swift_plugin_visionr1.curate.sample import Request, Sample, Source
from swift_plugin_visionr1.curate.sources.coco_table import AT_ONCE, CocoTable
from swift_plugin_visionr1.curate.tally import Tally
from swift_plugin_visionr1.errors import InputError

from . import source_trees as trees

pytest.importorskip("PIL")
BOX = [10, 20, 40, 60]


def read(path: Path, **options: object) -> tuple[Source, list[Sample], Tally]:
    tally = Tally()
    source = open_source(Request(path, **options), tally)  # type: ignore[arg-type]
    return source, list(locate(source, tally)), tally


def known(sample: Sample) -> list[tuple[str, list[float]]]:
    """Labels and boxes, in pixels."""
    boxes = sample.in_pixels(trees.SIZE).boxes_xyxy
    return [
        (label, box) for label, box in zip(sample.labels, np.round(boxes, 6).tolist(), strict=True)
    ]


FORMS = {
    "coco": (trees.coco, 2, {"images without a file": 1, "boxes of crowds, or marked to be ignored": 1, "annotations of images that are not listed": 1, "annotations of categories that are not listed": 1, "annotations without image_id, category_id and a bbox of four numbers": 1, "image records without an id": 1}),
    "lvis": (trees.lvis, 1, {}),
    "roboflow": (trees.roboflow, 3, {}),
    "openimages": (trees.openimages, 2, {"boxes of groups": 1, "boxes of classes that are not described": 1, "boxes that are not four numbers": 1}),
    "visual_genome": (trees.visual_genome, 2, {"objects that were boxed several times": 1, "boxes without a label": 1}),
    "regions": (trees.regions, 1, {"boxes that are not four numbers": 1}),
    "refcoco": (trees.refcoco, 2, {"expressions whose box is not in the instances": 1}),
    "grefcoco": (trees.grefcoco, 1, {}),
    "flickr30k": (trees.flickr30k, 1, {"annotation files that cannot be read": 1, "phrases of scenes and of things without a box": 1, "phrases that mean different boxes of one image": 1}),
    "voc": (trees.voc, 2, {"annotation files that cannot be read": 1, "boxes that are marked as difficult": 1, "boxes that are not four numbers": 1}),
    "yolo": (trees.yolo, 3, {"boxes of classes that are not in names": 1, "boxes that are not four numbers": 1, "boxes with numbers that are not in 0-1": 1, "label files without an image": 1}),
    "labelme": (trees.labelme, 1, {"annotation files that cannot be read": 1, "points and lines, which have no box": 1, "images without an annotation file": 1}),
    "cvat": (trees.cvat, 2, {"points and lines, which have no box": 1, "boxes that are not four numbers": 1, "images without a name": 1}),
    "label_studio": (trees.label_studio, 2, {"annotations that were cancelled": 1, "answers of further annotators": 1, "tasks without an annotation": 1, "images without a file": 1, "boxes that are not four numbers": 1}),
    "hf_objects": (trees.hf_objects, 1, {"rows without an image and objects": 1, "boxes that are not four numbers": 1}),
    "expressions": (trees.expressions, 1, {"rows without an image, an expression and boxes": 2, "boxes that are not four numbers": 1}),
    "griffon": (trees.griffon, 2, {"rows without an image_path and objects": 1, "boxes without a label": 1, "boxes that are not four numbers": 1}),
    "llava": (trees.llava, 1, {"rows that cannot be used": 1}),
    "ms_swift": (trees.ms_swift, 1, {"rows that cannot be used": 1}),
}  # fmt: off


@pytest.mark.parametrize("form", FORMS)
def test_broken_records_are_counted_and_nothing_else_is_lost(tmp_path: Path, form: str) -> None:
    make, count, dropped = FORMS[form]
    _, samples, tally = read(make(tmp_path / form))
    assert len(samples) == count
    assert dict(tally.dropped) == dropped
    assert all(tally.examples[reason] for reason in dropped)


def test_coco(tmp_path: Path) -> None:
    source, (first, second), _ = read(trees.coco(tmp_path))
    assert (source.format, source.exhaustive) == ("coco", True)
    assert source.categories == ("cat", "dog", "owl")
    assert known(first) == [
        ("dog", BOX),
        ("cat", [0.5, 0.5, 10.5, 10.5]),
        ("dog", [50, 50, 70, 70]),
    ]
    assert first.not_exhaustive == ("owl",)  # a crowd is there, but has no box
    assert (first.split, second.labels, second.unsure) == ("train", (), ("cat",))


@pytest.mark.parametrize(
    "order", [("annotations", "images", "categories"), ("categories", "annotations", "images")]
)
def test_coco_in_any_order_of_its_lists(tmp_path: Path, order: tuple[str, ...]) -> None:
    path = trees.coco(tmp_path)
    data = json.loads(path.read_text())
    path.write_text(json.dumps({name: data[name] for name in order}))
    _, (first, _), tally = read(path)
    assert [label for label, _ in known(first)] == ["dog", "cat", "dog"]
    assert tally.dropped.total() == 6


def test_lvis_knows_what_is_absent(tmp_path: Path) -> None:
    source, (sample,), _ = read(trees.lvis(tmp_path))
    assert (source.format, source.exhaustive) == ("lvis", False)
    assert (sample.absent, sample.not_exhaustive) == (("dog",), ("cat",))
    assert Path(sample.image) == tmp_path / "val2017" / "000000000001.jpg"


def test_roboflow_has_three_splits_and_no_placeholder(tmp_path: Path) -> None:
    source, samples, _ = read(trees.roboflow(tmp_path / "pets"))
    assert source.categories == ("cat", "dog")
    assert sorted(sample.split for sample in samples) == ["test", "train", "val"]
    for sample in samples:  # each has the image of its own split
        assert sample.size is not None
        assert sample.boxes_xyxy[0, 0] == sample.size[0] - 200
        assert Path(sample.image).parent.name in (sample.split, "valid")


def test_openimages(tmp_path: Path) -> None:
    source, (first, second), _ = read(trees.openimages(tmp_path))
    assert known(first) == [("Cat", [20, 20, 100, 60])]
    assert (first.absent, first.not_exhaustive) == (("Owl",), ("Dog",))
    assert second.unsure == ("Cat",)
    assert source.relatives["Cat"] == {"Pet"}
    assert source.upright


def test_visual_genome(tmp_path: Path) -> None:
    source, (first, second), _ = read(trees.visual_genome(tmp_path))
    assert known(first)[0] == ("tree", BOX)
    assert first.labels == ("tree", "car", "car")
    assert [phrase.text for phrase in first.phrases] == ["tree"]
    assert source.tasks[0] == "referring"
    assert Path(second.image).parent.name == "VG_100K_2"


def test_regions(tmp_path: Path) -> None:
    _, (sample,), _ = read(trees.regions(tmp_path))
    assert [(p.text, p.boxes) for p in sample.phrases] == [("a tall tree", (0,))]
    assert sample.boxes_xyxy.tolist() == [BOX]


def test_refcoco(tmp_path: Path) -> None:
    source, (sample, lost), _ = read(trees.refcoco(tmp_path))
    assert source.tasks == ("referring",)
    assert [(p.text, p.boxes) for p in sample.phrases] == [("left cat", (0,)), ("the cat", (0,))]
    assert (sample.boxes_xyxy.tolist(), sample.split) == ([BOX], "testA")
    assert lost.phrases == ()


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Callable, tuple[str]]:
            return Path.touch, (Path(tmp_path / "executed"),)  # type: ignore[return-value]

    folder = trees.refcoco(tmp_path)
    (folder / "refs(unc).p").write_bytes(pickle.dumps([Attack()]))
    with pytest.raises(InputError):
        read(folder)
    assert not (tmp_path / "executed").exists()


def test_grefcoco_has_several_targets_and_none(tmp_path: Path) -> None:
    _, (sample,), _ = read(trees.grefcoco(tmp_path))
    assert [(p.text, p.boxes) for p in sample.phrases] == [("both cats", (0, 1)), ("a dog", ())]


def test_flickr30k(tmp_path: Path) -> None:
    _, (sample,), _ = read(trees.flickr30k(tmp_path))
    assert [(p.text, p.boxes) for p in sample.phrases] == [("Two men", (0, 1)), ("a hat", (2,))]
    assert sample.boxes_xyxy[0].tolist() == [0, 10, 30, 50]
    assert sample.split == "test"


def test_voc_is_one_based(tmp_path: Path) -> None:
    source, (first, second), _ = read(trees.voc(tmp_path))
    assert known(first) == [("cat", [10, 20, 40.5, 60])]
    assert known(second) == [("dog", [0, 0, 200, 100])]
    assert (first.size, first.not_exhaustive, first.unsure) == (None, ("dog",), ("owl",))
    assert (first.split, second.split) == ("train", "val")
    assert Path(second.image).name == "000002.png"
    assert set(source.categories) == {"cat", "dog", "owl"}


def test_a_corner_at_0_proves_that_voc_is_zero_based(tmp_path: Path) -> None:
    trees.voc(tmp_path)
    file = tmp_path / "Annotations" / "000002.xml"
    file.write_text(file.read_text().replace("<xmin>1<", "<xmin>0<"))
    _, (first, _), _ = read(tmp_path)
    assert known(first) == [("cat", [11, 21, 40.5, 60])]


def test_yolo(tmp_path: Path) -> None:
    source, samples, _ = read(trees.yolo(tmp_path / "pets"))
    by_id = {sample.id: sample for sample in samples}
    assert known(by_id["a"]) == [("cat", [80, 30, 120, 70]), ("dog", [20, 10, 60, 40])]
    assert (by_id["b"].split, by_id["empty"].labels) == ("val", ())
    assert by_id["a"].unsure == ("cat", "dog")
    assert source.categories == ("cat", "dog")


def test_labelme(tmp_path: Path) -> None:
    _, (sample,), _ = read(trees.labelme(tmp_path))
    assert known(sample) == [("cat", BOX), ("dog", [40, 40, 60, 60]), ("owl", [100, 10, 160, 30])]
    assert sample.unsure == ("cat",)


def test_cvat(tmp_path: Path) -> None:
    source, (first, second), _ = read(trees.cvat(tmp_path))
    assert known(first) == [
        ("cat", [10.5, 20, 40.5, 60]),
        ("dog", [110, 30, 130, 70]),
        ("cat", [1, 2, 11, 12]),
    ]
    assert (second.labels, source.categories) == ((), ("cat", "dog", "owl"))


def test_cvat_for_video(tmp_path: Path) -> None:
    trees.picture(tmp_path / "images" / "frame_000004.png")
    box = '<box frame="{}" xtl="10" ytl="20" xbr="40" ybr="60" outside="{}" keyframe="1"/>'
    track = f'<track id="0" label="cat">{box.format(4, 0)}{box.format(5, 1)}</track>'
    (tmp_path / "annotations.xml").write_text(f"<annotations>{track}</annotations>")
    _, (sample,), _ = read(tmp_path)
    assert (sample.id, known(sample)) == (4, [("cat", BOX)])


def test_label_studio(tmp_path: Path) -> None:
    source, (first, second), _ = read(trees.label_studio(tmp_path))
    assert known(first) == [("cat", BOX), ("dog", [80, 40, 100, 80])]
    assert Path(first.image).name == "a b.jpg"
    assert (second.id, second.labels) == (2, ())
    assert source.categories == ("cat", "dog")


def test_json_min_has_no_sizes(tmp_path: Path) -> None:
    trees.picture(tmp_path / "a.jpg")
    box = {"x": 5, "y": 20, "width": 15, "height": 40, "rectanglelabels": ["cat"]}
    trees.write_json(
        tmp_path / "min.json", [{"id": 1, "image": "/data/upload/a.jpg", "label": [box]}]
    )
    _, (sample,), _ = read(tmp_path / "min.json")
    assert (sample.size, known(sample)) == (None, [("cat", BOX)])


def test_hf_objects(tmp_path: Path) -> None:
    source, (sample,), _ = read(trees.hf_objects(tmp_path))
    assert known(sample) == [("Gloves", BOX)]
    assert (sample.unsure, sample.split) == (("Mask",), "train")
    assert source.categories == ("Mask", "Gloves")


def test_hf_objects_without_names_are_noted(tmp_path: Path) -> None:
    from pyarrow import parquet

    path = trees.hf_objects(tmp_path)
    assert read(tmp_path)[0].notes == ()
    table = parquet.read_table(path).replace_schema_metadata({})
    parquet.write_table(table, path)
    source, (sample,), _ = read(tmp_path)
    assert sample.labels == ("1",)
    assert len(source.notes) == 1


def test_expressions(tmp_path: Path) -> None:
    _, (sample,), _ = read(trees.expressions(tmp_path))
    assert [(p.text, p.boxes) for p in sample.phrases] == [("left cat", (0,))]
    assert (sample.boxes_xyxy.tolist(), sample.split) == ([BOX], "testB")


@pytest.mark.parametrize(
    ("row", "bbox"),
    [
        pytest.param({"file_name": "1.jpg"}, [10, 20, 30, 40], id="as COCO writes it"),
        pytest.param({"image": "1.jpg"}, BOX, id="corners"),
    ],
)
def test_the_bbox_of_expressions(tmp_path: Path, row: dict[str, str], bbox: list[float]) -> None:
    trees.picture(tmp_path / "1.jpg")
    path = tmp_path / "val.jsonl"
    path.write_text(json.dumps({**row, "bbox": bbox, "expression": "left cat"}))
    _, (sample,), _ = read(path)
    assert sample.boxes_xyxy.tolist() == [BOX]


@pytest.mark.parametrize("form", ["llava", "ms_swift"])
def test_rows_keep_their_questions(tmp_path: Path, form: str) -> None:
    _, (sample,), _ = read(getattr(trees, form)(tmp_path))
    assert sample.in_pixels(trees.SIZE).boxes_xyxy.round(6).tolist() == [BOX]
    assert sample.labels == ("left cat" if form == "llava" else "cat",)
    assert sample.asked
    assert len(sample.phrases) == 1


def test_mdetr_files_are_expressions_and_not_a_class_object(tmp_path: Path) -> None:
    trees.picture(tmp_path / "1.jpg")
    image = trees.image_record(5, file_name="1.jpg", caption="left cat", dataset_name="refcoco")
    box = trees.box_record(1, 5, 1, [10, 20, 30, 40], tokens_positive=[[0, 8]])
    data = {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "object"}]}
    source, (sample,), _ = read(trees.write_json(tmp_path / "finetune_refcoco_val.json", data))
    assert source.tasks == ("referring",)
    assert [(p.text, p.boxes) for p in sample.phrases] == [("left cat", (0,))]


def test_mdetr_phrases(tmp_path: Path) -> None:
    trees.picture(tmp_path / "1.jpg")
    image = trees.image_record(
        5, file_name="1.jpg", caption="a cat and a dog", dataset_name="flickr"
    )
    boxes = [
        trees.box_record(n, 5, 1, [10 * n, 20, 30, 40], tokens_positive=[span])
        for n, span in enumerate([[0, 5], [10, 15], [0, 5]])
    ]
    data = {"images": [image], "annotations": boxes, "categories": [{"id": 1, "name": "object"}]}
    source, (sample,), _ = read(trees.write_json(tmp_path / "final_flickr.json", data))
    assert source.tasks == ("grounding",)
    assert [(p.text, p.boxes) for p in sample.phrases] == [("a cat", (0, 2)), ("a dog", (1,))]


def test_grefcoco_in_cocos_form_keeps_expressions_without_a_target(tmp_path: Path) -> None:
    trees.picture(tmp_path / "1.jpg")
    image = trees.image_record(5, file_name="1.jpg", caption="a dog", original_id=77)
    nothing = trees.box_record(1, 5, -1, [0, 0, 0, 0], area=-1, iscrowd=-1, empty=True)
    data = {
        "images": [image],
        "annotations": [nothing],
        "categories": [{"id": 1, "name": "object"}],
    }
    _, (sample,), tally = read(trees.write_json(tmp_path / "grefs.json", data))
    assert [(p.text, p.boxes) for p in sample.phrases] == [("a dog", ())]
    assert (sample.id, tally.dropped.total()) == (77, 0)


def test_v3dets_ancestors_and_descendants_are_relatives(tmp_path: Path) -> None:
    path = trees.coco(tmp_path)
    tree = {"id2name": {"1": "pet", "2": "cat"}, "ancestor2descendant": {"1": ["2"]}}
    trees.write_json(path.parent / "v3det_2023_v1_category_tree.json", tree)
    source, _, _ = read(path)
    assert source.relatives == {"cat": {"pet"}, "pet": {"cat"}}


@pytest.mark.parametrize("boxes", ["xyxy", "cxcywh", "xyxy-norm1000"])
def test_boxes_can_be_said_to_be_of_another_layout(tmp_path: Path, boxes: str) -> None:
    path = trees.coco(tmp_path)
    data = json.loads(path.read_text())
    written = {"xyxy": BOX, "cxcywh": [25, 40, 30, 40], "xyxy-norm1000": [50, 200, 200, 600]}
    data["annotations"] = [trees.box_record(1, 1, 7, written[boxes])]
    path.write_text(json.dumps(data))
    _, (sample, _), _ = read(path, boxes=boxes)
    assert known(sample) == [("dog", BOX)]


def test_an_unknown_source_is_refused_with_a_list_of_the_known(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert [name for name in FORMATS if name not in str(error.value)] == []


@pytest.mark.parametrize(
    ("folder", "annotations"),
    [("bccd", "instances_train"), ("chess_cc0", "instances_valid"), ("coco_open", "instances")],
)
def test_real_sets_box_by_box(shared_data: Path, folder: str, annotations: str) -> None:
    path = shared_data / folder / f"{annotations}.json"
    data = json.loads(path.read_text())
    names = {record["id"]: record["name"] for record in data["categories"]}
    wanted = {image["id"]: [] for image in data["images"]}
    for record in data["annotations"]:
        if not record.get("iscrowd"):
            x, y, w, h = record["bbox"]
            wanted[record["image_id"]].append((names[record["category_id"]], [x, y, x + w, y + h]))
    _, samples, _ = read(path)
    assert {
        sample.id: list(zip(sample.labels, sample.boxes_xyxy.tolist(), strict=True))
        for sample in samples
    } == wanted


def test_annotations_may_come_before_their_images(tmp_path: Path) -> None:
    """As in LVIS; more of them than are read at a time."""
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 9, "height": 9} for i in range(3)]
    records = [
        {"id": number + 1, "image_id": number % 3, "category_id": 1, "bbox": [number % 5, 1, 2, 2]}
        for number in range(AT_ONCE + 5)
    ]
    parts = {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": records}
    tables = []
    for number, names in enumerate((parts, reversed(parts))):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps({name: parts[name] for name in names}))
        rows = CocoTable(file, Tally()).rows()
        tables.append([(image["id"], some["bbox"].tolist()) for image, some in rows])
    assert tables[0] == tables[1]
    assert sum(len(boxes) for _, boxes in tables[0]) == len(records)
