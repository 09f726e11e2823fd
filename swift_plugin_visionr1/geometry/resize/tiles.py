"""Rules that cut an image into tiles: it is stretched over a grid of them, so nothing is padded.

A small copy of the whole image goes in as well; that changes no coordinate and is left out here.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from ..frames import Size, View
from .base import Resize, checked

Grid = tuple[int, int]  # (columns, rows)


@dataclass(frozen=True)
class TileResize(Resize):
    """InternVL's dynamic tiles: the grid whose shape is nearest to the image's.

    Attributes:
        side: of a tile in pixels; ms-swift's INPUT_SIZE.
        most: greatest number of tiles; ms-swift's MAX_NUM, or the processor's max_patches.
        least: least number of tiles.
    """

    side: int = 448
    most: int = 12
    least: int = 1

    def __post_init__(self) -> None:
        if self.side < 1 or not 1 <= self.least <= self.most:
            raise ValueError(
                f"expected tiles of at least 1 pixel and at least 1 of them, got {self.least} to "
                f"{self.most} tiles of {self.side} pixels: see INPUT_SIZE and MAX_NUM"
            )

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        columns, rows = self._grid(checked(size))
        return View(size, (columns * self.side, rows * self.side))

    def describe(self) -> str:
        """The tiles."""
        return (
            f"images stretched over {self.least} to {self.most} tiles of {self.side} x "
            f"{self.side} pixels"
        )

    def _grid(self, size: Size) -> Grid:
        width, height = size
        best, least = (1, 1), math.inf
        for columns, rows in _grids(self.least, self.most):
            difference = abs(width / height - columns / rows)
            # Of grids of the same shape take the larger one, unless the image would fill less than
            # half of it.
            fills = 2 * width * height > self.side**2 * columns * rows
            if difference < least or (difference == least and fills):
                best, least = (columns, rows), difference
        return best


@dataclass(frozen=True)
class SliceResize(Resize):
    """MiniCPM-V's slices: about as many as the image has areas of `resolution` x `resolution`
    pixels.

    Attributes:
        most: greatest number of slices; ms-swift's MAX_SLICE_NUMS, or the processor's
            max_slice_nums.
        resolution: the root of a slice's area in pixels.
        multiple: a slice's sides are multiples of this.
    """

    most: int = 9
    resolution: int = 448
    multiple: int = 14

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError(f"expected at least 1 slice, got {self.most}: see MAX_SLICE_NUMS")

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        width, height = checked(size)
        columns, rows = self._grid(size)
        w, h = _to_multiple(width, columns) / columns, _to_multiple(height, rows) / rows
        slice_height = int(self.resolution / math.sqrt(w / h))
        slice_width = int(slice_height * (w / h))
        return View(
            size,
            (
                _to_multiple(slice_width, self.multiple) * columns,
                _to_multiple(slice_height, self.multiple) * rows,
            ),
        )

    def describe(self) -> str:
        """The slices."""
        return (
            f"images stretched over at most {self.most} slices of about {self.resolution} x "
            f"{self.resolution} pixels, sides in multiples of {self.multiple}"
        )

    def _grid(self, size: Size) -> Grid:
        width, height = size
        number = min(math.ceil(width * height / self.resolution**2), self.most)
        if number <= 1:
            return 1, 1
        grids = [
            (columns, count // columns)
            for count in (number - 1, number, number + 1)
            if 1 < count <= self.most
            for columns in range(1, count + 1)
            if count % columns == 0
        ]
        shape = math.log(width / height)
        return min(grids, key=lambda grid: abs(shape - math.log(grid[0] / grid[1])))


@lru_cache
def _grids(least: int, most: int) -> list[Grid]:
    grids = [
        (columns, rows) for columns in range(1, most + 1) for rows in range(1, most // columns + 1)
    ]
    return sorted(
        (grid for grid in grids if grid[0] * grid[1] >= least), key=lambda grid: grid[0] * grid[1]
    )


def _to_multiple(length: float, divisor: int) -> int:
    return max(round(length / divisor) * divisor, divisor)
