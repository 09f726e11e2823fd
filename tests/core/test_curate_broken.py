"""Values of another kind than a source's, in each place where a record is named: they are counted,
never fatal, and cost nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.curate.mending import HALF

from . import source_trees as trees
from .curating import boxes, card_of, prepare, rows_of
from .test_curate_sources import known, read

pytest.importorskip("PIL")


def test_two_names_that_lead_to_one_file_are_refused(tmp_path: Path) -> None:
    trees.picture(tmp_path / "1.jpg")
    names = ["day/1.jpg", "night/1.jpg"]
    data = {
        "images": [trees.image_record(n, file_name=name) for n, name in enumerate(names, start=1)],
        "annotations": [trees.box_record(1, 1, 3, [1, 2, 30, 40])],
        "categories": trees.CATEGORIES,
    }
    path = trees.write_json(tmp_path / "a.json", data)
    assert main(["prepare", "--source", str(path), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert not (tmp_path / "out.jsonl").exists()


def test_half_a_character_costs_one_box(tmp_path: Path) -> None:
    """A label that was cut within an escape; the image and its other boxes stay."""
    trees.picture(tmp_path / "1.jpg")
    trees.picture(tmp_path / "2.jpg")
    half = {"id": 9, "name": "cut \ud83d"}
    data = {
        "images": [trees.image_record(n, file_name=f"{n}.jpg") for n in (1, 2)],
        "annotations": [
            trees.box_record(1, 1, 3, [1, 2, 30, 40]),
            trees.box_record(2, 1, 9, [5, 5, 20, 20]),
            trees.box_record(3, 2, 3, [1, 2, 30, 40]),
        ],
        "categories": [*trees.CATEGORIES, half],
    }
    path = trees.write_json(tmp_path / "a.json", data)
    rows = prepare(path, tmp_path / "out" / "rows.jsonl")
    assert [boxes(row) for row in rows] == [[[1, 2, 31, 42]]] * 2
    assert not any("\ud83d" in json.dumps(row, ensure_ascii=False) for row in rows)
    (dropped,) = card_of(tmp_path / "out")["records"]
    assert (dropped["reason"], dropped["count"]) == (HALF, 1)


ODD_VALUES = [[], {}, [None], 10**23, "\ud83d", True, float("nan")]


@pytest.mark.parametrize("value", ODD_VALUES, ids=repr)
@pytest.mark.parametrize(
    ("form", "file", "place"),
    [
        ("coco", "instances_train2017.json", ("images", 1, "id")),
        ("coco", "instances_train2017.json", ("categories", 2, "id")),
        ("coco", "instances_train2017.json", ("annotations", 3, "category_id")),
        ("labelme", "a.json", ("shapes", 0, "group_id")),
        ("label_studio", "project-1.json", (0, "annotations")),
        ("label_studio", "project-1.json", (0, "id")),
        ("grefcoco", "grefs(unc).json", (0, "ann_id")),
        ("refcoco", "instances.json", ("annotations", 1, "id")),
        ("ms_swift", "rows.jsonl", (0, "objects", "ref")),
        ("griffon", "vg_randet.jsonl", (0, "objects", 0, "bboxes")),
    ],
)
def test_a_value_of_another_kind_costs_its_record_only(
    form: str, file: str, place: tuple[Any, ...], value: Any, tmp_path: Path
) -> None:
    """Nothing but a counted record or a clear error, whatever stands where an id belongs."""
    source: Path = getattr(trees, form)(tmp_path)
    path = next(tmp_path.rglob(file))
    lines = path.suffix == ".jsonl"
    text = path.read_text()
    data = [json.loads(text.splitlines()[0]) for _ in range(2)] if lines else json.loads(text)
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path.write_text("\n".join(map(json.dumps, data)) if lines else json.dumps(data))
    code = main(["prepare", "--source", str(source), "--out", str(tmp_path / "out.jsonl")])
    assert code == 0
    assert rows_of(tmp_path / "out.jsonl")


@pytest.mark.parametrize("names", ["classes.txt", "obj.names"])
@pytest.mark.parametrize("folders", [("images", "labels"), ("data", "data")], ids="/".join)
def test_yolo_with_a_list_of_names(tmp_path: Path, names: str, folders: tuple[str, str]) -> None:
    for name in ("a", "b"):
        trees.picture(tmp_path / folders[0] / f"{name}.jpg")
    labels = tmp_path / folders[1] / "a.txt"
    labels.parent.mkdir(exist_ok=True)
    labels.write_text("1 0.5 0.5 0.2 0.4\n7 0.5 0.5 0.2 0.4\n")
    (tmp_path / names).write_text("cat\ndog\n")
    source, (first, second), tally = read(tmp_path)
    assert (source.format, source.categories) == ("yolo", ("cat", "dog"))
    assert known(first) == [("dog", [80, 30, 120, 70])]
    assert not second.labels
    assert sum(tally.dropped.values()) == 1


def test_griffons_rows_say_what_is_absent(tmp_path: Path) -> None:
    source, (first, second), tally = read(trees.griffon(tmp_path))
    assert (source.format, source.exhaustive) == ("griffon", False)
    assert (first.labels, first.absent, first.unsure) == (("cat", "cat"), ("dog",), ("owl",))
    assert first.boxes_xyxy.tolist() == [[10, 20, 40, 60], [50, 20, 90, 60]]
    assert (second.labels, second.size) == (("dog",), None)
    assert sum(tally.dropped.values()) == 3
