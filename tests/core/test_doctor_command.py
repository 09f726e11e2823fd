"""`vision-r1 doctor` on recipes with one planted fault each, which it finds and names."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .planted import Row, run

pytest.importorskip("PIL", reason="needs the extra `viz`")


@pytest.mark.parametrize(
    ("recipe", "named"),
    [
        pytest.param(
            {
                "num_generations": 8,
                "per_device_train_batch_size": 1,
                "gradient_accumulation_steps": 32,
                "steps_per_generation": 4,
            },
            "problem batch",
            id="no whole groups",
        ),
        pytest.param({"num_generations": 1}, "problem num_generations", id="one generation"),
        pytest.param({"temperature": 0}, "problem temperature", id="greedy"),
        pytest.param(
            {"reward_funcs": "accuracy"},
            "problem reward_funcs",
            id="no reward",
        ),
        pytest.param({"rlhf_type": "dpo"}, "problem rlhf_type", id="no grpo"),
        pytest.param({"max_completion_length": 40}, "problem length", id="too short"),
        pytest.param(
            {"max_completion_lenght": 1024},
            "problem unknown_option",
            id="misspelt option",
        ),
        pytest.param({"external_plugins": "gone.py"}, "problem external_plugins", id="plugin"),
        pytest.param(
            {"max_steps": 1000, "ENV": {"VISION_R1_CONFIG": "official-adaptive"}},
            "problem switch_step",
            id="switch too late",
        ),
        pytest.param(
            {"use_ray": True},
            "problem ray_schedule",
            id="schedule without steps",
        ),
        pytest.param(
            {"ENV": {"VISION_R1_CONFIG": "papre"}},
            "problem settings",
            id="settings that do not load",
        ),
    ],
)
def test_a_run_that_cannot_learn(
    scenes: list[Row], examine: Callable, recipe: dict, named: str
) -> None:
    told = examine(scenes, **recipe)
    assert told.code == 1
    assert named in told.findings


def test_the_batch_is_that_of_all_processes(scenes: list[Row], examine: Callable) -> None:
    recipe = {
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 2,
        "ENV": {"NPROC_PER_NODE": 8},
    }
    told = examine(scenes, **recipe)
    assert told.code == 0
    assert (
        "8 processes x 4 completions x 2 accumulation steps = 16 prompts of 4 a step, 64 sampled "
        "at once" in told.text
    )


@pytest.mark.parametrize(
    ("recipe", "state"),
    [
        pytest.param({}, "problem", id="nothing said"),
        pytest.param(
            {"top_k": -1}, "problem", id="all tokens, which ms-swift takes for nothing said"
        ),
        pytest.param({"top_k": 50}, None, id="said"),
        pytest.param({"use_vllm": True}, None, id="vLLM, which reads no such file"),
    ],
)
def test_a_checkpoint_that_samples_only_the_likeliest(
    scenes: list[Row],
    examine: Callable,
    checkpoint: Path,
    tmp_path: Path,
    recipe: dict,
    state: str | None,
) -> None:
    """As Qwen2-VL's generation_config.json has it."""
    shutil.copytree(checkpoint, tmp_path / "model")
    (tmp_path / "model" / "generation_config.json").write_text('{"do_sample": true, "top_k": 1}')
    told = examine(scenes, model=str(tmp_path / "model"), **recipe)
    assert told.code == (state is not None)
    assert ("problem top_k" in told.findings) == (state is not None)


@pytest.mark.parametrize(
    ("recipe", "named"),
    [
        pytest.param(
            {"reward_funcs": ["vision_r1", "vision_r1_format"]},
            "note double_counting",
            id="total beside a part",
        ),
        pytest.param({"callbacks": []}, "note callbacks", id="no callback"),
    ],
)
def test_what_is_unusual_is_a_note(
    scenes: list[Row], examine: Callable, recipe: dict, named: str
) -> None:
    told = examine(scenes, **recipe)
    assert told.code == 0
    assert named in told.findings


@pytest.mark.parametrize(
    ("settings", "warnings"), [("preset: paper", ["format"]), ("format: rex_omni", [])]
)
def test_rex_omni_is_told_by_its_name(
    scenes: list[Row], examine: Callable, tmp_path: Path, settings: str, warnings: list[str]
) -> None:
    (tmp_path / "reward.yaml").write_text(settings)
    model = {"model": "IDEA-Research/Rex-Omni", "model_type": None}
    told = examine(scenes, "--config", tmp_path / "reward.yaml", **model)
    assert told.warnings == warnings


