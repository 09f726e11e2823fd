"""Where a row's image is, and how large."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import SolutionError
from ..geometry.frames import Size


@dataclass(frozen=True)
class ImageFile:
    """What is known of a row's image.

    Attributes:
        state: `elsewhere` is a URL or base64, which is not looked at.
        path: where the file is; None for bytes.
        size: (width, height) in pixels in the file's own orientation, which is the one that
            ms-swift trains on; None where it was not opened.
    """

    state: Literal["there", "none", "missing", "empty", "unreadable", "elsewhere"]
    path: Path | None = None
    size: Size | None = None


def look_at(image: Any, open_it: bool) -> ImageFile:
    """Find a row's image, and read its size where `open_it` says so."""
    from ..data.images import image_size, local_image

    if image is None:
        return ImageFile("none")
    source = local_image(image)
    if source is None:
        return ImageFile("elsewhere")
    path = source if isinstance(source, Path) else None
    if path is not None and not path.is_file():
        return ImageFile("missing", path)
    if path is not None and not path.stat().st_size:
        return ImageFile("empty", path)
    if not open_it:
        return ImageFile("there", path)
    try:
        return ImageFile("there", path, image_size(image))
    except (SolutionError, OSError, ValueError):
        return ImageFile("unreadable", path)
