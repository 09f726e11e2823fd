"""Output: whole or not at all, one writer at a time, never over an input."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import InputError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
SCRATCH = ".vision-r1-writing"
BLOCK = 1 << 20  # bytes that are hashed at a time
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of file systems without locks


def encode(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which a model may write, becomes an escape."""
    return text.encode("utf-8", "backslashreplace")


def check_output(out: Path, inputs: Iterable[Path | str | None], folder: bool = False) -> None:
    """Make sure that writing `out` touches no input.

    Args:
        inputs: paths; those that do not exist, such as a hub's id, and None are passed over.
        folder: whether `out` is a folder.

    Raises:
        InputError: `out` is an input, or a file instead of a folder or vice versa.
    """
    if out.exists() and out.is_dir() != folder:
        wanted, came = ("folder", "file") if folder else ("file", "folder")
        raise InputError(
            f"expected --out to be a {wanted}, got the {came} {out}: give another --out"
        )
    target = out.resolve()
    for given in inputs:
        if given is None or not os.path.exists(given):
            continue
        path = Path(given).resolve()
        if path == target or (out.exists() and out.samefile(path)):
            raise InputError(f"expected --out beside the input, got {out} for both: give another")


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file, which keeps its old content until all of the new one is on the disk.

    Raises:
        InputError: another process is writing it.
        OSError: it cannot be written.
    """
    path, data = path.resolve(), encode(content) if isinstance(content, str) else content
    if path.exists() and not path.is_file():  # a pipe, for example; OSError for a folder
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with _open_locked(beside) as file:
        try:
            file.truncate(0)
            file.write(data)
            sync(file)
            if fcntl is None:
                file.close()  # Windows replaces no open file
            os.replace(beside, path)
        except OSError as error:
            raise _unwritten(error, path) from None
        finally:
            beside.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The hash of the file's content."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sync(file: BinaryIO) -> None:
    """Flush the file's content to disk, so that no crash leaves an empty file of its name."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """The open file that holds the folder's lock; a process that inherits it holds the lock too.

    The folder is made, and goes away again where nothing was written into it.

    Raises:
        InputError: another process holds the lock.
        OSError: nothing can be written there.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    try:
        with _open_locked(lock) as file:
            try:
                yield file.fileno()
            finally:
                if not os.fstat(file.fileno()).st_size:  # else it is somebody's file of that name
                    lock.unlink(missing_ok=True)
    finally:
        with suppress(OSError):
            for path in made:
                path.rmdir()


@contextmanager
def scratch_of(folder: Path) -> Iterator[Path]:
    """An empty folder inside a locked one, gone after the block; what a killed run left goes first.

    Raises:
        OSError: the disk is full, for example; says that what `folder` had is still there.
    """
    scratch = folder / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        scratch.mkdir()
        yield scratch
    except OSError as error:
        raise _unwritten(error, folder) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unwritten(error: OSError, path: Path) -> OSError:
    reason = f"{error.strerror} ({error.filename or path})" if error.strerror else str(error)
    return OSError(
        f"expected to write {path}, got: {reason}; what was there before is unchanged: fix the "
        "cause and run the same command again"
    )


@contextmanager
def _open_locked(path: Path) -> Iterator[BinaryIO]:
    """The file, opened to append and locked. A link is not followed."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        with open(os.open(path, flags, 0o666), "r+b") as file:
            _lock(file.fileno(), path)
            # The process that held the lock may have removed or renamed the file meanwhile.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield file
                return


def _lock(descriptor: int, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"expected no other writer in {path.parent}, got a run that is still at work, or the "
            "`swift` that a killed one left behind: wait for it or end it, then run the same "
            "command again"
        ) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
