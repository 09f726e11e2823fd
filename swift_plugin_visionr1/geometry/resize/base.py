"""What every rule of the processed size offers, and ms-swift's own --max_pixels before it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from ..frames import Size, View

# The environment variables that decide what size ms-swift gives an image, over all families.
FRAME_VARIABLES = (
    "MAX_PIXELS",
    "MIN_PIXELS",
    "IMAGE_MAX_TOKEN_NUM",
    "IMAGE_MIN_TOKEN_NUM",
    "MAX_NUM",
    "INPUT_SIZE",
    "MAX_SLICE_NUMS",
    "SPATIAL_MERGE_SIZE",
)


class Resize(Protocol):
    """A model family's rule, with the run's limits."""

    def view(self, size: Size) -> View:
        """What the model sees of an image of `size` (width, height) in pixels.

        Raises:
            ValueError: no processor of the family accepts such an image.
        """
        ...

    def describe(self) -> str:
        """The rule in words, for logs and reports."""
        ...


@dataclass(frozen=True)
class Rescaled(Resize):
    """ms-swift's --max_pixels, which makes larger images smaller before the family's own rule sees
    them.

    Attributes:
        max_pixels: the greatest area in pixels.
        then: the family's own rule.
    """

    max_pixels: int
    then: Resize

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        return replace(self.then.view(rescale(size, self.max_pixels)), size=size)

    def describe(self) -> str:
        """Both rules."""
        return f"{self.then.describe()}, after max_pixels {self.max_pixels}"


def rescale(size: Size, max_pixels: int | None) -> Size:
    """(width, height) of an image of `size` after ms-swift's --max_pixels; None, zero and less mean
    no limit.

    Raises:
        ValueError: nothing is left of one side.
    """
    width, height = checked(size)
    if not max_pixels or max_pixels < 0 or width * height <= max_pixels:
        return size
    ratio = width / height
    scaled = math.sqrt(max_pixels / ratio)
    return checked(
        (int(scaled * ratio), int(scaled)), f"{width} x {height} rescaled to {max_pixels} pixels"
    )


def checked(size: Size, what: str = "") -> Size:
    """`size`, if both sides have at least one pixel.

    Raises:
        ValueError: a side has none; the message names the image by `what`, or else by its size.
    """
    if min(size) < 1:
        raise ValueError(
            "expected an image with sides of at least 1 pixel, got "
            f"{what or f'{size[0]} x {size[1]}'}: no processor accepts it, leave the image out"
        )
    return size


def whole_number(environ: Mapping[str, str], name: str, default: int) -> int:
    """The environment variable `name`, or `default` if it is not set.

    Raises:
        ValueError: it is not a whole number.
    """
    value = environ.get(name)
    if value is None:
        return default
    try:
        return int(value)
    except ValueError:
        raise ValueError(
            f"expected a whole number in the environment variable {name}, got {value!r}"
        ) from None
