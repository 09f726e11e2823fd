"""Rules that keep the image's shape: sides become multiples of a factor, the area goes into given
bounds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..frames import Size, View
from .base import Resize, checked, rescale, whole_number

MAX_ASPECT_RATIO = 200
MERGE_SIZE = 2  # patches along one side of a visual token


def smart_resize(size: Size, factor: int, min_pixels: int, max_pixels: int) -> Size:
    """Qwen2-VL's resize rule, as qwen_vl_utils has it, which ms-swift calls.

    Args:
        size: (width, height) of the image in pixels.
        factor: patch size times merge size; 28 for Qwen2.5-VL.
        min_pixels: least area of the processed image.
        max_pixels: its greatest area.

    Returns:
        (width, height) of the processed image.

    Raises:
        ValueError: a side is below 1 pixel, one side is more than 200 times the other, or no side
            of one token is left.
    """
    return fit(_not_too_long(size), factor, min_pixels, max_pixels)


def fit(size: Size, factor: int, min_pixels: float, max_pixels: float, least: int = 0) -> Size:
    """Round the sides of `size` to multiples of `factor`, then shrink or grow the image into the
    bounds.

    Args:
        size: (width, height) in pixels, both at least 1.
        factor: pixels along one side of a visual token.
        min_pixels: least area of the result.
        max_pixels: its greatest area.
        least: the smallest length to which a side may shrink.

    Raises:
        ValueError: a side shrinks to nothing.
    """
    width, height = size
    w, h = (max(factor, round(side / factor) * factor) for side in size)
    if w * h > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        w, h = (max(least, math.floor(side / shrink / factor) * factor) for side in size)
    elif w * h < min_pixels:
        grow = math.sqrt(min_pixels / (width * height))
        w, h = (math.ceil(side * grow / factor) * factor for side in size)
    if not w or not h:
        raise ValueError(
            f"expected room for one visual token a side within {max_pixels} pixels, got {width} x "
            f"{height}: allow more pixels or leave it out"
        )
    return w, h


@dataclass(frozen=True)
class QwenResize(Resize):
    """How ms-swift turns an image's size into the processed size of a Qwen2-VL, Qwen2.5-VL or
    Qwen3-VL model.

    The checkpoint's own min_pixels and max_pixels are ignored: ms-swift resizes with qwen_vl_utils
    and tells the processor not to.

    Attributes:
        max_pixels: ms-swift's own `--max_pixels`; None for no limit. It applies before
            smart_resize.
        min_tokens: least number of visual tokens, each `factor` x `factor` pixels
            (`IMAGE_MIN_TOKEN_NUM`).
        max_tokens: greatest number of visual tokens (`IMAGE_MAX_TOKEN_NUM`).
        factor: pixels along one side of a visual token: 28 up to Qwen2.5, 32 from Qwen3 on.
    """

    max_pixels: int | None = None
    min_tokens: int = 4
    max_tokens: int = 16384
    factor: int = 28

    def __post_init__(self) -> None:
        if not 1 <= self.min_tokens <= self.max_tokens:
            raise ValueError(
                f"expected 1 <= MIN_PIXELS <= MAX_PIXELS in visual tokens of {self.factor**2} "
                f"pixels, got {self.min_tokens} and {self.max_tokens}"
            )

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], max_pixels: int | None = None, factor: int = 28
    ) -> "QwenResize":
        """Read what ms-swift reads: `IMAGE_MAX_TOKEN_NUM`, else `MAX_PIXELS` // factor ** 2, and
        the same for MIN.

        Args:
            environ: the run's variables.
            max_pixels: see above.
            factor: see above, for the `SPATIAL_MERGE_SIZE` of 2 that all these models have. With
                another one ms-swift rounds sides to other multiples.
        """
        factor = factor * whole_number(environ, "SPATIAL_MERGE_SIZE", MERGE_SIZE) // MERGE_SIZE

        def tokens(bound: str, default: int) -> int:
            if environ.get(f"IMAGE_{bound}_TOKEN_NUM"):
                return whole_number(environ, f"IMAGE_{bound}_TOKEN_NUM", default)
            if environ.get(f"{bound}_PIXELS"):
                return whole_number(environ, f"{bound}_PIXELS", default) // factor**2
            return default

        return cls(max_pixels, tokens("MIN", cls.min_tokens), tokens("MAX", cls.max_tokens), factor)

    def view(self, size: Size) -> View:
        """Nothing is padded; raises as `smart_resize`."""
        return View(size, self.processed_size(size))

    def describe(self) -> str:
        """Limits in pixels and in visual tokens."""
        limit = "no --max_pixels" if self.max_pixels is None else f"--max_pixels {self.max_pixels}"
        return (
            f"images processed with {limit}, {self.min_tokens} to {self.max_tokens} visual tokens "
            f"of {self.factor} x {self.factor} pixels"
        )

    def processed_size(self, size: Size) -> Size:
        """(width, height) in pixels of what the vision tower is fed for an image of `size` (width,
        height).

        Raises:
            ValueError: as `smart_resize`.
        """
        area = self.factor**2
        scaled = rescale(size, self.max_pixels)
        return smart_resize(scaled, self.factor, self.min_tokens * area, self.max_tokens * area)


@dataclass(frozen=True)
class GlmResize(Resize):
    """GLM-4.1V, GLM-4.5V and GLM-4.6V: their own processor, on an image that is stacked `frames`
    times.

    Attributes:
        min_pixels: least number of pixels of all frames.
        max_pixels: their greatest number.
        factor: pixels along one side of a visual token.
        frames: copies of the image.
    """

    min_pixels: int = 12544
    max_pixels: int = 9633792
    factor: int = 28
    frames: int = 2

    def view(self, size: Size) -> View:
        """See `Resize.view`; an image with a side below `factor` is enlarged first."""
        width, height = checked(size)
        if min(size) < self.factor:
            scale = max(self.factor / height, self.factor / width)
            width, height = int(width * scale), int(height * scale)
        bounds = self.min_pixels / self.frames, self.max_pixels / self.frames
        return View(
            size, fit(_not_too_long((width, height)), self.factor, *bounds, least=self.factor)
        )

    def describe(self) -> str:
        """Limits in pixels."""
        return (
            f"images processed with {self.min_pixels} to {self.max_pixels} pixels in {self.frames} "
            f"frames, sides in multiples of {self.factor}"
        )


@dataclass(frozen=True)
class OvisResize(Resize):
    """Ovis2.5: ms-swift's template takes MIN_PIXELS and MAX_PIXELS, and MAX_PIXELS in place of
    --max_pixels.

    Attributes:
        min_pixels: least area in pixels.
        max_pixels: greatest area in pixels.
        factor: pixels along one side of a visual token.
    """

    min_pixels: int = 448 * 448
    max_pixels: int = 1344 * 1792
    factor: int = 32

    def __post_init__(self) -> None:
        if self.max_pixels < self.factor**2:
            raise ValueError(
                f"expected MAX_PIXELS of at least one visual token, {self.factor**2} pixels, got "
                f"{self.max_pixels}"
            )

    def view(self, size: Size) -> View:
        """See `Resize.view`; a side below `factor` enlarges the image, one over 200 times the other
        is cut to that."""
        width, height = rescale(size, self.max_pixels)
        short, long = min(width, height), max(width, height)
        if short < self.factor:
            short, long = self.factor, round(self.factor / short * long)
        elif long > MAX_ASPECT_RATIO * short:
            long = MAX_ASPECT_RATIO * short
        sides = (short, long) if width < height else (long, short)
        return View(size, fit(sides, self.factor, self.min_pixels, self.max_pixels))

    def describe(self) -> str:
        """Limits in pixels."""
        return (
            f"images processed with {self.min_pixels} to {self.max_pixels} pixels, sides in "
            f"multiples of {self.factor}"
        )


def _not_too_long(size: Size) -> Size:
    if min(size) < 1 or max(size) > MAX_ASPECT_RATIO * min(size):
        raise ValueError(
            "expected an image with sides of at least 1 pixel and an aspect ratio of at most "
            f"{MAX_ASPECT_RATIO}, got {size[0]} x {size[1]}: the model's processor refuses it, "
            "leave the image out"
        )
    return size
