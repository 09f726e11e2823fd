"""The headers of the images of many samples, read by several processes, in order."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import Any, NamedTuple

from ..data.image_headers import read_each
from ..data.images import Header
from ..errors import ImageError
from .header_cache import HeaderCache, open_cache
from .sample import Sample

EACH = 512  # images that a process takes at a time
AHEAD = 4  # such parts for each process that wait to be used

Read = list[Header | ImageError]


class _Part(NamedTuple):
    """Some samples, the headers that are known, and the states of the files of all; and the headers
    that are not known yet."""

    samples: list[Sample]
    known: list[Header | None]
    states: list[str]
    asked: Future[Read] | Read


def with_headers(
    samples: Iterable[Sample], workers: int
) -> Iterator[tuple[Sample, Header | ImageError]]:
    """Each sample with what its image's header says, or why it cannot be read.

    Args:
        samples: with their images' paths.
        workers: processes; 1 reads in this one.
    """
    rest, waiting = iter(samples), deque[_Part]()
    with ExitStack() as stack:
        cache = stack.enter_context(open_cache())
        pool = stack.enter_context(ProcessPoolExecutor(workers)) if workers > 1 else None
        while some := list(islice(rest, EACH)):
            waiting.append(_ask(some, cache, pool))
            if pool is None or len(waiting) > AHEAD * workers:
                yield from _answer(waiting.popleft(), cache)
        while waiting:
            yield from _answer(waiting.popleft(), cache)


def _ask(samples: list[Sample], cache: HeaderCache, pool: ProcessPoolExecutor | None) -> _Part:
    images: list[Any] = [sample.image for sample in samples]
    known, states = cache.get(images)
    new = [image for image, header in zip(images, known, strict=True) if header is None]
    if new and pool is not None and all(isinstance(image, str) for image in new):
        return _Part(samples, known, states, pool.submit(read_each, new))
    return _Part(samples, known, states, read_each(new))  # images in rows are not sent around


def _answer(part: _Part, cache: HeaderCache) -> Iterator[tuple[Sample, Header | ImageError]]:
    read = iter(part.asked if isinstance(part.asked, list) else part.asked.result())
    for sample, known, state in zip(part.samples, part.known, part.states, strict=True):
        header = known or next(read)
        if known is None and isinstance(header, Header):
            cache.add(sample.image, state, header)
        yield sample, header
