"""Where the images of rows lie and how large they are, as ms-swift would find them. Needs
Pillow."""

import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from ..errors import SolutionError
from ..geometry.frames import Size

LONGEST_PATH = 2000  # what is longer is base64, by ms-swift's own rule


def local_image(image: Any) -> Path | BytesIO | None:
    """The file or the bytes of an image as a row has it: a path, or a mapping of `bytes` and
    `path`.

    Relative paths are looked for where swift is started, then under ROOT_IMAGE_DIR.

    Returns:
        None for what ms-swift gets elsewhere: a URL, base64.
    """
    if isinstance(image, Mapping):
        if image.get("bytes"):
            return BytesIO(image["bytes"])
        image = image.get("path")
    if (
        not isinstance(image, str)
        or len(image) > LONGEST_PATH
        or image.startswith(("http:", "https:", "data:", "<"))
    ):
        return None
    path, root = Path(image.removeprefix("file://")), os.environ.get("ROOT_IMAGE_DIR")
    return Path(root) / path if root and not path.exists() else path


def image_size(image: Any) -> Size:
    """(width, height) in pixels; only the header is read.

    Raises:
        SolutionError: it is not a local image that can be opened.
    """
    source = local_image(image)
    if source is None:
        raise SolutionError(
            "expected columns width and height, or an image in a local file, to tell the image's "
            "size, got "
            f"{str(image)[:80]}"
        )
    require_file(source)
    try:
        with Image.open(source) as opened:
            width, height = opened.size
            return width, height
    except UnidentifiedImageError as error:
        raise SolutionError(f"expected an image that can be opened: {error}") from None


def require_file(source: Path | BytesIO) -> None:
    """Raise SolutionError for a path where there is no file."""
    if isinstance(source, Path) and not source.is_file():
        relative = (
            ""
            if source.is_absolute()
            else ": paths are relative to where swift is started, or to ROOT_IMAGE_DIR"
        )
        raise SolutionError(f"expected an image file at {source}, got none{relative}")
