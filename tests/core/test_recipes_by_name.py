"""Recipes and overlays by name, from any folder, and the files that they name."""

from pathlib import Path

import pytest
import yaml

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.errors import SettingsError
from swift_plugin_visionr1.recipes.by_name import (
    OVERLAYS,
    described,
    first_sentences,
    locate,
    with_absolute_paths,
)
from swift_plugin_visionr1.recipes.training_command import read_recipe
from swift_plugin_visionr1.reward.settings import load_settings
from swift_plugin_visionr1.shipped import CONFIGS, shipped


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "file"),
    [
        pytest.param("qwen2_5_vl_7b", "train/qwen2_5_vl_7b.yaml", id="a recipe"),
        pytest.param("sft/qwen2_5_vl_7b", "sft/qwen2_5_vl_7b.yaml", id="of another kind"),
        pytest.param("ray_qwen3_vl_30b_a3b", "megatron/ray_qwen3_vl_30b_a3b.yaml", id="megatron"),
        pytest.param("lora_24gb", "overlays/lora_24gb.yaml", id="an overlay"),
        pytest.param("table5_step_1_3", "ablations/table5_step_1_3.yaml", id="an ablation"),
        pytest.param("configs/train/qwen2_5_vl_7b.yaml", "train/qwen2_5_vl_7b.yaml", id="a path"),
    ],
)
def test_names(name: str, file: str) -> None:
    assert locate(name) == CONFIGS / file


@pytest.mark.parametrize("name", ["qwen2_5_vl_7", "models", "../pyproject", "", "lora"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(SettingsError):
        locate(name)


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="'lora_24gb'"):
        locate("lora_24g")


def test_ones_own_file_comes_before_the_packages(tmp_path: Path) -> None:
    mine = tmp_path / "configs" / "reward" / "box_label.yaml"
    assert shipped(Path("configs/reward/box_label.yaml")) == CONFIGS / "reward" / "box_label.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("step: 1/7\n")
    assert shipped(Path("configs/reward/box_label.yaml")).samefile(mine)


def test_settings_of_the_package_load_from_any_folder() -> None:
    assert load_settings("configs/reward/box_label.yaml").matcher == "box_label"


@pytest.mark.parametrize("name", [*described(), *(f"sft/{name}" for name in described())])
def test_every_written_recipe_can_be_launched_from_any_folder(name: str, tmp_path: Path) -> None:
    assert main(["recipe", name, "--out", "mine.yaml"]) == 0
    recipe = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    named = [recipe.get("external_plugins"), recipe.get("ENV", {}).get("VISION_R1_CONFIG")]
    paths = [Path(value) for value in named if value and "/" in value]
    assert all(path.is_absolute() and path.is_file() for path in paths)


def test_only_files_of_the_package_become_absolute() -> None:
    options = {"a": "configs/none.yaml", "b": ["configs/reward/box_label.yaml", 1], "c": "data/a"}
    reward = str((CONFIGS / "reward" / "box_label.yaml").resolve())
    assert with_absolute_paths(options) == {**options, "b": [reward, 1]}


def test_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0
    lines = capsys.readouterr().out.split("\n")
    listed = {line.split()[0] for line in lines if line.startswith("  ")}
    kinds = [path.stem for kind in ("train", "megatron") for path in (CONFIGS / kind).glob("*.y*")]
    assert listed >= {*kinds, *first_sentences(*OVERLAYS)}
    assert all(0 < len(text) < 130 for text in first_sentences(*OVERLAYS, "reward").values())


def test_the_path_of_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe-path", "qwen2_5_vl_7b"]) == 0
    assert Path(capsys.readouterr().out.strip()) == CONFIGS / "train" / "qwen2_5_vl_7b.yaml"


@pytest.mark.parametrize("name", ["qwen2_5_vl_7b", "configs/train/qwen2_5_vl_7b.yaml"])
def test_the_doctor_reads_recipes_from_the_package(name: str) -> None:
    assert read_recipe([name, "--beta", "0"], {}).one("reward_funcs") == "vision_r1"
