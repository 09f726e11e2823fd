"""Slips that no single row shows: names with commas, boxes and images that come twice, completions
that serve several updates."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1.data.coco import read_coco
from swift_plugin_visionr1.errors import InputError

from .planted import Row, changed

pytest.importorskip("PIL", reason="needs the extra `viz`")


def test_names_with_commas(scenes: list[Row], examine: Callable) -> None:
    def rename(solution: dict) -> None:
        solution["labels"] = [
            label.replace("red circle", "disc, red") for label in solution["labels"]
        ]

    rows = changed(scenes, rename)
    for row in rows:
        question = row["messages"][0]["content"].replace("red circle", "disc, red")
        row["messages"] = [{"role": "user", "content": question}]
    told = examine(rows)
    assert told.code == 0
    assert told.warnings == ["comma_labels"]
    assert "'disc, red'" in told.findings["warning comma_labels"]


def test_a_box_twice_in_a_row(scenes: list[Row], examine: Callable) -> None:
    full = [row for row in scenes if json.loads(row["solution"])["boxes"]]

    def twice(solution: dict) -> None:
        solution["boxes"].append(solution["boxes"][0])
        solution["labels"].append(solution["labels"][0])

    told = examine([*changed(full[:1], twice), *full[1:]])
    assert told.code == 0
    assert told.warnings == ["duplicate_boxes"]
    assert "row 1 of train.jsonl" in told.findings["warning duplicate_boxes"]
    assert examine(full).warnings == []


@pytest.mark.parametrize("how", ["same file", "same images", "copies under other names"])
def test_validation_data_in_the_training_data(
    scenes: list[Row], examine: Callable, tmp_path: Path, how: str
) -> None:
    rows = [row for row in scenes if len(json.loads(row["solution"])["boxes"]) >= 3]
    assert rows
    val = tmp_path / "val.jsonl"
    if how == "copies under other names":
        for number, row in enumerate(rows):
            shutil.copy(row["images"][0], tmp_path / f"copy{number}.png")
        copies = [row | {"images": [str(tmp_path / f"copy{n}.png")]} for n, row in enumerate(rows)]
    else:
        copies = rows
    val.write_text("".join(json.dumps(row) + "\n" for row in copies))
    name = tmp_path / "train.jsonl" if how == "same file" else val
    told = examine(scenes, val_dataset=str(name))
    assert told.code == 0
    assert told.warnings == ["val_in_train"]
    others = [row for row in scenes if row not in rows]
    val.write_text("".join(json.dumps(row) + "\n" for row in others))
    assert examine(rows, val_dataset=str(val)).warnings == []


@pytest.mark.parametrize(
    ("recipe", "is_reused"),
    [
        pytest.param({"steps_per_generation": 4}, True, id="twice"),
        pytest.param({"generation_batch_size": 64}, True, id="by the batch's size"),
        pytest.param({"steps_per_generation": 2}, False, id="as accumulated"),
        pytest.param({"steps_per_generation": 1}, False, id="less"),
        pytest.param({}, False, id="left out"),
    ],
)
def test_completions_that_serve_several_updates(
    scenes: list[Row], examine: Callable, recipe: dict, is_reused: bool
) -> None:
    batch = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}
    told = examine(scenes, **batch, **recipe)
    assert told.code == 0
    assert told.warnings == ["reused_completions"] * is_reused


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        pytest.param("reward_funcs", "vision_r1,vision_r1_count", "reward_funcs", id="rewards"),
        pytest.param("dataset", "a.jsonl,b.jsonl", "missing_data", id="files"),
    ],
)
def test_names_separated_by_commas(
    scenes: list[Row], examine: Callable, option: str, value: str, code: str
) -> None:
    told = examine(scenes, **{option: value})
    assert told.code == 1
    assert "comma" in told.findings[f"problem {code}"]


def test_classes_separated_by_commas(tmp_path: Path) -> None:
    file = tmp_path / "ann.json"
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "hot dog"}]
    images = [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}]
    file.write_text(json.dumps({"images": images, "annotations": [], "categories": categories}))
    with pytest.raises(InputError, match='--classes cat "hot dog"'):
        read_coco(file, ["cat,hot dog"])
