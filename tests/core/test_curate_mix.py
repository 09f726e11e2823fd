"""`vision-r1 prepare --mix`, and what the files hold that it writes."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from swift_plugin_visionr1.cli import main

from . import source_trees as trees
from .coco_files import sound, write
from .curating import boxes, card_of, prepare, rows_of


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
    for each in card["counts"]["rows"]:
        key = each["task"], each["kind"]
        rows[key] = rows.get(key, 0) + each["rows"]
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


def test_rows_that_teach_the_model_nothing_are_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mix, what a model answers to its rows, and the mix again, which knows that."""
    path, io = mix(tmp_path / "m"), ["--model-type", "qwen2_5_vl"]
    make(path, tmp_path / "1")
    rows, answered = tmp_path / "1" / "train.jsonl", tmp_path / "answered.jsonl"
    assert main(["prepare", "--rows", str(rows), "--out", str(answered), "--target", *io]) == 0
    right = [row | {"response": row["messages"][-1]["content"]} for row in rows_of(answered)]
    answered.write_text("".join(json.dumps(row) + "\n" for row in right[:30]))
    words = ["--rows", str(rows), "--answers", str(answered), str(answered), *io]
    measured = tmp_path / "m" / "measured.jsonl"
    assert main(["prepare", "difficulty", *words, "--out", str(measured), "--keep"]) == 0

    path = mix(tmp_path / "m", difficulty={"measured": "measured.jsonl"})
    card = make(path, tmp_path / "2")
    perfect = sum(row["reward_verdict"] == "perfect" for row in rows_of(measured))
    assert card["passed_over"]["rows whose sampled answers are all perfect"] == perfect >= 30
    assert card["counts"]["total"] == 180
    assert any(file["file"] == str(measured) for file in card["inputs"])
    again = {json.dumps(row) for row in rows_of(tmp_path / "2" / "train.jsonl")}
    assert not again & {json.dumps(row) for row in rows_of(rows)[:30]}

    make(mix(tmp_path / "m", difficulty={"measured": "measured.jsonl", "keep": 1}), tmp_path / "3")
    assert (tmp_path / "3" / "train.jsonl").read_bytes() == rows.read_bytes()
    measured.write_text(json.dumps(rows_of(measured)[0] | {"source": "another"}) + "\n")
    capsys.readouterr()
    make(path, tmp_path / "4")
    assert str(measured) in capsys.readouterr().err


@pytest.mark.parametrize(
    "section", [{"measured": "gone.jsonl"}, {"keep": 2}, {"measured": 1}, {"kept": 0.5}], ids=str
)
def test_what_a_mix_says_of_difficulty_is_checked(tmp_path: Path, section: dict[str, Any]) -> None:
    path = mix(tmp_path / "m", difficulty=section)
    assert main(["prepare", "--mix", str(path), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


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

    monkeypatch.setattr("swift_plugin_visionr1.curate.output.Output.keep_image", stop)
    assert main(["prepare", "--source", str(tmp_path / "a"), "--out", str(out)]) == 130
    assert str(out) in capsys.readouterr().err
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
