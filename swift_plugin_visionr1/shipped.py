"""The files that come with the package: recipes, overlays and settings, `configs/` of the
repository."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_IN_A_WHEEL = _PACKAGE / "recipes" / "configs"
CONFIGS = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else _PACKAGE.parent / "configs"


def shipped(path: Path) -> Path:
    """The file that a recipe names as `configs/...`: from here if there is one, else the package's.

    Other paths are returned unchanged.
    """
    ours = CONFIGS.parent / path
    if path.parts[:1] != ("configs",) or path.exists() or not ours.exists():
        return path
    return ours
