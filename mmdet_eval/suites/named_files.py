"""Finds the built-in YAML files by name."""

from pathlib import Path

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import did_you_mean

FOLDER = Path(__file__).parent / "named"
SUFFIXES = (".yaml", ".yml")


def names(kind: str) -> tuple[str, ...]:
    """The names of the "protocols" or "suites" that come with the package, in alphabetical
    order."""
    return tuple(sorted(path.stem for path in (FOLDER / kind).glob("*.yaml")))


def find(kind: str, name: str) -> Path:
    """The built-in file of that name, or the user's own YAML file at that path.

    Raises:
        InputError: it is neither a name nor a YAML file.
    """
    if name in names(kind):
        return FOLDER / kind / f"{name}.yaml"
    path = Path(name)
    if path.suffix in SUFFIXES and path.is_file():
        return path
    raise InputError(
        f"expected one of the {kind} {', '.join(names(kind))}, or the path of your own YAML file, "
        f"got {name!r}" + did_you_mean(name, names(kind))
    )
