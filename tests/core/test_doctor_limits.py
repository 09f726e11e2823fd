"""`vision-r1 doctor` on limits of image sizes and on model types that do not fit; no recipe at all."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1 import SettingsError

from .planted import Row, run

pytest.importorskip("PIL", reason="needs the extra `viz`")


@pytest.mark.parametrize("recipe", ["- a\n", "ENV: [MAX_PIXELS]\n"], ids=["list", "list of ENV"])
def test_a_recipe_that_is_none(tmp_path: Path, recipe: str) -> None:
    (tmp_path / "recipe.yaml").write_text(recipe)
    with pytest.raises(SettingsError, match=r"recipe\.yaml"):
        run(tmp_path / "recipe.yaml")


def test_a_number_below_zero(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("--rows", "-1")
    assert "--rows" in capsys.readouterr().err


def test_no_command_at_all() -> None:
    with pytest.raises(SettingsError, match="expected a recipe of ms-swift, or its options"):
        run()


@pytest.mark.parametrize(
    ("shell", "recipe", "settings", "named"),
    [
        pytest.param(
            {},
            {},
            "max_pixels: 401408",
            ["401408"],
            id="settings, not the run",
        ),
        pytest.param(
            {},
            {"max_pixels": 200704},
            "max_pixels: 401408",
            ["401408", "200704"],
            id="settings and run",
        ),
        pytest.param(
            {},
            {"ENV": {"MAX_PIXELS": "200704"}},
            "max_pixels: 401408",
            ["401408", "MAX_PIXELS=200704"],
            id="settings and MAX_PIXELS",
        ),
        pytest.param(
            {"MAX_PIXELS": "200704"},
            {"ENV": {"MAX_PIXELS": "401408"}},
            "preset: paper",
            ["200704", "401408", "shell"],
            id="shell and recipe",
        ),
    ],
)
def test_limits_of_image_sizes_that_differ(
    scenes: list[Row],
    examine: Callable,
    tmp_path: Path,
    shell: dict,
    recipe: dict,
    settings: str,
    named: list[str],
) -> None:
    file = tmp_path / "reward.yaml"
    file.write_text(settings)
    os.environ.update(shell, VISION_R1_CONFIG=str(file))
    told = examine(scenes, **recipe)
    assert told.code == 1
    assert [word for word in named if word not in told.findings["problem max_pixels"]] == []


@pytest.mark.parametrize(
    ("shell", "recipe", "settings"),
    [
        pytest.param({}, {"max_pixels": 200704}, "preset: paper", id="left out of the settings"),
        pytest.param({}, {"ENV": {"MAX_PIXELS": "401408"}}, "preset: paper", id="not in the shell"),
        pytest.param(
            {"MAX_PIXELS": "401408"},
            {"ENV": {"MAX_PIXELS": 401408}},
            "preset: paper",
            id="both the same",
        ),
        pytest.param({}, {"model_type": None}, "preset: paper", id="no model_type"),
    ],
)
def test_remedies_work(
    scenes: list[Row], examine: Callable, tmp_path: Path, shell: dict, recipe: dict, settings: str
) -> None:
    """What the findings of the tests around this one tell to do."""
    file = tmp_path / "reward.yaml"
    file.write_text(settings)
    os.environ.update(shell, VISION_R1_CONFIG=str(file))
    told = examine(scenes, **recipe)
    assert told.code == 0, told.text


@pytest.mark.parametrize(
    ("recipe", "settings", "named"),
    [
        pytest.param(
            {"model_type": "qwen3_vl"},
            "preset: paper",
            "problem model_type",
            id="checkpoint",
        ),
        pytest.param(
            {"model": "Qwen/Qwen2.5-VL-7B-Instruct", "model_type": "qwen2_vl"},
            "preset: paper",
            "problem model_type",
            id="name on the hub",
        ),
        pytest.param(
            {},
            "model_type: qwen2_vl",
            "problem model",
            id="settings",
        ),
        pytest.param(
            {"model": "Qwen/Qwen3-VL-8B", "model_type": "qwen3_vl"},
            "preset: official",
            "problem model",
            id="official rules",
        ),
        pytest.param(
            {"model_type": "qwen9"},
            "preset: paper",
            "problem model",
            id="unknown",
        ),
    ],
)
def test_a_wrong_model_type(
    scenes: list[Row], examine: Callable, tmp_path: Path, recipe: dict, settings: str, named: str
) -> None:
    file = tmp_path / "reward.yaml"
    file.write_text(settings)
    told = examine(scenes, ENV={"VISION_R1_CONFIG": str(file)}, **recipe)
    assert told.code == 1
    assert named in told.findings
