"""ms-swift's DeepSpeed configurations with the recipes' values, checked by DeepSpeed's own
configuration class."""

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from swift_plugin_visionr1.recipes.overlays import merged

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("deepspeed", reason="needs DeepSpeed")
pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[2] / "configs"
PRESETS = ("zero0", "zero1", "zero2", "zero2_offload", "zero3", "zero3_offload")
OVERLAID = (
    ("train/qwen2_5_vl_7b", "overlays/two_nodes"),
    ("train/qwen2_5_vl_72b", "overlays/lora_node"),
    ("train/qwen2_5_vl_32b", "overlays/one_node"),
    ("sft/qwen2_5_vl_72b", "overlays/sft_lora_node"),
)
RECIPES = [
    (f"{kind}/{path.stem}",)
    for kind in ("train", "sft")
    for path in sorted((CONFIGS / kind).glob("*.yaml"))
]


def files(layers: tuple[str, ...]) -> list[Path]:
    return [CONFIGS / f"{layer}.yaml" for layer in layers]


def processes(layers: tuple[str, ...]) -> int:
    """As many as the launch line in the last file's header starts."""
    return 16 if "NNODES=2" in files(layers)[-1].read_text() else 8


@lru_cache
def checked(processes: int, recipes: str) -> list[dict]:
    """What DeepSpeed makes of a JSON list of recipes."""
    script = Path(__file__).with_name("deepspeed_configs.py")
    run = subprocess.run(
        [sys.executable, script, str(processes)], input=recipes, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def of_recipes() -> dict[tuple[str, ...], dict]:
    """By the files that they come from."""
    found: dict[tuple[str, ...], dict] = {}
    for number in (8, 16):
        those = [layers for layers in (*RECIPES, *OVERLAID) if processes(layers) == number]
        results = checked(number, json.dumps([merged(files(layers)) for layers in those]))
        found |= dict(zip(those, results, strict=True))
    return found


@pytest.mark.parametrize("layers", [*RECIPES, *OVERLAID], ids=" + ".join)
def test_a_step_of_the_recipe_is_the_papers_batch(
    of_recipes: dict, layers: tuple[str, ...]
) -> None:
    recipe, config = merged(files(layers)), of_recipes[layers]
    assert config["batch"] == (
        64 if layers[0].startswith("train") else 128
    )  # 16 prompts x 4 completions; SFT's rows
    assert config["micro"] == recipe["per_device_train_batch_size"]
    assert config["accumulation"] == recipe["gradient_accumulation_steps"]
    assert config["bf16"]
    assert config["stage"] == 3
    assert config["offload"] == ("cpu" if recipe["deepspeed"].endswith("_offload") else "none")


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_takes_the_values_of_the_7b_recipe(preset: str) -> None:
    recipe = merged(files(("train/qwen2_5_vl_7b",)))
    configs = checked(8, json.dumps([recipe | {"deepspeed": name} for name in PRESETS]))
    config = configs[PRESETS.index(preset)]
    assert (config["batch"], config["bf16"]) == (64, True)
    assert config["stage"] == int(preset[4])
    assert config["offload"] == ("cpu" if preset.endswith("_offload") else "none")
