"""Where in a folder the images of an annotation file are, even if it comes from another machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..text import listed


@dataclass(frozen=True)
class ImagePaths:
    """The files of images.

    Attributes:
        by_name: file_name as written -> its file, in the order of the names.
        missing: the names without a file.
        shortened: the names whose file was found by their last parts only.
    """

    by_name: dict[str, Path]
    missing: tuple[str, ...]
    shortened: tuple[str, ...]

    def describe(self) -> str | None:
        """What to say about names that are not paths in the folder; None if all of them are."""
        if not self.shortened:
            return None
        name = self.shortened[0]
        return (
            f"{len(self.shortened)} of {len(self.by_name)} images were found by the last parts of "
            f"their file_name, such as {self.by_name[name]} for {name!r}"
        )


def name_parts(name: str) -> tuple[str, ...]:
    r"""The folders and the file of a path as Windows or Linux write it, without drive and "..".

    >>> name_parts(r"..\..\media\upload\1.jpg")
    ('media', 'upload', '1.jpg')
    """
    parts = name.replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", ".", "..") and not part.endswith(":"))


def find_images(folder: Path, names: Iterable[str]) -> ImagePaths:
    """Find the file of each name: the path in the folder, else its longest existing suffix.

    Raises:
        InputError: two different names lead to the same file, so one of them is wrong.
    """
    by_name: dict[str, Path] = {}
    missing: list[str] = []
    shortened: list[str] = []
    for name in dict.fromkeys(names):
        path = find_image(folder, name)
        if path is None:
            missing.append(name)
            continue
        by_name[name] = path
        if path != folder / name:
            shortened.append(name)
    if shortened:
        _require_distinct(by_name, folder)
    return ImagePaths(by_name, tuple(missing), tuple(shortened))


def find_image(folder: Path, name: str) -> Path | None:
    """The file of one name: the path in the folder, else its longest existing suffix."""
    if (folder / name).is_file():
        return folder / name
    parts = name_parts(name)
    ends = (folder.joinpath(*parts[start:]) for start in range(len(parts)))
    return next((path for path in ends if path.is_file()), None)


def _require_distinct(by_name: dict[str, Path], folder: Path) -> None:
    names: dict[Path, str] = {}
    for name, path in by_name.items():
        other = names.setdefault(path, name)
        if name_parts(other) != name_parts(name):
            raise InputError(
                f"expected the images of {listed(map(repr, (other, name)))} under {folder}, got "
                f"one file for both, {path}: keep the folders of the file names"
            )
