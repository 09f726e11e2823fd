"""Rows of `vision-r1 prepare --target` in a real supervised run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1.cli import main

from .exports import EXPORTS

pytest.importorskip("swift", reason="needs the extra `swift`")


@pytest.mark.slow
def test_rows_go_straight_into_sft_and_grpo(
    shared_data: Path, tmp_path: Path, swift: Callable, grpo: Callable
) -> None:
    source, data = shared_data / "coco_open", tmp_path / "sft.jsonl"
    words = ["--source", str(source), "--prompt", "Detect {}.", "--out", str(data)]
    assert main(["prepare", *words, "--target", "--max-pixels", "50176"]) == 0
    lines = data.read_text().splitlines()
    few = sorted(lines, key=len)[:4]  # the small model's context is short
    assert any("bbox_2d" in json.loads(line)["messages"][-1]["content"] for line in few)
    data.write_text("\n".join(few) + "\n")
    run = swift(
        "sft",
        "--dataset",
        data,
        "--output_dir",
        tmp_path,
        "--add_version",
        "false",
        "--tuner_type",
        "full",
        "--max_steps",
        2,
        "--per_device_train_batch_size",
        2,
        "--gradient_accumulation_steps",
        1,
        "--logging_steps",
        1,
        "--max_pixels",
        50176,
        "--gradient_checkpointing",
        "false",
        "--dataloader_num_workers",
        0,
        "--save_steps",
        2,
        out=tmp_path,
    )
    assert run.code == 0, run.text[-3000:]
    assert len(run.steps) == 2
    assert all(step["loss"] > 0 for step in run.steps)
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    for row in rows:
        row["messages"] = row["messages"][:1]
    out = tmp_path / "grpo"
    out.mkdir()
    options = ("--reward_funcs", "vision_r1", "--max_pixels", 50176, "--max_steps", 1)
    trained = grpo(rows, out, *options)
    assert trained.code == 0, trained.text[-3000:]


@pytest.mark.slow
def test_exports_of_annotation_tools_train_at_once(tmp_path: Path, grpo: Callable) -> None:
    """From a download to the first step; the run takes the rows of all three together."""
    truths, rows = [], []
    for name, export in EXPORTS.items():
        out = tmp_path / f"{name}_rows"
        words = ["--source", str(export(tmp_path / name)), "--out", str(out)]
        assert main(["prepare", *words]) == 0
        some = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
        truths.append([_objects(row) for row in some])
        rows += some[:3]
    assert truths[0] == truths[1] == truths[2] != []  # the same scenes
    out = tmp_path / "run"
    out.mkdir()
    trained = grpo(rows, out, "--reward_funcs", "vision_r1", "--max_steps", 1)
    assert trained.code == 0, trained.text[-3000:]
    assert len(trained.steps) == 1


def _objects(row: dict[str, Any]) -> list[tuple[str, list[int]]]:
    truth = json.loads(row["solution"])
    boxes = [[round(number) for number in box] for box in truth["boxes"]]
    return sorted(zip(truth["labels"], boxes, strict=True))
