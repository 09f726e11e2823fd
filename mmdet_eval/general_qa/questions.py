"""Defines what each model is asked: a recipe for `swift eval`, and what the answers depend on."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError, SettingsError
from swift_plugin_visionr1.files import load_yaml
from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES
from swift_plugin_visionr1.recipes.training_command import Recipe
from swift_plugin_visionr1.recipes.training_command import read_recipe as read_command

PLUGIN = Path(__file__).with_name("vlmevalkit_plugin.py")
# Options that change the speed but not the answers, and those that this command sets itself.
NEUTRAL = {
    "max_batch_size",
    "eval_num_proc",
    "port",
    "host",
    "eval_url",
    "api_key",
    "vllm_gpu_memory_utilization",
    "vllm_max_num_seqs",
    "vllm_tensor_parallel_size",
    "eval_dataset",
    "eval_output_dir",
}


@dataclass(frozen=True)
class NamedModel:
    """A model and its name in the table; `path` is the folder of a model or an adapter, or a hub
    id."""

    name: str
    path: str

    @property
    def option(self) -> str:
        """The arguments that pass it to `swift eval`."""
        return "--adapters" if (Path(self.path) / "adapter_config.json").exists() else "--model"


@dataclass(frozen=True)
class Benchmarks:
    """What every model is asked, and how.

    Attributes:
        recipe: the YAML file for `swift eval`.
        benchmarks: VLMEvalKit's names.
        plugins: files for --external_plugins, beside ours.
        options: further arguments of `swift eval`; they override the recipe's.
    """

    recipe: Path
    benchmarks: tuple[str, ...]
    plugins: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def arguments(self, model: NamedModel, folder: Path) -> list[str]:
        """Of `swift eval`."""
        return [
            str(self.recipe),
            model.option,
            model.path,
            "--eval_dataset",
            *self.benchmarks,
            "--external_plugins",
            str(PLUGIN),
            *self.plugins,
            "--eval_output_dir",
            str(folder),
            *self.options,
        ]

    def passed(self) -> list[str]:
        """What `swift eval` gets besides the model: the recipe's options, overridden by the
        user's."""
        options = {**self._told().options, "external_plugins": self.plugins}
        return [
            text for name, values in options.items() if values for text in (f"--{name}", *values)
        ]

    def variables(self) -> dict[str, str]:
        """The variables that change a frame, from the recipe or the environment."""
        environ = self._told().environ
        return {name: environ[name] for name in FRAME_VARIABLES if name in environ}

    @property
    def server(self) -> str | None:
        """The address of a running server (--eval_url); None if `swift eval` starts its own."""
        return self._told().one("eval_url")

    def _told(self) -> Recipe:
        try:
            return read_command([str(self.recipe), *self.options], os.environ)
        except SettingsError as error:
            raise InputError(str(error)) from None


def read_recipe(path: Path) -> dict[str, Any]:
    """The recipe's settings.

    Raises:
        InputError: it is not a YAML file for VLMEvalKit.
    """
    if not path.exists():
        raise InputError(f"expected a YAML file for `swift eval`, got none at {path}")
    recipe = load_yaml(path)
    options = recipe if isinstance(recipe, dict) else {}
    if options.get("eval_backend") != "VLMEvalKit" or not isinstance(
        options.get("eval_dataset"), list
    ):
        raise InputError(
            f"expected eval_backend: VLMEvalKit and a list eval_dataset in {path}, got "
            f"{options.get('eval_backend')} and {options.get('eval_dataset')}; see "
            "configs/eval/general_qa.yaml"
        )
    return options
