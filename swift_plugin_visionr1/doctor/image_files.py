"""Where a row's image is, and what its header says."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.image_headers import read_headers
from ..data.images import Header, local_image
from ..errors import ImageError
from ..geometry.frames import Size


@dataclass(frozen=True)
class ImageFile:
    """What is known of a row's image.

    Attributes:
        state: "there"; "none" if the row names no image; else the code of the `ImageError`:
            "elsewhere" is a URL, which is not looked at.
        path: where the file is; None for bytes.
        header: None if it could not be read.
        error: why.
    """

    state: str
    path: Path | None = None
    header: Header | None = None
    error: str = ""

    @property
    def size(self) -> Size | None:
        """(width, height) in pixels as stored, which is how ms-swift trains on it."""
        return self.header.size if self.header else None


def look_at(images: Sequence[Any], opened: Container[int]) -> Iterator[ImageFile]:
    """Find each row's image, and read the headers of those whose index is in `opened`."""
    chosen = [image for index, image in enumerate(images) if index in opened]
    headers = read_headers(chosen, len(chosen))
    for index, image in enumerate(images):
        yield _image_file(image, next(headers) if index in opened else None)


def _image_file(image: Any, header: Header | ImageError | None) -> ImageFile:
    if image is None:
        return ImageFile("none")
    path = _path(image)
    if header is None and path is not None and not path.is_file():
        return ImageFile("missing", path)
    if isinstance(header, ImageError):
        return ImageFile(header.code, path, error=str(header))
    return ImageFile("there", path, header)


def _path(image: Any) -> Path | None:
    try:
        source = local_image(image)
    except ImageError:
        return None
    return source if isinstance(source, Path) else None
