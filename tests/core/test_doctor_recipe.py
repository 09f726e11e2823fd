"""What the doctor reads out of a training command."""

from pathlib import Path

import pytest

from swift_plugin_visionr1 import SettingsError
from swift_plugin_visionr1.doctor.rollouts import engine_of
from swift_plugin_visionr1.recipes.training_command import read_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        "model: a/b\nreward_funcs: [x, y]\ntemperature: 1.0\nENV: {MAX_PIXELS: 100, OTHER: 1}\n"
    )
    return str(file)


def test_options_come_over_the_recipe(recipe: str) -> None:
    read = read_recipe(
        [recipe, "--model", "c/d", "--dataset", "1", "2", "--max-pixels=5", "--top_k", "-1"], {}
    )
    assert read.one("model") == "c/d"
    assert read.all("reward_funcs") == ("x", "y")
    assert read.all("dataset") == ("1", "2")
    assert (read.integer("max_pixels"), read.integer("top_k"), read.number("temperature")) == (
        5,
        -1,
        1.0,
    )


def test_the_shell_comes_over_the_recipes_environment(recipe: str) -> None:
    read = read_recipe([recipe], {"MAX_PIXELS": "7"})
    assert (read.environ["MAX_PIXELS"], read.environ["OTHER"]) == ("7", "1")
    assert read.declared["MAX_PIXELS"] == "100"


def test_model_kwargs_come_over_the_shell(recipe: str) -> None:
    read = read_recipe([recipe, "--model_kwargs", '{"max_pixels": 9}'], {"MAX_PIXELS": "7"})
    assert read.environ["MAX_PIXELS"] == "9"


def test_options_alone_are_a_command() -> None:
    read = read_recipe(["--rlhf_type", "grpo", "--model", "a/b"], {})
    assert read.path is None
    assert read.is_grpo


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["gone.yaml"], "expected a file at gone.yaml", id="no file"),
        pytest.param(["train.jsonl"], "name of a recipe .* got 'train.jsonl'", id="no recipe"),
        pytest.param(
            ["qwen2_5_vl_7b", "train.jsonl"], "options after it, got 'train.jsonl'", id="no option"
        ),
        pytest.param(
            ["--model_kwargs", "x"], "--model_kwargs to be a JSON object", id="model_kwargs"
        ),
    ],
)
def test_what_is_no_command_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_recipe(words, {})


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(
        SettingsError, match="expected --max_pixels to be a whole number, got 'many'"
    ):
        read_recipe(["--max_pixels", "many"], {}).integer("max_pixels")


@pytest.mark.parametrize(
    ("said", "engine"), [("yes", "vllm"), ("1", "vllm"), ("no", "transformers")]
)
def test_truth_values_are_read_as_ms_swift_reads_them(said: str, engine: str) -> None:
    assert engine_of(read_recipe(["--use_vllm", said], {}), None) == engine
