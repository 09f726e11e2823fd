"""The headers of the images of many samples, read by several processes, in order."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import Any

from ..data.image_headers import read_each
from ..data.images import Header
from ..errors import ImageError
from .sample import Sample

EACH = 512  # images that a process takes at a time
AHEAD = 4  # such parts for each process that wait to be used

Read = list[Header | ImageError]


def with_headers(
    samples: Iterable[Sample], workers: int
) -> Iterator[tuple[Sample, Header | ImageError]]:
    """Each sample with what its image's header says, or why it cannot be read.

    Args:
        samples: with their images' paths.
        workers: processes; 1 reads in this one.
    """
    parts = _parts(iter(samples))
    if workers <= 1:
        for part in parts:
            yield from zip(part, read_each([sample.image for sample in part]), strict=True)
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting: deque[tuple[list[Sample], Future[Read] | Read]] = deque()
        for part in parts:
            waiting.append((part, _ask(part, pool)))
            if len(waiting) > AHEAD * workers:
                yield from _answer(*waiting.popleft())
        while waiting:
            yield from _answer(*waiting.popleft())


def _parts(samples: Iterator[Sample]) -> Iterator[list[Sample]]:
    while part := list(islice(samples, EACH)):
        yield part


def _ask(part: list[Sample], pool: ProcessPoolExecutor) -> Future[Read] | Read:
    images: list[Any] = [sample.image for sample in part]
    if all(isinstance(image, str) for image in images):
        return pool.submit(read_each, images)
    return read_each(images)  # images inside of rows are not sent around


def _answer(
    part: list[Sample], headers: Future[Read] | Read
) -> Iterator[tuple[Sample, Header | ImageError]]:
    read = headers if isinstance(headers, list) else headers.result()
    return zip(part, read, strict=True)
