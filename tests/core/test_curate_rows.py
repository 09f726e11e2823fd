"""`vision-r1 prepare --source` and `--mix`: rows, their negatives, faults of sources, cards."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.curate.rendering import WHOLE, Asking, render
from swift_plugin_visionr1.curate.sample import Sample, Source
from swift_plugin_visionr1.data.ground_truth import read_solution

from . import source_trees as trees
from .coco_files import rewritten, sound, write

BOX = [10, 20, 40, 60]


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def prepare(source: Path, out: Path, *options: object) -> list[dict[str, Any]]:
    assert main(["prepare", "--source", str(source), "--out", str(out), *map(str, options)]) == 0
    return rows_of(out)


def boxes(row: dict[str, Any]) -> list[list[float]]:
    return json.loads(row["solution"])["boxes"]


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "card.json").read_text())


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


def mix(folder: Path, **changes: Any) -> Path:
    """A mix of a COCO file and referring expressions."""
    data = sound(300, boxes=4)
    draw = random.Random(1)
    for record in data["annotations"]:
        record["category_id"] = draw.choice((1, 2, 3, 4, 5))
    data["categories"] = [{"id": i, "name": f"class {i}"} for i in range(1, 9)]
    write(folder / "coco", data)
    trees.grefcoco(folder / "refs")
    plan = {
        "sources": {
            "coco": "coco/ann.json",
            "refs": {"path": "refs/refcoco", "split": "train"},
            "gone": "gone",
        },
        "parts": [
            {
                "sources": ["coco", "gone"],
                "task": "detection",
                "count": 120,
                "negatives": 0.1,
                "challenging": 0.5,
            },
            {"sources": "coco", "task": "grounding", "count": 40, "negatives": 0.25},
            {"sources": ["refs", "coco"], "task": "referring", "count": 20},
        ],
    }
    path = folder / "mix.json.yaml"
    path.write_text(json.dumps(plan | changes))
    return path


def make(path: Path, out: Path, *options: object) -> dict[str, Any]:
    assert main(["prepare", "--mix", str(path), "--out", str(out), *map(str, options)]) == 0
    return card_of(out)


def test_a_mix_has_the_rows_that_it_says(tmp_path: Path) -> None:
    card = make(mix(tmp_path / "m"), tmp_path / "out")
    rows = {}
    for key, count in card["counts"]["rows"].items():
        _, _source, task, kind = key.split(" / ")
        rows[task, kind] = rows.get((task, kind), 0) + count
    assert rows["detection", "negative"] == 12
    assert rows["detection", "challenging"] == rows["detection", "other"] == 54
    assert rows["grounding", "negative"] == 10
    assert sum(count for (task, _), count in rows.items() if task == "referring") == 20
    assert len(rows_of(tmp_path / "out" / "train.jsonl")) == card["counts"]["total"] == 180
    for name in ("card.md", "card.html", "card.png"):
        assert (tmp_path / "out" / name).stat().st_size


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_processes(tmp_path: Path) -> None:
    path, files = mix(tmp_path / "m"), []
    for number, options in enumerate(([], ["--workers", 1], ["--workers", 3], ["--seed", 5])):
        make(path, tmp_path / str(number), *options)
        files.append((tmp_path / str(number) / "train.jsonl").read_bytes())
    assert files[0] == files[1] == files[2] != files[3]


def test_caps(tmp_path: Path) -> None:
    card = make(mix(tmp_path / "m", caps={"rows_per_image": 1, "boxes": 3}), tmp_path / "out")
    rows = rows_of(tmp_path / "out" / "train.jsonl")
    assert max(len(boxes(row)) for row in rows) == 3
    assert len({row["images"][0] for row in rows}) == len(rows)
    assert card["passed_over"]["rows with more boxes than the cap"]


def test_a_holdout_shares_no_image_with_train(tmp_path: Path) -> None:
    make(mix(tmp_path / "m", holdout=0.2), tmp_path / "out")
    images = [
        {row["images"][0] for row in rows_of(tmp_path / "out" / f"{name}.jsonl")}
        for name in ("train", "val")
    ]
    assert images[1]
    assert not images[0] & images[1]


def test_shots(tmp_path: Path) -> None:
    path = mix(tmp_path / "m", parts=[{"sources": "coco", "task": "detection", "shots": 3}])
    make(path, tmp_path / "out")
    rows = rows_of(tmp_path / "out" / "train.jsonl")
    labels = [label for row in rows for label in json.loads(row["solution"])["labels"]]
    assert all(labels.count(f"class {i}") >= 3 for i in range(1, 6))
    assert len(rows) < 20


def test_images_that_are_evaluated_on_do_not_get_in(tmp_path: Path) -> None:
    source = write(tmp_path / "a", sound(12))
    draw = np.random.default_rng(0)
    for image in (tmp_path / "a" / "images").iterdir():
        noise = Image.fromarray(draw.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        noise.resize((640, 480)).save(image, quality=95)
    seen = tmp_path / "evaluated"
    seen.mkdir()
    with Image.open(tmp_path / "a" / "images" / "3.jpg") as image:
        image.resize((320, 240)).save(seen / "other name.jpg", quality=60)
    names = trees.write_json(tmp_path / "val.json", {"images": [trees.image_record(5)]})
    rows = prepare(source, tmp_path / "o" / "rows.jsonl", "--exclude", seen, names)
    assert [row["image_id"] for row in rows] == [1, 2, 4, *range(6, 13)]
    assert sum(card_of(tmp_path / "o")["passed_over"].values()) == 2


def test_an_interrupted_run_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o" / "rows.jsonl"
    prepare(write(tmp_path / "a", sound(12)), out)
    before = out.read_bytes()

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("swift_plugin_visionr1.curate.dataset._lasting", stop)
    assert main(["prepare", "--source", str(tmp_path / "a"), "--out", str(out)]) == 130
    assert "run the same command again" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "card.html",
        "card.json",
        "card.md",
        "card.png",
        "rows.jsonl",
    ]


def test_parquet_has_the_same_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    source = write(tmp_path / "a", sound(12))
    rows = prepare(source, tmp_path / "o" / "rows.jsonl")
    assert (
        main(["prepare", "--source", str(source), "--out", str(tmp_path / "o" / "rows.parquet")])
        == 0
    )
    table = parquet.read_table(tmp_path / "o" / "rows.parquet").to_pylist()
    assert table == [row | {"image_id": str(row["image_id"])} for row in rows]


def test_answers_are_in_the_models_format(tmp_path: Path) -> None:
    source = write(tmp_path / "a", sound(2))
    row, _ = prepare(source, tmp_path / "o" / "rows.jsonl", "--target", "--model-type", "qwen3_vl")
    assert row["messages"][1]["role"] == "assistant"
    assert row["messages"][1]["content"].count("bbox_2d") == 3


def test_a_cap_in_tokens_needs_the_tokenizer_of_the_model(tmp_path: Path, checkpoint: Path) -> None:
    path = mix(
        tmp_path / "m",
        caps={"answer_tokens": 60},
        parts=[{"sources": "coco", "task": "grounding", "count": 20}],
    )
    card = make(path, tmp_path / "out", "--tokenizer", checkpoint)
    assert card["passed_over"]["rows whose answer has more tokens than the cap"]
    assert "answer in tokens" in card["histograms"]
    assert main(["prepare", "--mix", str(path), "--out", str(tmp_path / "x")]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["--mix", "m.yaml", "--task", "detection"],
        ["--ann", "a.json", "--images", ".", "--negatives", "0.1"],
    ],
)
def test_options_that_do_not_go_together(tmp_path: Path, words: list[str]) -> None:
    assert main(["prepare", *words, "--out", str(tmp_path / "o.jsonl")]) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"parts": [{"sources": "coko", "task": "detection"}]},
        {"sedd": 1},
        {"parts": [{"sources": "coco", "task": "detect"}]},
    ],
)
def test_a_mix_that_cannot_be_used_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = mix(tmp_path / "m", **changes)
    assert main(["prepare", "--mix", str(path), "--out", str(tmp_path / "o")]) == 2


@pytest.mark.parametrize("name", ["vision_r1_49k", "few_shot"])
def test_the_mixes_of_the_project_can_be_read(name: str) -> None:
    from swift_plugin_visionr1.curate.mix import read_mix

    path = Path(__file__).parents[2] / "configs" / "data" / f"{name}.yaml"
    parts = read_mix(path).parts
    if name == "vision_r1_49k":
        assert [part.count for part in parts] == [30000, 9000, 10000]
