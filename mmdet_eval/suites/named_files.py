"""The YAML files that are named without their folder, and how such files are checked."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import load_yaml
from swift_plugin_visionr1.text import did_you_mean

FOLDER = Path(__file__).parent / "named"
SUFFIXES = (".yaml", ".yml")


def names(kind: str) -> tuple[str, ...]:
    """The names of the "protocols" or "suites" that come with the package, in alphabetical
    order."""
    return tuple(sorted(path.stem for path in (FOLDER / kind).glob("*.yaml")))


def find(kind: str, name: str) -> Path:
    """The file of a named one, or the user's own YAML file of that path.

    Raises:
        InputError: neither a name nor a YAML file.
    """
    if name in names(kind):
        return FOLDER / kind / f"{name}.yaml"
    path = Path(name)
    if path.suffix in SUFFIXES and path.is_file():
        return path
    raise InputError(
        f"expected one of the {kind} {', '.join(names(kind))}, or the path of a YAML file of one's "
        f"own, got {name!r}" + did_you_mean(name, names(kind))
    )


def read_mapping(
    path: Path, required: Collection[str], optional: Collection[str]
) -> dict[str, Any]:
    """A YAML file that is a mapping with the keys `required` and, at most, `optional`.

    Raises:
        InputError: it is not.
    """
    return check_keys(load_yaml(path), str(path), required, optional)


def check_keys(
    data: Any, where: str, required: Collection[str], optional: Collection[str]
) -> dict[str, Any]:
    """`data` if it is a mapping with those keys, else InputError; `where` names it."""
    if not isinstance(data, dict):
        raise InputError(f"expected `name: value` lines in {where}, got a {type(data).__name__}")
    known = [*required, *optional]
    for key in data:
        if key not in known:
            raise InputError(
                f"expected the keys {', '.join(known)} in {where}, got "
                f"{key!r}{did_you_mean(key, known)}"
            )
    missing = [key for key in required if key not in data]
    if missing:
        raise InputError(
            f"expected {', '.join(required)} in {where}, got none for {', '.join(missing)}"
        )
    return data
