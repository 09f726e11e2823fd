"""Recipes and overlays by name: `qwen2_5_vl_7b`, `lora_24gb`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..files import load_yaml
from ..shipped import CONFIGS, shipped
from ..text import did_you_mean

RECIPES = ("train", "sft", "megatron")  # folders of configs/
OVERLAYS = ("overlays", "ablations")
SUFFIXES = (".yaml", ".yml", ".json")


def locate(name: str) -> Path:
    """The file of a recipe or an overlay.

    Args:
        name: a file; or the name of one in the package: `qwen2_5_vl_7b` is
            `train/qwen2_5_vl_7b.yaml`, and a folder in front names another kind, as in
            `sft/qwen2_5_vl_7b`.

    Raises:
        SettingsError: there is no such name.
    """
    if name.endswith(SUFFIXES):
        return shipped(Path(name))
    for folder in ("", *RECIPES, *OVERLAYS):
        path = CONFIGS / folder / f"{name}.yaml"
        if path.is_file() and path.parent != CONFIGS:
            return path
    names = [*_names(RECIPES), *_names(OVERLAYS)]
    raise SettingsError(
        f"expected a YAML file or the name of a recipe or an overlay (`vision-r1 recipes` lists "
        f"them), got {name!r}{did_you_mean(name, names)}"
    )


def with_absolute_paths(options: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe that can be launched from any folder: `configs/...` becomes the file's full path."""
    return {name: _absolute(value) for name, value in options.items()}


def _absolute(value: Any) -> Any:
    if isinstance(value, dict):
        return with_absolute_paths(value)
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    if isinstance(value, str) and value.startswith("configs/") and shipped(Path(value)).exists():
        return str(shipped(Path(value)).resolve())
    return value


def described() -> dict[str, dict[str, str]]:
    """What `configs/models.yaml` says of each recipe: model, format, frame, STEP, hardware."""
    facts: dict[str, dict[str, str]] = load_yaml(CONFIGS / "models.yaml")
    return facts


def first_sentences(*folders: str) -> dict[str, str]:
    """What the first sentence of each file in folders of `configs/` says, by the file's name."""
    paths = [path for folder in folders for path in sorted((CONFIGS / folder).glob("*.yaml"))]
    return {path.stem: _first_sentence(path) for path in paths}


def _first_sentence(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").split("\n")
    comment = " ".join(line[1:].strip() for line in lines[:4] if line.startswith("# "))
    return comment.split(". ")[0].split(": ")[0].rstrip(".")


def _names(folders: tuple[str, ...]) -> list[str]:
    return [path.stem for folder in folders for path in (CONFIGS / folder).glob("*.yaml")]
