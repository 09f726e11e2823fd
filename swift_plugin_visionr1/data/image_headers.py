"""The headers of many images, read in threads."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

from ..errors import ImageError
from ..progress import show_progress
from .images import Header, read_header

THREADS = 16  # they hide the latency of a network disk; for a local one a single thread would do
EACH = 64  # images that a thread takes at a time
AT_ONCE = 1024  # rows may hold their images as bytes: only so many are in memory


def read_headers(images: Iterable[Any], total: int | None = None) -> Iterator[Header | ImageError]:
    """What each image's header says, in order: a `Header` (`size` as stored, `orientation` of EXIF,
    `mode`), or the `ImageError` that says why it cannot be read (`code`, message).

    A path that occurs many times is opened once for each run of rows that name it.

    Args:
        images: as rows have them: paths, bytes, base64, mappings of `bytes` and `path`.
        total: how many they are, to show progress on stderr if they take more than a few seconds.
    """
    headers = _read_all(iter(images))
    if total is None:
        return headers
    return show_progress(headers, total, sys.stderr, verb="read", noun="image headers")


def _read_all(images: Iterator[Any]) -> Iterator[Header | ImageError]:
    known: dict[Any, Header | ImageError] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        while some := list(islice(images, AT_ONCE)):
            new = [image for image in dict.fromkeys(filter(_is_path, some)) if image not in known]
            shares = [new[start : start + EACH] for start in range(0, len(new), EACH)]
            read = chain.from_iterable(pool.map(read_each, shares))
            known |= zip(new, read, strict=True)
            for image in some:
                yield known[image] if _is_path(image) else _read(image)


def _is_path(image: Any) -> bool:
    return isinstance(image, str) and len(image) < AT_ONCE


def read_each(images: Sequence[Any]) -> list[Header | ImageError]:
    """What each image's header says, or why it cannot be read."""
    return [_read(image) for image in images]


def _read(image: Any) -> Header | ImageError:
    try:
        return read_header(image)
    except ImageError as error:
        return error