def test_a_fixed_stage_is_a_note(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    (tmp_path / "reward.yaml").write_text("fixed_stage: advanced")
    told = examine(scenes, ENV={"VISION_R1_CONFIG": str(tmp_path / "reward.yaml")})
    assert told.code == 0
    assert "note fixed_stage" in told.findings


def test_a_prompt_for_another_model(scenes: list[Row], examine: Callable) -> None:
    message = {
        "role": "user",
        "content": "<image>Answer with <|box_start|>(x1,y1),(x2,y2)<|box_end|>.",
    }
    told = examine([row | {"messages": [message]} for row in scenes])
    assert told.code == 1
    assert "<|box_start|>" in told.findings["problem prompt_format"]


def test_a_prompt_for_json_of_a_model_that_writes_none(
    scenes: list[Row], examine: Callable
) -> None:
    for words, is_noted in (("in JSON format", True), ("as you like", False)):
        message = {
            "role": "user",
            "content": f"<image>Locate every circle, output the coordinates {words}.",
        }
        rows = [row | {"messages": [message]} for row in scenes]
        told = examine(rows, model="OpenGVLab/InternVL2-2B", model_type="internvl_chat")
        assert told.code == 0, told.text
        assert ("note prompt_json" in told.findings) == is_noted


def test_settings_of_the_option_win(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    (tmp_path / "reward.yaml").write_text("fixed_stage: advanced")
    os.environ["VISION_R1_CONFIG"] = "official"
    told = examine(scenes, "--config", tmp_path / "reward.yaml", ENV={"VISION_R1_CONFIG": "strict"})
    assert told.code == 0
    assert str(tmp_path / "reward.yaml") in told.findings["ok settings"]
    assert "note fixed_stage" in told.findings
    told = examine(scenes, "--config", "papre")
    assert told.code == 1
    assert "problem settings" in told.findings


def test_the_reward_of_another_work(scenes: list[Row], examine: Callable) -> None:
    parts = ["vision_r1", "vision_r1_recall"]
    told = examine(scenes, "--config", "rex_omni", reward_funcs=parts)
    assert told.code == 1
    assert "ok settings" in told.findings
    assert "problem reward_parts" in told.findings
    told = examine(scenes, "--config", "perception_r1", reward_funcs="vision_r1")
    assert told.code == 0, told.text
    assert "warning several_objects" in told.findings
    assert "warning negatives" in told.findings
    told = examine(scenes, "--config", "vlm_r1_od_ap50", reward_funcs="vision_r1")
    assert not {"warning several_objects", "warning negatives"} & set(told.findings)
    assert told.code == 0, told.text
    assert "ok reach" in told.findings


def test_a_model_of_unknown_type(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    (tmp_path / "reward.yaml").write_text("format: qwen3_vl\nframe: norm1000")
    told = examine(scenes, "--config", tmp_path / "reward.yaml", model="own/model", model_type=None)
    assert told.code == 0
    assert "qwen3_vl in 0-1000" in told.findings["note model"]
    assert "None" not in told.text


@pytest.mark.parametrize(
    ("long", "state"),
    [
        pytest.param(3, "warning", id="7%"),
        pytest.param(19, "warning", id="less than half"),
        pytest.param(20, "problem", id="half"),
    ],
)
def test_answers_that_would_be_cut_off_are_counted(
    scenes: list[Row], examine: Callable, long: int, state: str
) -> None:
    def of(boxes: int) -> str:
        solution = {
            "width": 64,
            "height": 64,
            "boxes": [[1, 2, 30, 40]] * boxes,
            "labels": ["red circle"] * boxes,
        }
        return json.dumps(solution)

    rows = [row | {"solution": of(60 if index < long else 1)} for index, row in enumerate(scenes)]
    told = examine(rows)
    said = told.findings[f"{state} length"]
    assert f"{long} of 40 ({long / 40:.0%})" in said
    enough = int(said.partition("--max_completion_length ")[2].split()[0])
    told = examine(rows, max_completion_length=enough)
    assert "ok length" in told.findings


def test_one_crowded_row_does_not_set_the_length_for_all(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    crowded = {"width": 640, "height": 480, "boxes": [[1, 2, 300, 400]] * 300}
    crowded["labels"] = ["red circle"] * 300
    rows = [*scenes * 6, scenes[0] | {"solution": json.dumps(crowded)}]
    told = examine(rows, "--rows", 0, "--out", tmp_path)
    assert told.code == 0
    last = f"row {len(rows)} of train.jsonl"
    assert json.loads((tmp_path / "doctor.json").read_text())["too_long"] == [last]
    said = told.findings["note length"]
    assert last in said
    enough = int(said.partition("--max_completion_length ")[2].split()[0])
    assert enough < 512


def test_a_right_recipe_passes_and_is_shown(
    scenes: list[Row], examine: Callable, tmp_path: Path
) -> None:
    from PIL import Image

    told = examine(scenes, "--out", tmp_path / "doctor")
    assert told.code == 0
    assert told.text.splitlines()[-1] == "verdict: nothing was found that would waste the training"
    summary = json.loads((tmp_path / "doctor" / "doctor.json").read_text())
    assert summary["wasted"] is False
    assert {finding["state"] for finding in summary["findings"]} == {"ok", "note"}
    with Image.open(tmp_path / "doctor" / "ground_truth.png") as sheet:
        assert sheet.width > 1400


def test_the_7b_recipe_passes(
    scenes: list[Row], tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in scenes))
    monkeypatch.chdir(checkpoint.parents[2])
    assert run("configs/train/qwen2_5_vl_7b.yaml", "--dataset", data, "--no-sample") == 0
