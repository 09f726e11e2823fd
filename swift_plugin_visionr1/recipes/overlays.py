"""Recipes of ms-swift in layers: small YAML files laid over one another, since ms-swift itself
takes one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..declared import check_value
from ..errors import InputError, SettingsError
from ..files import load_yaml, read_json

Options = dict[str, Any]


def merged(paths: Sequence[Path]) -> Options:
    """The recipe that the files come to, each laid over those before it.

    A value replaces the one of the same name, null removes the option, and ENV blocks are merged in
    the same way.

    Raises:
        SettingsError: a file cannot be read, or an overlay removes or names a missing option.
    """
    recipe: Options = {}
    for path in paths:
        layer = load(path)
        environ = _over(recipe.pop("ENV", {}), layer.pop("ENV", None) or {}, path)
        recipe = _over(recipe, layer, path) | ({"ENV": environ} if environ else {})
    return recipe


def _over(below: Options, layer: Options, path: Path) -> Options:
    absent = [name for name, value in layer.items() if value is None and name not in below]
    if absent and below:
        raise SettingsError(
            f"expected {absent[0]} in the files before {path}, which removes it; got none: lay "
            f"{path.name} over the recipe that it was made for"
        )
    return {name: value for name, value in (below | layer).items() if value is not None}


def load(path: Path) -> Options:
    """A recipe or an overlay as written.

    Raises:
        SettingsError: it is not a YAML or JSON file of `option: value` lines.
    """
    try:
        data = read_json(path) if path.suffix == ".json" else load_yaml(path)
        options: Options = check_value(data, dict[str, Any], f"the content of {path}")
        check_value(data.get("ENV"), dict[str, str | float | None] | None, f"ENV of {path}")
    except InputError as error:
        raise SettingsError(str(error)) from None
    return options
