"""The files under configs/ that ms-swift is launched with, and what a tiny run of each has to
change."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.recipes.overlays import merged

CONFIGS = Path(__file__).parents[3] / "configs"
SMALL = Path(__file__).with_name("small_vocabulary.py")
OVER = {
    "rlhf": CONFIGS / "train" / "qwen2_5_vl_7b.yaml",
    "sft": CONFIGS / "sft" / "qwen2_5_vl_7b.yaml",
}


@dataclass(frozen=True)
class Family:
    """The stand-in of a model type, `module:function`, how its models answer, and what they see of
    an image."""

    stand_in: str
    format: str
    frame: str
    images: str
    plugin: Path | None = None


_PREPARE = re.compile(r"^# +((?:\w+=\S+ )*vision-r1 prepare .*)$", re.MULTILINE)
GRID, PIXELS = "coordinates from 0 to 1000", "coordinates in pixels of the processed image"
FAMILIES = {
    "qwen2_vl": Family(
        "qwen2_vl:build", "qwen2_vl", GRID, "4 to 512 visual tokens of 28 x 28", SMALL
    ),
    "qwen2_5_vl": Family(
        "qwen2_5_vl:build", "qwen2_5_vl", PIXELS, "4 to 512 visual tokens of 28 x 28", SMALL
    ),
    "qwen3_vl": Family(
        "qwen3_vl:build", "qwen3_vl", GRID, "4 to 512 visual tokens of 32 x 32", SMALL
    ),
    "qwen3_vl_moe": Family(
        "qwen3_vl:build_moe", "qwen3_vl", GRID, "4 to 512 visual tokens of 32 x 32", SMALL
    ),
    "qwen3_5": Family(
        "qwen3_5:build", "qwen3_vl", GRID, "4 to 512 visual tokens of 32 x 32", SMALL
    ),
    "qwen3_5_moe": Family(
        "qwen3_5:build_moe", "qwen3_vl", GRID, "4 to 512 visual tokens of 32 x 32", SMALL
    ),
    "glm4v": Family("glm4v:build", "glm4v", GRID, "12544 to 9633792 pixels in 2 frames", SMALL),
    "minicpmv4_6": Family(
        "minicpm:build", "minicpm_v", GRID, "stretched over at most 9 slices of about 448 x 448"
    ),
    "gemma4": Family("gemma4:build", "gemini", GRID, "at most 280 visual tokens of 48 x 48"),
    "internvl": Family("internvl:build", "internvl", GRID, "1 to 12 tiles of 448 x 448"),
    "internvl_chat": Family("internvl_chat:build", "internvl", GRID, "1 to 6 tiles of 448 x 448"),
    "ovis2_5": Family("ovis:build", "ovis", "coordinates from 0 to 1", "200704 to 524288 pixels"),
    "griffon_g": Family("griffon_g:build", "griffon", "coordinates from 0 to 1", "stretched to"),
    "paligemma": Family(
        "paligemma:build", "paligemma", "coordinates from 0 to 1023", "stretched to"
    ),
}


@dataclass(frozen=True)
class Case:
    """A recipe, or an overlay over a recipe: `over`, else the one that it names, else
    Qwen2.5-VL-7B's."""

    file: Path
    over: Path | None = None

    @property
    def command(self) -> str:
        """Of `swift`."""
        return (
            "sft" if self.file.parent.name == "sft" or self.file.stem.startswith("sft") else "rlhf"
        )

    @property
    def layers(self) -> list[Path]:
        """The file, and what it is laid over."""
        if self.file.parent.name in ("train", "sft"):
            return [self.file]
        if self.over is not None:
            return [self.over, self.file]
        named = re.search(r"vision-r1 recipe configs/(train/[a-z]\S+)", self.file.read_text())
        return [CONFIGS / named[1] if named else OVER[self.command], self.file]

    @property
    def recipe(self) -> dict[str, Any]:
        """What ms-swift is to read."""
        return merged(self.layers)

    @property
    def without_vllm(self) -> dict[str, Any]:
        """The recipe, with transformers' rollouts where it has vLLM's, which want a GPU."""
        return {
            name: value
            for name, value in self.recipe.items()
            if not name.startswith(("use_vllm", "vllm_"))
        }

    @property
    def commands(self) -> list[str]:
        """Those that make the rows, as the comments of the recipe and of the overlay say."""
        texts = [layer.read_text().replace("\\\n#", "") for layer in self.layers]
        return [line for text in texts for line in _PREPARE.findall(text)]

    @property
    def prepare(self) -> str:
        """The command that makes the recipe's rows."""
        assert self.commands, f"{self.layers[0]} does not say how its rows are made"
        return self.commands[0]

    @property
    def rows(self) -> str:
        """The file that it writes."""
        return self.prepare.split("--out ")[1].split()[0]

    @property
    def model_type(self) -> str:
        """The one that the rows are made for."""
        return self.prepare.split("--model-type ")[1].split()[0]

    @property
    def plugins(self) -> list[str]:
        """Its own external plugins, which a stand-in's would replace."""
        named = self.recipe.get("external_plugins") or []
        return [named] if isinstance(named, str) else list(named)

    @property
    def steps(self) -> int:
        """Of the run: in 3 of them STEP = 1/3, 1/2 and 1 differ."""
        return 3 if self.file.parent.name == "ablations" else 2

    @property
    def smaller(self) -> dict[str, object]:
        """The options that a run of seconds without a GPU replaces."""
        recipe = self.recipe
        group = -(
            -recipe.get("num_generations", 1) // recipe["per_device_train_batch_size"]
        )  # is sampled at once
        options: dict[str, object] = {
            "max_steps": self.steps,
            "torch_dtype": "float32",
            "dataloader_num_workers": 0,
            "report_to": "none",
            "gradient_accumulation_steps": recipe.get("steps_per_generation", group),
            # ms-swift asks its hub for newer files, for 20 seconds where there is no network
            "check_model": "false",
        }
        options |= (
            {"max_completion_length": 40} if self.command == "rlhf" else {}
        )  # of the example, a box
        options |= {"soft_cache_length": 10} if "soft_cache_length" in recipe else {}
        plugin = FAMILIES[self.model_type].plugin
        plugins = [*[plugin] * (plugin is not None), *self.plugins]
        options |= {"external_plugins": plugins} if plugins else {}
        options |= {"attn_impl": "sdpa"} if recipe["attn_impl"] == "flash_attn" else {}
        return options | ({"deepspeed": ""} if "deepspeed" in recipe else {})


def files(*folders: str) -> list[Path]:
    """The YAML files in folders of configs/."""
    return sorted(path for folder in folders for path in (CONFIGS / folder).glob("*.yaml"))
