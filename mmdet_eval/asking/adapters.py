"""A LoRA adapter named as the model: `swift infer` takes it beside its base model."""

from collections.abc import Sequence
from pathlib import Path

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.models.checkpoint import base_of_adapter

from .passed_options import adapters_in


def on_its_base(model: str, options: Sequence[str]) -> tuple[str, list[str]]:
    """The base model of an adapter, and the options with the adapter on it; anything else as it is.

    Args:
        model: folder or hub id.
        options: of `swift infer`.

    Raises:
        InputError: the base is unknown or gone, or there are further --adapters.
    """
    folder = Path(model)
    if not (folder / "adapter_config.json").is_file():
        return model, list(options)
    if adapters_in(options):
        raise InputError(
            f"expected the base model as --model with --adapters, got the adapter {folder}: name "
            "both adapters with --adapters"
        )
    base = base_of_adapter(folder)
    if base is None or (Path(base).is_absolute() and not Path(base).is_dir()):
        raise InputError(
            f"expected the base model of the adapter {folder}, which names {base or 'none'}, got "
            f"nothing there: name it with --model BASE --adapters {folder}"
        )
    return base, [*options, "--adapters", str(folder)]
