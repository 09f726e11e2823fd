"""What is measured, in the order of its worth, and the recipe of each part."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from checkpoints import HERE, MODELS, ROOT

from swift_plugin_visionr1.recipes.overlays import merged

SMALL_MODEL = "small_model"
STEPS, GROUP = 2, 4
# What PyTorch can have of the smallest card sold with so much memory, without CUDA's own half GiB:
# L4 and A10 have 22.5 GiB, A100 39.6 and 79.3.
LIMITS_GIB = {"24gb": 22.0, "40gb": 39.0, "80gb": 78.5}
BYTES_OF_ALL = 10  # a parameter: bfloat16 weight, gradient, two moments, reference model
ROOM_GIB = 6.0  # for what is not a parameter when all are trained
# Where there is no GPU.
TINY = {"max_completion_length": 8, "torch_dtype": "float32"}
TINY_PIXELS = "50176"


@dataclass(frozen=True)
class GpuPart:
    """A recipe with an overlay.

    Attributes:
        model: of models.yaml, and the recipe's name.
        overlay: `lora_24gb` and its like of configs/overlays, or `all_parameters` beside this file.
        seconds: how long it takes on an H100, start included; a guess until it has been measured.
    """

    model: str
    overlay: str
    seconds: int

    @property
    def name(self) -> str:
        """In results and on the command line."""
        return f"{self.model}/{self.overlay}"

    @property
    def layers(self) -> list[Path]:
        """The recipe and the overlay."""
        beside = HERE / f"{self.overlay}.yaml"
        overlay = ROOT / "configs" / "overlays" / f"{self.overlay}.yaml"
        recipe = ROOT / "configs" / "train" / f"{self.model}.yaml"
        return [recipe, beside if beside.exists() else overlay]

    @property
    def limit_gib(self) -> float | None:
        """Of the card that the overlay is named after."""
        return LIMITS_GIB.get(self.overlay.split("_")[-1])

    def fits(self, card_gib: float) -> bool:
        """Whether it is worth trying on a card."""
        if self.overlay != "all_parameters":
            return True
        parameters = float(MODELS[self.model]["parameters"])
        return BYTES_OF_ALL * parameters / 2**30 + ROOM_GIB < card_gib


PARTS = [
    GpuPart("qwen2_5_vl_7b", "lora_24gb", 105),
    GpuPart("qwen2_5_vl_7b", "lora_80gb", 240),
    GpuPart("qwen2_5_vl_3b", "all_parameters", 190),
    GpuPart("qwen2_5_vl_3b", "lora_24gb", 125),
    GpuPart("qwen3_vl_4b", "lora_24gb", 125),
    GpuPart("qwen2_5_vl_7b", "lora_40gb", 120),
    GpuPart("qwen3_vl_4b", "lora_80gb", 220),
    GpuPart("qwen2_5_vl_3b", "lora_80gb", 220),
    GpuPart("qwen3_vl_4b", "all_parameters", 200),
    GpuPart("qwen2_5_vl_3b", "lora_40gb", 120),
    GpuPart("qwen3_vl_4b", "lora_40gb", 120),
    GpuPart("qwen2_5_vl_7b", "all_parameters", 240),
]


def environ(part: GpuPart, tiny: bool) -> dict[str, str]:
    """The recipe's ENV block."""
    declared = {name: str(value) for name, value in merged(part.layers)["ENV"].items()}
    return declared | ({"MAX_PIXELS": TINY_PIXELS} if tiny else {})


def rounds(part: GpuPart) -> int:
    """How often a step of the overlay samples; one such round is measured as a step."""
    recipe = merged(part.layers)
    accumulation = int(recipe["gradient_accumulation_steps"])
    return accumulation // int(recipe.get("steps_per_generation", accumulation))


def write_recipe(part: GpuPart, tiny: bool, folder: Path, model: Path, rows: Path) -> Path:
    """The recipe that is run: the overlay's, with as many accumulation steps as one sampling
    serves, and nothing saved."""
    recipe: dict[str, Any] = merged(part.layers)
    accumulation = recipe["gradient_accumulation_steps"]
    served = recipe.get("steps_per_generation", accumulation)
    if tiny:
        served = -(-GROUP // recipe["per_device_train_batch_size"])
    recipe |= {
        "model": str(model),
        "model_type": MODELS[part.model]["model_type"],
        "template": MODELS[part.model]["model_type"],
        "dataset": str(rows),
        "max_steps": STEPS,
        "gradient_accumulation_steps": served,
        "steps_per_generation": served,
        "external_plugins": [
            str(ROOT / "swift_plugin_visionr1" / "plugin.py"),
            str(HERE / "probe.py"),
        ],
        "callbacks": ["vision_r1", "gpu_probe"],
        "output_dir": str(folder / "run"),
        "save_strategy": "no",
        "report_to": "none",
        "check_model": False,
        "dataloader_num_workers": 0,
        "ENV": environ(part, tiny),
    }
    recipe = recipe | (TINY if tiny else {})
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return file
