"""The one way to an image: where a row's image is, what its header says, its pixels.

Everything that opens an image in either package does so through `read_header` and `open_image`.
This is the only place that opens files with Pillow, which is imported when it is needed; see
`plain_headers` for files that need no Pillow.
"""

import base64
import binascii
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from ..errors import ImageError, InputError
from ..geometry.frames import Size
from ..text import clipped
from .foreign_files import describe_start
from .plain_headers import read_plain_header

# Pillow reads these by itself. Others, such as EPS, start external programs.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000")
MOST_PIXELS = 178_956_970  # of one image; where Pillow itself, and so ms-swift, refuses to decode
LONGEST_PATH = 2000  # what is longer is base64, by ms-swift's own rule
ORIENTATION = 0x0112  # the EXIF tag
DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
SHOWN_MODES = ("RGB", "L", "1", "CMYK", "YCbCr", "LAB", "HSV")  # that become RGB without a warning

Source = Path | BytesIO


@dataclass(frozen=True)
class Header:
    """What an image's header says.

    Attributes:
        size: (width, height) in pixels as stored, which is how ms-swift hands it to the model.
        orientation: EXIF orientation, 1 to 8, that viewers apply and ms-swift does not; 1 is
            upright.
        mode: Pillow's mode, such as "RGB", "L" or "I;16".
    """

    size: Size
    orientation: int
    mode: str

    @property
    def shown_size(self) -> Size:
        """(width, height) in pixels as viewers and annotation tools show it."""
        return self.size[::-1] if self.orientation >= 5 else self.size

    @property
    def is_deep(self) -> bool:
        """Whether it has more than 8 bits a channel that ms-swift clips to white."""
        return self.mode in DEEP_MODES


def local_image(image: Any) -> Source | None:
    """The file or the bytes of an image as a row has it.

    Args:
        image: a path, bytes, base64, a data URI, or a mapping of `bytes` and `path`. Relative paths
            are looked for where swift is started, then under ROOT_IMAGE_DIR.

    Returns:
        None for what ms-swift gets elsewhere, such as a URL.

    Raises:
        ImageError: a data URI that cannot be decoded.
    """
    source = _local(image)
    return Path(source) if isinstance(source, str) else source


def _local(image: Any) -> str | Source | None:
    """`local_image` whose paths may still be text: a `Path` takes as long as reading a header."""
    if isinstance(image, Mapping):
        image = image.get("bytes") or image.get("path")
    if isinstance(image, bytes):
        return BytesIO(image)
    if isinstance(image, Path):
        return image
    if not isinstance(image, str) or image.startswith(("http:", "https:", "<")):
        return None
    if image.startswith("data:") or len(image) > LONGEST_PATH:
        return _decoded(image)
    path, root = image.removeprefix("file://"), os.environ.get("ROOT_IMAGE_DIR")
    return os.path.join(root, path) if root and not os.path.exists(path) else path


