"""The image files of a COCO file: where they are, and what their headers say. Needs Pillow."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError
from ..progress import show_progress
from .coco import Id, Image
from .image_check import UNREADABLE, Fault, fault_of, require_usable
from .image_headers import read_headers
from .image_paths import ImagePaths, find_images
from .images import Header


@dataclass(frozen=True)
class CocoImages:
    """The image files of a COCO file.

    Attributes:
        paths: where they are.
        headers: what they say, by the image's id; those that cannot be read are not in it.
        warnings: what is unusual about them, in words.
    """

    paths: ImagePaths
    headers: dict[Id, Header]
    warnings: tuple[str, ...]


def look_at_images(
    images: Sequence[Image], folder: Path, unusable: Sequence[str] = UNREADABLE
) -> CocoImages:
    """Find the images in a folder, and read the headers of those that are there.

    Args:
        images: of the file.
        folder: that `file_name` is relative to.
        unusable: codes of `image_check` that are errors.

    Raises:
        ImageError: an image cannot be used.
        InputError: two images have one file, see `find_images`.
    """
    paths = find_images(folder, (image.file_name for image in images))
    there = [image for image in images if image.file_name in paths.by_name]
    files = [str(paths.by_name[image.file_name]) for image in there]
    headers: dict[Id, Header] = {}
    faults: list[Fault] = []
    reading = show_progress(
        read_headers(files), len(files), sys.stderr, verb="read", noun="image headers"
    )
    for index, header in enumerate(reading):
        if not isinstance(header, ImageError):
            headers[there[index].id] = header
        if fault := fault_of(index, header, None):
            faults.append(fault)
    warnings = require_usable(
        faults, len(there), lambda index: f"image {there[index].id!r}", unusable
    )
    if (said := paths.describe()) is not None:
        warnings.append(said)
    return CocoImages(paths, headers, tuple(warnings))
