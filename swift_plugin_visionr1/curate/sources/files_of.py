"""The files of a folder that sources are made of."""

import os
from collections.abc import Iterator
from pathlib import Path

IMAGE_ENDINGS = (
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".ppm",
    ".avif",
    ".jp2",
)
UNREADABLE = "annotation files that cannot be read"
NOT_ANNOTATED = "images without an annotation file"
BAD_BOX = "boxes that are not four numbers"
NO_LABEL = "boxes without a label"
NO_AREA_KIND = "points and lines, which have no box"


def is_image(path: Path) -> bool:
    """Whether a file's name is an image's."""
    return path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith(".")


def walk(folder: Path, *endings: str) -> Iterator[Path]:
    """All files below a folder with one of the endings, in order of their names; hidden folders are
    left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(endings) and not name.startswith("."):
                yield Path(place) / name


def first_of(folder: Path, *endings: str) -> Path | None:
    """The first such file, or None."""
    return next(walk(folder, *endings), None)


def image_beside(folders: tuple[Path, ...], stem: str) -> Path | None:
    """The image of that name with any ending, in the first folder that has one."""
    for folder in folders:
        for ending in IMAGE_ENDINGS:
            for path in (folder / (stem + ending), folder / (stem + ending.upper())):
                if path.is_file():
                    return path
    return None
