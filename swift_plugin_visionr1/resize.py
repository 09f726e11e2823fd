"""How ms-swift and a model's own processor turn an image's size into what the vision tower is fed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .coords import Size, View

MAX_ASPECT_RATIO = 200


class Resize(Protocol):
    """A model family's rule, with the run's limits."""

    def view(self, size: Size) -> View:
        """What the model sees of an image of `size` (width, height) in pixels.

        Raises:
            ValueError: no processor of the family takes such an image.
        """
        ...

    def describe(self) -> str:
        """The rule in words, for logs and reports."""
        ...


def smart_resize(size: Size, factor: int, min_pixels: int, max_pixels: int) -> Size:
    """Qwen2-VL's resize rule: sides become multiples of `factor`, the area goes into [min_pixels, max_pixels].

    Args:
        size: (width, height) of the image in pixels.
        factor: patch size times merge size; 28 for Qwen2.5-VL.

    Returns:
        (width, height) of the processed image.

    Raises:
        ValueError: a side is below 1 pixel, or one side is more than 200 times the other.
    """
    width, height = size
    if min(size) < 1 or max(size) > MAX_ASPECT_RATIO * min(size):
        raise ValueError(
            f"expected an image with sides of at least 1 pixel and an aspect ratio of at most {MAX_ASPECT_RATIO}, "
            f"got {width} x {height}: Qwen-VL processors refuse it, leave the image out"
        )
    w, h = (max(factor, round(side / factor) * factor) for side in size)
    if w * h > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        w, h = (math.floor(side / shrink / factor) * factor for side in size)
    elif w * h < min_pixels:
        grow = math.sqrt(min_pixels / (width * height))
        w, h = (math.ceil(side * grow / factor) * factor for side in size)
    if not w or not h:
        raise ValueError(
            f"expected room for one visual token a side within {max_pixels} pixels, got {width} x {height}: "
            "allow more pixels or leave it out"
        )
    return w, h


@dataclass(frozen=True)
class QwenResize:
    """How ms-swift turns an image's size into the processed size of a Qwen2-VL / Qwen2.5-VL model.

    Attributes:
        max_pixels: ms-swift's own `--max_pixels`; None is no limit. It rescales before smart_resize does.
        min_tokens: least number of visual tokens, each `factor` x `factor` pixels (`IMAGE_MIN_TOKEN_NUM`).
        max_tokens: greatest number of visual tokens (`IMAGE_MAX_TOKEN_NUM`).
        factor: pixels along one side of a visual token.
    """

    max_pixels: int | None = None
    min_tokens: int = 4
    max_tokens: int = 16384
    factor: int = 28

    def __post_init__(self) -> None:
        if not 1 <= self.min_tokens <= self.max_tokens:
            raise ValueError(
                f"expected 1 <= MIN_PIXELS <= MAX_PIXELS in visual tokens of {self.factor**2} pixels, "
                f"got {self.min_tokens} and {self.max_tokens}"
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], max_pixels: int | None = None) -> "QwenResize":
        """Read what ms-swift reads: `IMAGE_MAX_TOKEN_NUM`, else `MAX_PIXELS` // 784, and the same for MIN."""

        def tokens(bound: str, default: int) -> int:
            explicit, pixels = environ.get(f"IMAGE_{bound}_TOKEN_NUM"), environ.get(f"{bound}_PIXELS")
            if explicit:
                return _integer(f"IMAGE_{bound}_TOKEN_NUM", explicit)
            return _integer(f"{bound}_PIXELS", pixels) // cls.factor**2 if pixels else default

        return cls(max_pixels, tokens("MIN", cls.min_tokens), tokens("MAX", cls.max_tokens))

    def view(self, size: Size) -> View:
        """Nothing is padded; raises as `smart_resize`."""
        return View(size, self.processed_size(size))

    def describe(self) -> str:
        """Limits in pixels and in visual tokens."""
        limit = "no max_pixels" if self.max_pixels is None else f"max_pixels {self.max_pixels}"
        return (
            f"images processed with {limit}, {self.min_tokens} to {self.max_tokens} visual tokens of {self.factor} x "
            f"{self.factor} pixels"
        )

    def processed_size(self, size: Size) -> Size:
        """(width, height) in pixels of what the vision tower is fed for an image of `size` (width, height).

        Raises:
            ValueError: as `smart_resize`.
        """
        width, height = size
        if self.max_pixels and self.max_pixels > 0 and width * height > self.max_pixels:
            ratio = width / height
            scaled = math.sqrt(self.max_pixels / ratio)
            size = int(scaled * ratio), int(scaled)
        area = self.factor**2
        return smart_resize(size, self.factor, self.min_tokens * area, self.max_tokens * area)


def _integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"expected a whole number in the environment variable {name}, got {value!r}") from None
