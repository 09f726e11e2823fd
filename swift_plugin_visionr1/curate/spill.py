"""Values that wait on the disk, so that memory does not grow with the size of a source.

The file has no name, so that even a killed run leaves nothing.
"""

import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MOST_WAITING = 1 << 21  # entries of all buckets in memory


class Blobs:
    """Texts or bytes by number, in the order in which they were added."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="vision-r1-")  # noqa: SIM115
        self.starts: list[NDArray[np.int64]] = []
        self.recent: list[int] = []
        self.end = 0
        self.written = 0  # bytes that are on the disk for sure
        self.count = 0

    def add(self, data: bytes) -> None:
        """Append one."""
        self.file.write(data)
        self.recent.append(self.end)
        self.end += len(data)
        self.count += 1
        if len(self.recent) == 1 << 16:
            self._pack()

    def get(self, place: int) -> bytes:
        """The one of that number."""
        self._settle()
        starts = self.starts[0]
        start = int(starts[place])
        end = int(starts[place + 1]) if place + 1 < self.count else self.end
        return os.pread(self.file.fileno(), end - start, start)

    def some(self, first: int, end: int) -> list[bytes]:
        """Those from `first` to before `end`, which are read together."""
        self._settle()
        starts: list[int] = self.starts[0][first : end + 1].tolist()
        if end == self.count:
            starts.append(self.end)
        start = starts[0]
        data = os.pread(self.file.fileno(), starts[-1] - start, start)
        return [data[a - start : b - start] for a, b in pairwise(starts)]

    def _settle(self) -> None:
        """Make all that was added readable."""
        if self.recent:
            self._pack()
        if self.written < self.end:
            self.file.flush()
            self.written = self.end

    def _pack(self) -> None:
        packed = [*self.starts, np.array(self.recent, dtype=np.int64)]
        self.starts, self.recent = [np.concatenate(packed)], []


class Buckets:
    """Rows of a structured array, put together by the number of their bucket.

    Args:
        kind: of the rows.
    """

    def __init__(self, kind: np.dtype[np.void]) -> None:
        self.kind = kind
        self.file = tempfile.TemporaryFile(prefix="vision-r1-")  # noqa: SIM115
        self.waiting: dict[int, list[NDArray[np.void]]] = {}
        self.blocks: dict[int, list[tuple[int, int]]] = {}
        self.count = 0

    def add(self, rows: NDArray[np.void], buckets: NDArray[np.int64]) -> None:
        """Add rows (n,) to the buckets (n,); within a bucket they keep their order."""
        order = np.argsort(buckets, kind="stable")
        numbers, starts = np.unique(buckets[order], return_index=True)
        for number, some in zip(
            numbers.tolist(), np.split(rows[order], starts[1:].tolist()), strict=True
        ):
            self.waiting.setdefault(number, []).append(some)
        self.count += len(rows)
        if self.count > MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what is in memory."""
        for number, parts in self.waiting.items():
            data = np.concatenate(parts)
            self.blocks.setdefault(number, []).append((self.file.tell(), len(data)))
            self.file.write(data.tobytes())
        self.waiting, self.count = {}, 0

    def bucket(self, number: int) -> NDArray[np.void]:
        """The rows of a bucket, in the order in which they came."""
        parts = []
        for start, count in self.blocks.get(number, ()):
            self.file.seek(start)
            parts.append(np.frombuffer(self.file.read(count * self.kind.itemsize), self.kind))
        self.file.seek(0, 2)
        return np.concatenate([*parts, *self.waiting.get(number, ())] or [np.empty(0, self.kind)])


def ranges(count: int, each: int) -> Iterator[tuple[int, int, int]]:
    """(number, start, stop) of parts of `each`."""
    for number, start in enumerate(range(0, count, each)):
        yield number, start, min(start + each, count)