def _decoded(text: str) -> BytesIO:
    try:
        return BytesIO(base64.b64decode(text.partition(";base64,")[2] or text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ImageError(
            f"expected an image in base64, got {clipped(text, 40)!r}: {error}"
        ) from None


def image_size(image: Any) -> Size:
    """(width, height) in pixels as stored; only the header is read.

    Raises:
        ImageError: as `read_header`.
    """
    return read_header(image).size


def read_header(image: Any) -> Header:
    """What the header of a row's image says; nothing is decoded.

    Raises:
        ImageError: it is not a local image, or cannot be opened.
    """
    source = _local(image)
    plain = read_plain_header(source) if isinstance(source, str) else None
    if plain is not None and math.prod(plain[0]) <= MOST_PIXELS:
        return Header(plain[0], 1, plain[1])
    with _opened(image) as opened:
        return Header(opened.size, _orientation(opened), opened.mode)


def open_image(image: Any, long_side: int | None = None) -> Any:
    """A row's image as a Pillow image in RGB, with the pixels that ms-swift hands to the model.

    So an EXIF rotation is not applied, and transparency is dropped. Of an animation it is the first
    frame.

    Args:
        image: as `local_image` takes it, or a Pillow image.
        long_side: shrink its longer side to this many pixels.

    Raises:
        ImageError: it is not a local image, has too many pixels, or cannot be read to its end.
    """
    if isinstance(image, _pillow().Image):
        return _shrunk(image.convert("RGB"), long_side)
    with _opened(image) as opened:
        if long_side is not None:
            opened.draft("RGB", (long_side, long_side))  # a JPEG decodes at a fraction of its size
        with_alpha = "transparency" in opened.info and opened.mode not in SHOWN_MODES
        return _shrunk((opened.convert("RGBA") if with_alpha else opened).convert("RGB"), long_side)


def save_upright(image: Any, path: Path) -> None:
    """Write a copy whose pixels are turned as viewers show the image, without the EXIF tag.

    Raises:
        ImageError: as `open_image`.
        OSError: it cannot be written.
    """
    from PIL import ImageOps

    with _opened(image) as opened:
        kind = "JPEG" if opened.format == "MPO" else opened.format
        turned = ImageOps.exif_transpose(opened)
    turned.save(path, format=kind, **({"quality": 95} if kind in ("JPEG", "WEBP") else {}))


def image_name(image: Any) -> str:
    """What an image is called in messages: its path, or what kind of value it is."""
    if isinstance(image, Mapping):
        image = image.get("path") or image.get("bytes")
    if isinstance(image, bytes):
        return f"{len(image)} bytes"
    return clipped(str(image), 300 if len(str(image)) <= LONGEST_PATH else 40)


def _pillow() -> Any:
    """Pillow's module `Image`.

    Raises:
        InputError: it is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError(
            f"expected Pillow to open images: {error}; pip install 'swift-plugin-visionr1[viz]'"
        ) from None
    return Image


@contextmanager
def _opened(image: Any) -> Iterator[Any]:
    """The Pillow image, of which only the header is read yet.

    Raises:
        ImageError: also instead of what Pillow raises while the image is open.
    """
    Image, source = _pillow(), _local(image)
    if source is None:
        raise ImageError(
            f"expected an image in a local file, got {image_name(image)}: its size is not known "
            "without columns width and height",
            "elsewhere",
        )
    _require_file(source)
    try:
        with Image.open(source, formats=FORMATS) as opened:
            _require_pixels(opened.size, image)
            yield opened
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(_too_large(image_name(image), "more"), "too_large") from None
    except Exception as error:  # at broken data Pillow's readers raise errors of any kind
        raise ImageError(_unreadable(source, image_name(image), error)) from None


def _require_file(source: str | Source) -> None:
    if isinstance(source, BytesIO):
        return
    try:
        status = os.stat(source)
    except (FileNotFoundError, NotADirectoryError):
        places = "paths are relative to where swift is started, or to ROOT_IMAGE_DIR"
        relative = "" if os.path.isabs(source) else f": {places}"
        raise ImageError(f"{_expected_at(source)} none{relative}", "missing") from None
    except (OSError, ValueError) as error:  # a loop of links, a name too long, no permission
        raise ImageError(f"{_expected_at(source)} {error}", "missing") from None
    if not S_ISREG(status.st_mode):
        what = "a folder" if S_ISDIR(status.st_mode) else "something other than a file"
        raise ImageError(f"{_expected_at(source)} {what}")
    if not status.st_size:
        raise ImageError(f"{_expected_at(source)} a file of 0 bytes: copy it again", "empty")


def _expected_at(source: str | Path) -> str:
    return f"expected an image file at {Path(source)}, got"


def _require_pixels(size: Size, image: Any) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        came = f"{size[0]} x {size[1]}"
        raise ImageError(_too_large(image_name(image), came), "too_large")


def _too_large(name: str, came: str) -> str:
    return f"expected an image of at most {MOST_PIXELS:,} pixels, got {came} in {name}: shrink it"


def _unreadable(source: str | Source, name: str, error: Exception) -> str:
    if isinstance(source, BytesIO):
        start = source.getvalue()[:512]
    else:
        try:
            with open(source, "rb") as file:
                start = file.read(512)
        except OSError:
            start = b""
    came = describe_start(start)
    if came is None:  # Pillow says "cannot identify" of anything, with the path
        unknown = isinstance(error, _pillow().UnidentifiedImageError)
        said = f"none of {', '.join(FORMATS)}" if unknown else str(error)
        came = f"{said}: is the file cut off? Copy or convert it again"
    return f"expected an image that can be opened at {name}, got {came}"


def _orientation(opened: Any) -> int:
    """EXIF orientation that is left to apply; 1 if the tag is missing or broken."""
    if opened.format == "TIFF":  # Pillow turns these by itself
        return 1
    try:
        # Not the PNG reader's own `getexif`, which decodes the image to see what follows.
        value = _pillow().Image.getexif(opened).get(ORIENTATION, 1)
    except Exception:  # broken EXIF data, which ms-swift never looks at
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _shrunk(image: Any, long_side: int | None) -> Any:
    if long_side is not None:
        image.thumbnail((long_side, long_side))
    return image
