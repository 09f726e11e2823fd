"""configs/train, configs/sft and their table are what configs/write.py makes of
configs/models.py."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def write() -> ModuleType:
    sys.path.insert(0, str(CONFIGS))
    try:
        spec = importlib.util.spec_from_file_location("write", CONFIGS / "write.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(CONFIGS))


def test_the_recipes_are_as_written(write: ModuleType) -> None:
    written = {name: text for model in write.MODELS for name, text in write.recipes(model).items()}
    found = {
        f"{path.parent.name}/{path.name}": path.read_text()
        for path in CONFIGS.glob("[ts][rf][at]*/*.yaml")
    }
    assert found == written, "run python configs/write.py"


def test_the_overlays_are_as_written(write: ModuleType) -> None:
    for format in write.STRUCTURED_FORMATS:
        written = (CONFIGS / "overlays" / f"structured_{format}.yaml").read_text()
        assert written == write.structured(format), "run python configs/write.py"


def test_the_list_is_as_written(write: ModuleType) -> None:
    assert (CONFIGS / "models.yaml").read_text() == write.described(), "run python configs/write.py"


def test_the_table_is_as_written(write: ModuleType) -> None:
    assert write.table() in (CONFIGS.parent / "docs" / "recipes.md").read_text(), (
        "run python configs/write.py"
    )


def test_every_recipe_keeps_the_papers_numbers(write: ModuleType) -> None:
    """Section 4.1 and the released command: 16 prompts x 4 completions; SFT at twice the rate with
    128 rows."""
    for model in write.MODELS:
        train, sft = (yaml.safe_load(text) for text in write.recipes(model).values())
        gpus = 8 * model.nodes
        batch = gpus * train["per_device_train_batch_size"] * train["gradient_accumulation_steps"]
        assert (batch, train["num_generations"]) == (64, 4)
        assert (train["beta"], train["learning_rate"], train["num_train_epochs"]) == (0.2, 1e-6, 1)
        schedule = train["lr_scheduler_type"], train["weight_decay"], train["adam_beta2"]
        assert (*schedule, train["top_k"]) == ("linear", 0.0, 0.999, 50)  # its framework's defaults
        rows = gpus * sft["per_device_train_batch_size"] * sft["gradient_accumulation_steps"]
        assert (rows, sft["learning_rate"], sft["num_train_epochs"]) == (128, 2e-6, 1)


@pytest.mark.parametrize(
    "overlay", sorted((CONFIGS / "overlays").glob("*.yaml")), ids=lambda path: path.stem
)
def test_no_lora_overlay_changes_the_batch(overlay: Path) -> None:
    """One GPU or a node: the product stays the paper's, whatever the portions."""
    layer = yaml.safe_load(overlay.read_text())
    if layer.get("tuner_type") != "lora":
        pytest.skip("not a LoRA overlay")
    gpus = 8 if layer["deepspeed"] else 1
    batch = gpus * layer["per_device_train_batch_size"] * layer["gradient_accumulation_steps"]
    assert batch == (128 if overlay.stem.startswith("sft") else 64)
    assert layer["per_device_train_batch_size"] * layer.get("steps_per_generation", 4) % 4 == 0
