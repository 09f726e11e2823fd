"""What `swift rlhf RECIPE.yaml [options...]` would be told, without importing ms-swift."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import SettingsError
from .by_name import locate
from .overlays import load


@dataclass(frozen=True)
class Recipe:
    """A training command.

    Attributes:
        path: the recipe's file; None if there are only options.
        options: values of each option, by its name with underscores; the last one counts if it is
            repeated.
        environ: the environment that the training would see.
        declared: the recipe's own ENV block.
    """

    path: Path | None
    options: Mapping[str, tuple[str, ...]]
    environ: Mapping[str, str]
    declared: Mapping[str, str]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of an option; empty if it is not given."""
        return self.options.get(name, ())

    def one(self, name: str) -> str | None:
        """The value of an option; None if it is not given, or empty, or null in the YAML."""
        value = next(iter(self.all(name)), None)
        return None if value in (None, "", "None") else value

    def integer(self, name: str) -> int | None:
        """The value of a whole-number option.

        Raises:
            SettingsError: it is not a whole number.
        """
        value = self.one(name)
        try:
            return None if value is None else int(value)
        except ValueError:
            raise SettingsError(f"expected --{name} to be a whole number, got {value!r}") from None

    def number(self, name: str) -> float | None:
        """The value of a number option; raises as `integer`."""
        value = self.one(name)
        try:
            return None if value is None else float(value)
        except ValueError:
            raise SettingsError(f"expected --{name} to be a number, got {value!r}") from None

    @property
    def is_grpo(self) -> bool:
        """Whether there are rewards; otherwise it is supervised training or another alignment."""
        return self.one("rlhf_type") == "grpo" or bool(self.all("reward_funcs"))


def read_recipe(words: Sequence[str], shell: Mapping[str, str]) -> Recipe:
    """Read a recipe and the options after it, as ms-swift's command line does.

    Args:
        words: the words after `swift rlhf`; the first may be a YAML or JSON file, or the name of a
            recipe in the package.
        shell: the environment of the command; it wins over the recipe's ENV block.

    Raises:
        SettingsError: what was expected and what came.
    """
    if not words:
        raise SettingsError(
            "expected a recipe of ms-swift, or its options: vision-r1 doctor RECIPE.yaml"
        )
    path = None if words[0].startswith("--") else locate(words[0])
    data = load(path) if path else {}
    declared = {str(name): str(value) for name, value in (data.pop("ENV", None) or {}).items()}
    options = {str(name): _words(value) for name, value in data.items()}
    options |= _options(words[1:] if path else words)
    environ = {**declared, **shell}
    if options.get("model_kwargs"):
        environ |= _model_kwargs(options["model_kwargs"][0])
    return Recipe(path, options, environ, declared)


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value),)


def _options(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    options: dict[str, tuple[str, ...]] = {}
    name = None
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            name = name.replace("-", "_")
            options[name] = (value,) if equals else ()
        elif name is None:
            raise SettingsError(
                "expected a recipe (.yaml, .yml, .json) as the first word and options after it, "
                f"got {word!r}"
            )
        else:
            options[name] += (word,)
    return options


def _model_kwargs(text: str) -> dict[str, str]:
    """ms-swift puts these into the environment, over what is there."""
    try:
        return {str(name).upper(): str(value) for name, value in dict(json.loads(text)).items()}
    except (ValueError, TypeError):
        raise SettingsError(f"expected --model_kwargs to be a JSON object, got {text!r}") from None
