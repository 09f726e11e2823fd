"""Whether the images that rows name can be trained on; the header of every one is read."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ImageError
from ..geometry.frames import Size
from ..text import listed
from .image_headers import read_headers
from .images import Header

UPRIGHT = "`vision-r1 upright` writes copies that are turned"
UNREADABLE = ("missing", "empty", "unreadable", "too_large")
UNUSABLE = (*UNREADABLE, "wrong_size", "exif_size")  # for training
WORDS = {
    "missing": "missing",
    "empty": "empty",
    "unreadable": "unreadable",
    "too_large": "too large",
    "wrong_size": "of another size than annotated",
    "exif_size": "annotated in the size after an EXIF rotation",
    "deep": "with more than 8 bits a channel, which ms-swift clips to white: save them with 8 bits",
    "exif": "with an EXIF rotation, which ms-swift does not apply: the model sees them turned. "
    f"Were their boxes drawn on what a viewer shows? Then {UPRIGHT}",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with an image.

    Attributes:
        index: of its row.
        code: one of `WORDS`.
        text: what was expected, what came, what to do.
    """

    index: int
    code: str
    text: str


def image_faults(images: Iterable[Any], sizes: Sequence[Size | None]) -> list[Fault]:
    """What is wrong with each row's image, in the rows' order. URLs are not looked at.

    Shows its progress on stderr if it takes more than a few seconds.

    Args:
        images: one per row, as `read_headers` takes them.
        sizes: (width, height) in pixels that each row gives; None if it gives no size.
    """
    headers = read_headers(images, len(sizes))
    checked = (
        fault_of(index, header, size)
        for index, (header, size) in enumerate(zip(headers, sizes, strict=True))
    )
    return [fault for fault in checked if fault]


def fault_of(index: int, header: Header | ImageError, size: Size | None) -> Fault | None:
    """What is wrong with an image; None if nothing is, or if it is not on this machine.

    Args:
        index: of its row.
        header: as `read_headers` gives it.
        size: (width, height) in pixels that the row gives; None if it gives no size.
    """
    if isinstance(header, ImageError):
        return None if header.code == "elsewhere" else Fault(index, header.code, str(header))
    if size is not None and size != header.size:
        return _size_fault(index, header, size)
    if header.is_deep:
        return Fault(index, "deep", f"mode {header.mode}")
    if header.orientation != 1:
        return Fault(index, "exif", f"EXIF orientation {header.orientation}")
    return None


def _size_fault(index: int, header: Header, size: Size) -> Fault:
    (width, height), came = header.size, f"got {size[0]} x {size[1]}"
    expected = (
        f"expected width and height to be those of the image file, {width} x {height}, {came}"
    )
    if size == header.shown_size:
        text = (
            f"{expected}, the size after the EXIF rotation (orientation {header.orientation}), "
            f"which ms-swift does not apply: {UPRIGHT}"
        )
        return Fault(index, "exif_size", text)
    return Fault(index, "wrong_size", f"{expected}: boxes belong to the original image")


def require_usable(
    faults: Sequence[Fault],
    total: int,
    place: Callable[[int], str],
    unusable: Sequence[str] = UNUSABLE,
) -> list[str]:
    """What to warn of in images that can be used.

    Args:
        faults: of the images.
        total: how many images there are.
        place: where the row of an index stands.
        unusable: the codes that are errors; the others are warned of.

    Raises:
        ImageError: some cannot be used; counts all, describes the first and names the next ones.
    """
    bad = [fault for fault in faults if fault.code in unusable]
    if not bad:
        return _warnings(faults, total, place)
    text = f"{place(bad[0].index)}: {bad[0].text}"
    if len(bad) > 1:
        counts = Counter(WORDS[fault.code] for fault in bad)
        kinds = ", ".join(f"{count} {what}" for what, count in counts.most_common())
        also = listed((place(fault.index) for fault in bad[1:4]), most=3)
        more = f" and {len(bad) - 4} more" if len(bad) > 4 else ""
        text += f". {len(bad)} of {total} images cannot be used ({kinds}), also {also}{more}"
    raise ImageError(text, bad[0].code)


def _warnings(faults: Sequence[Fault], total: int, place: Callable[[int], str]) -> list[str]:
    warnings = []
    for code, words in WORDS.items():
        some = [fault for fault in faults if fault.code == code]
        if some:
            first = f"the first is {place(some[0].index)}: {some[0].text}"
            warnings.append(f"{len(some)} of {total} images are {words}; {first}")
    return warnings
