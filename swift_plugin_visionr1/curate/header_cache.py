"""Image headers that earlier runs have read, so that the next run opens new and changed files only.

A file is unchanged if its size, its inode and its times of change are. `ctime` moves at every
change, whatever time a copying program gives the file.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ..data.images import Header

SETTLED = 2.0  # seconds after which a further change of a file is sure to move its time
AT_ONCE = 20_000  # headers that are written together
TOGETHER = 512  # headers that are looked up together: SQLite takes up to 999 values
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS headers (path TEXT PRIMARY KEY, state TEXT, width INTEGER, "
    "height INTEGER, orientation INTEGER, mode TEXT) WITHOUT ROWID"
)


def cache_file() -> Path:
    """Where headers are kept between runs."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(folder) / "swift-plugin-visionr1" / "image_headers.sqlite"


class HeaderCache:
    """Headers by path. One that cannot be read or written is not used; the run only takes longer.

    Args:
        database: an open connection; None for no cache.
    """

    def __init__(self, database: Any) -> None:
        self.database = database
        self.waiting: list[tuple[Any, ...]] = []

    def get(self, images: Sequence[Any]) -> tuple[list[Header | None], list[str]]:
        """The headers that are known, and the state of each file for `add`; "" for none."""
        if self.database is None:
            return [None] * len(images), [""] * len(images)
        states = list(map(_state, images))
        stored = self._stored([image for image, state in zip(images, states, strict=True) if state])
        known = [
            Header((row[2], row[3]), row[4], row[5])
            if state and (row := stored.get(image)) and row[1] == state
            else None
            for image, state in zip(images, states, strict=True)
        ]
        return known, states

    def _stored(self, paths: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """The rows of these paths."""
        rows: list[tuple[Any, ...]] = []
        with self._trying():
            for start in range(0, len(paths), TOGETHER):
                some = paths[start : start + TOGETHER]
                query = f"SELECT * FROM headers WHERE path IN ({', '.join('?' * len(some))})"
                rows += self.database.execute(query, some).fetchall()
        return {row[0]: row for row in rows}

    def add(self, path: Any, state: str, header: Header) -> None:
        """Keep a header that was read after the state was."""
        if state:
            self.waiting.append((path, state, *header.size, header.orientation, header.mode))
            if len(self.waiting) >= AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Write what was added."""
        if self.database is not None and self.waiting:
            with self._trying(), self.database:
                query = "INSERT OR REPLACE INTO headers VALUES (?, ?, ?, ?, ?, ?)"
                self.database.executemany(query, self.waiting)
        self.waiting = []

    @contextmanager
    def _trying(self) -> Iterator[None]:
        try:
            yield
        except _errors():
            self.database = None


def _state(path: Any) -> str:
    """What changes whenever the file does; "" if that cannot be told."""
    if not isinstance(path, str):
        return ""
    try:
        of = os.stat(path)
    except (OSError, ValueError):
        return ""
    if time.time() - max(of.st_mtime, of.st_ctime) < SETTLED:
        return ""
    return f"{of.st_size} {of.st_mtime_ns} {of.st_ctime_ns} {of.st_dev} {of.st_ino}"


def _errors() -> tuple[type[Exception], ...]:
    import sqlite3

    return (sqlite3.Error,)


@contextmanager
def open_cache() -> Iterator[HeaderCache]:
    """The cache of this user; an empty one where none can be written."""
    try:
        import sqlite3
    except ImportError:  # Python can be built without it
        yield HeaderCache(None)
        return
    file = cache_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(file, timeout=1)
        database.execute(SCHEMA)
    except (OSError, sqlite3.Error):
        yield HeaderCache(None)
        return
    with closing(database):
        cache = HeaderCache(database)
        try:
            yield cache
        finally:
            cache.flush()
