"""The image files of a source's samples."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ..data.image_paths import find_image, name_parts
from ..errors import InputError
from .sample import Sample, Source
from .tally import Tally

MISSING = "images without a file"
HOPELESS = 2000  # images without a file before the first with one
OF_2014 = re.compile(r"(?:.*[/\\])?COCO_(?:train|val)2014_(?=\d{12}\.jpg$)")
SHORTENED = "images that were found by the last parts of their name"


class ImageFinder:
    """Looks in the folder first in which it found the last image.

    Args:
        folders: of the source.
    """

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = [os.path.realpath(folder) for folder in folders if folder.is_dir()]

    def find(self, name: str) -> str | None:
        """The file: the path in a folder, else its longest suffix that exists in one, else the
        same image of COCO 2014 under its name of 2017."""
        for folder in self.folders:
            if os.path.isfile(path := os.path.join(folder, name)):
                self._prefer(folder)
                return path
        for folder in self.folders:
            if (suffix := find_image(Path(folder), name)) is not None:
                self._prefer(folder)
                return str(suffix)
        of_2017 = OF_2014.sub("", name)
        return self.find(of_2017) if of_2017 != name else None

    def is_as_written(self, path: str, name: str) -> bool:
        """Whether the file that was just found has the whole path that the source writes."""
        return path == os.path.join(self.folders[0], name)

    def _prefer(self, folder: str) -> None:
        if self.folders[0] != folder:
            self.folders.remove(folder)
            self.folders.insert(0, folder)


def locate(source: Source, tally: Tally) -> Iterator[Sample]:
    """The source's samples whose image has a file, with its path; the others are counted."""
    finder = ImageFinder(source.images)
    shortened: dict[str, str] = {}
    count = 0
    for sample in source.read(tally):
        if not isinstance(sample.image, str):
            yield sample  # it holds the image itself
            continue
        path = finder.find(sample.image)
        if path is None:
            tally.drop(MISSING, sample.image)
            if not count and tally.dropped[MISSING] >= HOPELESS:
                return  # the folder is wrong
            continue
        count += 1
        if not finder.is_as_written(path, sample.image):
            _require_one(path, sample.image, shortened.setdefault(path, sample.image))
            tally.mend(SHORTENED, f"{path} for {sample.image!r}")
        yield replace(sample, image=path)


def _require_one(path: str, name: str, first: str) -> None:
    """Raise InputError if two names that lead to one file cannot be of the same image: neither is
    the end of the other."""
    one, other = (name_parts(OF_2014.sub("", each)) for each in (name, first))
    count = min(len(one), len(other))
    if one[-count:] != other[-count:]:
        raise InputError(
            f"expected the images of {first!r} and {name!r} in files of their own, got one for "
            f"both, {path}: keep the folders of the file names; --images names the one above them"
        )


def folders_around(file: Path, *names: str) -> tuple[Path, ...]:
    """Where the images of an annotation file usually are: beside it, in `names` and the like."""
    usual = ("images", "Images", "JPEGImages", "img", *names)
    near = (file.parent, file.parent.parent)
    places = [near[0], *(near[0] / name for name in usual)]
    places += [near[1] / name for name in usual] + [near[1]]
    return tuple(dict.fromkeys(place for place in places if place.is_dir()))


def as_path(value: Any) -> str | None:
    """A usable name of an image, or None."""
    return value if isinstance(value, str) and value.strip() else None
