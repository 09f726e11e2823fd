"""The doctor on Griffon-G: converted it is known, and as published it is sent to be converted."""

import json
from pathlib import Path

import pytest

from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.doctor.findings import Finding
from swift_plugin_visionr1.doctor.model import TrainedModel, find_model
from swift_plugin_visionr1.geometry.frames import FRAMES
from swift_plugin_visionr1.recipes.training_command import read_recipe

PUBLISHED, OURS = {"model_type": "gemma2_Griffon"}, {"model_type": "griffon_g"}


def checked(model: str) -> tuple[TrainedModel, list[Finding]]:
    command = ["--rlhf_type", "grpo", "--reward_funcs", "vision_r1", "--model", model]
    return find_model(read_recipe(command, {}), Settings())


def folder(at: Path, config: dict[str, str]) -> str:
    (at / "config.json").write_text(json.dumps(config))
    return str(at)


def test_a_converted_one_writes_griffon_in_fractions(tmp_path: Path) -> None:
    model, findings = checked(folder(tmp_path, OURS))
    assert (model.type, model.io.format.name, model.io.format.frame) == (
        "griffon_g",
        "griffon",
        FRAMES["norm1"],
    )
    assert [finding.state for finding in findings] == ["ok"]


@pytest.mark.parametrize("at", ["folder", "hub"])
def test_the_published_layout_is_a_problem_before_training(tmp_path: Path, at: str) -> None:
    name = folder(tmp_path, PUBLISHED) if at == "folder" else "JefferyZhan/Griffon-G-gemma2-9B"
    _, findings = checked(name)
    assert [finding.state for finding in findings] == ["problem"]
    assert "vision-r1 convert griffon-g" in findings[0].text
