"""`vision-r1 prepare --source`: rows, their negatives, faults of sources, cards."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.curate.rendering import WHOLE, Asking, render
from swift_plugin_visionr1.curate.sample import Sample, Source
from swift_plugin_visionr1.data.ground_truth import read_solution

from . import source_trees as trees
from .coco_files import rewritten, sound, write
from .curating import boxes, card_of, prepare, rows_of

BOX = [10, 20, 40, 60]


@pytest.mark.parametrize(
    "form",
    ["coco", "openimages", "voc", "yolo", "labelme", "cvat", "label_studio", "hf_objects"],
)
def test_detection_rows_of_every_form_are_read_by_training(tmp_path: Path, form: str) -> None:
    source = getattr(trees, form)(tmp_path / form)
    rows = prepare(source, tmp_path / "out" / "train.jsonl")
    assert rows
    for row in rows:
        assert {"messages", "images", "solution", "image_id", "source", "task"} == set(row)
        assert row["task"] == "detection"
        truth = read_solution(row["solution"])
        assert Image.open(row["images"][0]).size == truth.size
    assert card_of(tmp_path / "out")["counts"]["total"] == len(rows)


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("refcoco", ["left cat", "the cat"]),
        ("grefcoco", ["both cats", "a dog"]),
        ("regions", ["a tall tree"]),
        ("visual_genome", ["tree"]),
        ("expressions", ["left cat"]),
    ],
)
def test_expressions_are_referring_rows(tmp_path: Path, form: str, asked: list[str]) -> None:
    split = {"refcoco": ["--split", "testA"]}.get(form, [])
    rows = prepare(getattr(trees, form)(tmp_path / form), tmp_path / "o" / "rows.jsonl", *split)
    questions = [row["messages"][0]["content"] for row in rows]
    assert [
        f"Locate every {text} in the image" in q for text, q in zip(asked, questions, strict=True)
    ] == [True] * len(asked)
    assert {row["task"] for row in rows} == {"referring"}
    if form == "grefcoco":
        assert [len(boxes(row)) for row in rows] == [2, 0]


def test_flickrs_phrases_are_grounding_rows(tmp_path: Path) -> None:
    rows = prepare(trees.flickr30k(tmp_path / "f"), tmp_path / "o" / "rows.jsonl")
    assert [(row["task"], json.loads(row["solution"])["labels"]) for row in rows] == [
        ("grounding", ["Two men", "Two men"]),
        ("grounding", ["a hat"]),
    ]


def test_rows_keep_their_own_questions(tmp_path: Path) -> None:
    (row,) = prepare(trees.llava(tmp_path / "l"), tmp_path / "o" / "rows.jsonl")
    assert "this sentence describes: left cat" in row["messages"][0]["content"]
    assert boxes(row) == [BOX]


def test_a_folder_gets_a_file_for_each_split(tmp_path: Path) -> None:
    source = trees.roboflow(tmp_path / "pets")
    assert main(["prepare", "--source", str(source), "--out", str(tmp_path / "out")]) == 0
    files = {path.name: len(rows_of(path)) for path in (tmp_path / "out").glob("*.jsonl")}
    assert files == {"train.jsonl": 1, "val.jsonl": 1, "test.jsonl": 1}
    assert len(prepare(source, tmp_path / "one" / "train.jsonl")) == 1  # only the split train


def test_crowds_and_lost_boxes_are_not_asked_for(tmp_path: Path) -> None:
    first, second = prepare(trees.coco(tmp_path / "c"), tmp_path / "o" / "rows.jsonl")
    assert first["messages"][0]["content"].endswith("includes cat, dog.")
    assert second["messages"][0]["content"].endswith("includes dog, owl.")  # cat's box is broken


def test_lvis_asks_only_for_what_is_known(tmp_path: Path) -> None:
    source = trees.lvis(tmp_path / "l")
    data = json.loads(source.read_text())
    data["annotations"].append(trees.box_record(2, 1, 90, [50, 50, 20, 20]))
    source.write_text(json.dumps(data))
    (row,) = prepare(source, tmp_path / "o" / "rows.jsonl")
    asked = row["messages"][0]["content"]
    assert "owl" in asked
    assert "cat" not in asked.rpartition("includes")[2]  # not all cats have a box
    assert json.loads(row["solution"])["labels"] == ["owl"]


def test_a_negative_is_never_there(tmp_path: Path) -> None:
    draw, names = random.Random(0), [f"class {i}" for i in range(60)]
    relatives = {names[0]: frozenset(names[1:5])}
    counts = {"negative": 0, "none": 0}
    for number in range(10_000):
        exhaustive = draw.random() < 0.5
        labels = tuple(draw.choices(names, k=draw.randint(0, 8)))
        partly, absent = tuple(draw.sample(names, 3)), tuple(draw.sample(names, 6))
        sample = Sample(
            number,
            "a.jpg",
            (64, 48),
            np.tile([1.0, 1, 9, 9], (len(labels), 1)),
            labels,
            absent=absent,
            not_exhaustive=partly,
        )
        source = Source(
            "s",
            "coco",
            (),
            (),
            tuple(names),
            exhaustive,
            ("detection",),
            lambda tally: iter(()),
            relatives=relatives,
        )
        there = {*labels, *partly, *(relatives[names[0]] if names[0] in {*labels, *partly} else ())}
        for task in ("detection", "grounding"):
            row = render(sample, source, task, WHOLE, True, Asking(seed=number))  # type: ignore[arg-type]
            if row is None:
                counts["none"] += 1
                continue
            counts["negative"] += 1
            text = row.row["messages"][0]["content"].rstrip(".")
            if task == "detection":
                asked = text.rpartition("includes ")[2].split(", ")
            else:
                asked = [text.partition("every ")[2].partition(" in the image")[0]]
            assert not there & set(asked)
            assert exhaustive or set(asked) <= set(absent)
            assert boxes(row.row) == []
    assert counts["negative"] > 15_000


def test_negatives_have_their_share(tmp_path: Path) -> None:
    source = write(
        tmp_path / "s",
        sound(images=60)
        | {
            "categories": [
                {"id": i, "name": n} for i, n in enumerate(("none", "cat", "dog", "owl"))
            ]
        },
    )
    rows = prepare(
        source, tmp_path / "o" / "rows.jsonl", "--negatives", 0.25, "--task", "grounding"
    )
    negative = [row for row in rows if not boxes(row)]
    assert len(negative) == pytest.approx(len(rows) * 0.25, abs=1)


BENT = {
    "xyxy": lambda box, size: [box[0], box[1], box[0] + box[2], box[1] + box[3]],
    "cxcywh": lambda box, size: [box[0] + box[2] / 2, box[1] + box[3] / 2, *box[2:]],
    "xywh-norm1": lambda box, size: [v / s for v, s in zip(box, size * 2, strict=True)],
    "xywh-norm1000": lambda box, size: [1000 * v / s for v, s in zip(box, size * 2, strict=True)],
}


@pytest.mark.parametrize("way", BENT)
def test_a_wrong_layout_stops_the_source_and_its_option_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    straight = prepare(write(tmp_path / "a", sound(40)), tmp_path / "o" / "a.jsonl")
    source, out = write(tmp_path / "b", rewritten(sound(40), BENT[way])), tmp_path / "o" / "b.jsonl"
    assert main(["prepare", "--source", str(source), "--out", str(out)]) == 2
    assert f"--boxes {way}" in capsys.readouterr().err
    assert not out.exists()
    mended = prepare(source, out, "--boxes", way)
    for one, other in zip(straight, mended, strict=True):
        assert np.allclose(boxes(one), boxes(other), atol=0.01)


def test_exif_rotation_stops_the_source_and_rotate_writes_turned_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = sound(12)
    source = write(tmp_path / "a", data, lambda number: 6)
    for image in data["images"]:
        image["width"], image["height"] = image["height"], image["width"]
    data["annotations"] = [a | {"bbox": [5, 5, 300, 600]} for a in data["annotations"]][::3]
    source.write_text(json.dumps(data))
    out = tmp_path / "o" / "rows.jsonl"
    assert main(["prepare", "--source", str(source), "--out", str(out)]) == 2
    assert "--exif rotate" in capsys.readouterr().err
    rows = prepare(source, out, "--exif", "rotate")
    assert len(rows) == 12
    assert boxes(rows[0]) == [[5, 5, 305, 605]]
    with Image.open(rows[0]["images"][0]) as image:
        assert (image.size, image.getexif().get(0x0112, 1)) == ((480, 640), 1)


@pytest.mark.parametrize(("option", "factor"), [("scale", 0.5), ("file", 1)])
def test_resized_images_stop_the_source_and_sizes_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, factor: float
) -> None:
    data = sound(12, boxes=1)
    for record in data["annotations"]:
        record["bbox"] = [10, 20, 100, 40]
    source = write(tmp_path / "a", data)
    for image in (tmp_path / "a" / "images").iterdir():
        Image.new("RGB", (320, 240)).save(image)
    out = tmp_path / "o" / "rows.jsonl"
    assert main(["prepare", "--source", str(source), "--out", str(out)]) == 2
    assert "--sizes scale" in capsys.readouterr().err
    row = prepare(source, out, "--sizes", option)[0]
    assert boxes(row) == [[v * factor for v in (10, 20, 110, 60)]]
    assert json.loads(row["solution"])["width"] == 320


@pytest.mark.parametrize(
    "bbox",
    [[900, 10, 20, 20], [10, 10, 900, 20], [0.2, 0.2, 0.5, 0.5], [10, 10, 0, 0], [10, 10, -5, 5]],
    ids=["outside", "far over the border", "below a pixel", "flat", "negative width"],
)
def test_one_bad_box_does_not_stop_a_small_source(tmp_path: Path, bbox: list[float]) -> None:
    data = sound(3, boxes=2)
    data["annotations"][0]["bbox"] = bbox
    rows = prepare(write(tmp_path / "a", data), tmp_path / "o" / "rows.jsonl")
    assert [row["image_id"] for row in rows][-2:] == [2, 3]
    assert [len(boxes(row)) for row in rows][-2:] == [2, 2]


def test_single_bad_records_are_counted_and_nothing_else_is_lost(tmp_path: Path) -> None:
    data = sound(60)
    source = write(tmp_path / "a", data)
    folder = tmp_path / "a" / "images"
    (folder / "1.jpg").unlink()
    (folder / "2.jpg").write_bytes(b"")
    (folder / "3.jpg").write_bytes(b"<html>")
    Image.new("RGB", (10, 10)).save(folder / "4.jpg")
    of = {
        number: [a for a in data["annotations"] if a["image_id"] == number] for number in (5, 6, 7)
    }
    of[5][0]["bbox"] = [10, 10, 0, 50]
    of[5][1]["bbox"] = [-2, 10, 60, 50]
    of[6][0]["bbox"] = list(of[6][1]["bbox"])
    of[7][0]["bbox"] = [2000, 10, 5, 5]
    source.write_text(json.dumps(data))
    rows = prepare(source, tmp_path / "o" / "rows.jsonl")
    counted = {each["reason"]: each["count"] for each in card_of(tmp_path / "o")["records"]}
    assert [row["image_id"] for row in rows] == list(range(5, 61))
    assert sum(len(boxes(row)) for row in rows) == 56 * 3 - 3
    assert counted == {
        "images without a file": 1,
        "images whose file is empty": 1,
        "images that cannot be opened": 1,
        "images whose file has another size than the annotations say": 1,
        "boxes without area": 1,
        "boxes that left their image by up to 3 pixels, clipped": 1,
        "boxes that occur twice with the same category": 1,
        "boxes entirely outside their image": 1,
    }
