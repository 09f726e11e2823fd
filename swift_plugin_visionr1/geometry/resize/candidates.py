"""DeepSeek-VL2's rule: the best of given resolutions, with padding around the image."""

from dataclasses import dataclass

from ..frames import Size, View
from .base import Resize, checked

SIDE, MOST = 384, 9
CANDIDATES = tuple(
    (columns * SIDE, rows * SIDE)
    for columns in range(1, MOST + 1)
    for rows in range(1, MOST // columns + 1)
)


@dataclass(frozen=True)
class CandidateResize(Resize):
    """The candidate that keeps most of the image's pixels; of those, the smallest.

    It is filled as far as the image's shape allows, and the image lies in its middle. That is how
    one or two images are processed; three and more in one prompt get a square each.

    Attributes:
        candidates: (width, height) in pixels of each.
    """

    candidates: tuple[Size, ...] = CANDIDATES

    def view(self, size: Size) -> View:
        """See `Resize.view`."""
        checked(size)
        width, height = max(self.candidates, key=lambda one: (_kept(size, one), -one[0] * one[1]))
        w, h = _inside(size, (width, height))
        if not w or not h:
            raise ValueError(
                f"expected an image that is still seen within {width} x {height} pixels, got "
                f"{size[0]} x {size[1]}: leave it out"
            )
        x, y = round((width - w) * 0.5), round((height - h) * 0.5)
        return View(size, (width, height), (x, y, x + w, y + h))

    def describe(self) -> str:
        """How many candidates there are."""
        longest = max(max(one) for one in self.candidates)
        return (
            f"images padded to the best of {len(self.candidates)} sizes with sides of up to "
            f"{longest} pixels"
        )


def _kept(size: Size, candidate: Size) -> int:
    """How many of the image's pixels the candidate can show."""
    scale = min(candidate[0] / size[0], candidate[1] / size[1])
    return min(int(size[0] * scale) * int(size[1] * scale), size[0] * size[1])


def _inside(size: Size, candidate: Size) -> Size:
    """(width, height) of the image scaled to fit the candidate, as in Pillow's ImageOps.contain."""
    (width, height), (most_wide, most_high) = size, candidate
    if width / height > most_wide / most_high:
        return most_wide, round(height / width * most_wide)
    if width / height < most_wide / most_high:
        return round(width / height * most_high), most_high
    return candidate
