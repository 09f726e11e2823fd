"""Rows whose right answer cannot earn the full reward, because it is rounded where the model
sees too little of the image: found, and mended by the limits that the doctor names."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1 import Scorer, Settings, model_io, read_solution
from swift_plugin_visionr1.models.right_answer import right_answer

from .planted import Row

pytest.importorskip("PIL", reason="needs the extra `viz`")

SMALL = {"width": 1280, "height": 960, "boxes": [[10, 10, 23, 21]], "labels": ["red circle"]}


@pytest.fixture
def rows(scenes: list[Row]) -> list[Row]:
    """Four rows with one box of a few pixels in a large image, among the example's."""
    return [*scenes, *[row | {"solution": json.dumps(SMALL)} for row in scenes[:4]]]


def lost(folder: Path) -> list[str]:
    places: list[str] = json.loads((folder / "doctor.json").read_text())["out_of_reach"]
    return places


@pytest.mark.parametrize("limit", ["MAX_PIXELS", "IMAGE_MAX_TOKEN_NUM", "max_pixels"])
def test_rows_out_of_reach_and_the_limit_that_mends_them(
    rows: list[Row], examine: Callable, tmp_path: Path, limit: str
) -> None:
    area = 784 if limit == "IMAGE_MAX_TOKEN_NUM" else 1
    run = {limit: 100352 // area}
    told = examine(
        rows, "--rows", 0, "--out", tmp_path, **(run if limit == "max_pixels" else {"ENV": run})
    )
    assert told.code == 0
    assert set(lost(tmp_path)) == {f"row {n} of train.jsonl" for n in range(41, 45)}
    assert told.warnings == ["reach"]
    named = dict(re.findall(r"(M\w\w_PIXELS)=(\d+)", told.findings["warning reach"]))
    again = {"ENV": named} | ({"max_pixels": named["MAX_PIXELS"]} if limit == "max_pixels" else {})
    os.environ.pop(limit, None)  # the command took it over from the recipe
    assert examine(rows, "--rows", 0, "--out", tmp_path, **again).code == 0
    assert lost(tmp_path) == []


def test_what_is_said_is_what_the_reward_gives(
    rows: list[Row], examine: Callable, tmp_path: Path
) -> None:
    examine(rows, "--rows", 0, "--out", tmp_path, ENV={"MAX_PIXELS": 50176})
    io = model_io(Settings(), "qwen2_5_vl", limits(50176))
    scorer, short = Scorer(Settings(), io), []
    for number, row in enumerate(rows, start=1):
        truth = read_solution(row["solution"])
        answer = right_answer(truth, io.resize.view(truth.size), io.format)
        totals = [scorer.score(answer, truth, stage).total for stage in ("beginner", "advanced")]
        if min(totals) < 3 - 1e-9:
            short.append(f"row {number} of train.jsonl")
    assert sorted(lost(tmp_path)) == sorted(short)


def limits(max_pixels: int) -> object:
    from swift_plugin_visionr1.models.model_io import Limits

    return Limits({"MAX_PIXELS": str(max_pixels)})


def test_thousandths_are_mended_by_no_limit(rows: list[Row], examine: Callable) -> None:
    tiny = SMALL | {"width": 6400, "height": 4800}
    rows = [*rows, *[row | {"solution": json.dumps(tiny)} for row in rows[:4]]]
    told = examine(rows, "--rows", 0, model="Qwen/Qwen3-VL-8B", model_type="qwen3_vl")
    assert "warning reach" in told.findings


def test_labels_that_the_format_cannot_hold_are_named(rows: list[Row], examine: Callable) -> None:
    strange = SMALL | {"boxes": [[10, 10, 230, 210]], "labels": ["a</ref>b"]}
    rows = [*rows, rows[0] | {"solution": json.dumps(strange)}]
    told = examine(rows, "--rows", 0, model="OpenGVLab/InternVL2-2B", model_type="internvl_chat")
    assert "row 45 of train.jsonl" in told.findings["problem unknown_labels"]
    assert "row 45 of train.jsonl" in told.findings["warning reach"]


def test_boxes_are_measured_as_the_model_sees_them(rows: list[Row], examine: Callable) -> None:
    told = examine(rows[40:], "--rows", 0, ENV={"MAX_PIXELS": 100352})
    assert "ok box_sizes" in told.findings
