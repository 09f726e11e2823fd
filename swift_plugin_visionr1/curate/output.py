"""What `vision-r1 prepare` writes: all of it, or nothing."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, TextIO

from ..data.images import LONGEST_PATH, local_image, save_upright
from ..errors import SolutionError
from ..text import short
from ..writing import check_output, locked, scratch_of
from .parquet import write_parquet

IMAGES = "images"


@dataclass(frozen=True)
class WrittenDataset:
    """What was written.

    Attributes:
        rows: one per image, or one per row that was read.
        boxes: of all rows.
        unused: categories that are asked for and have no box.
        thin: boxes that are in no answer because they are thinner than the format's grid.
        question: what is asked about each image; of rows with questions of their own the first.
        left_out: reason -> ids of the annotations that are in no row.
        clipped: reason -> the annotations, or the numbers of the rows, whose boxes were cut off at
            the border of their image.
        changes: what the reader of the annotations mended or left out, counted, in words.
        notes: what else is unusual, in words.
    """

    rows: int
    boxes: int
    unused: tuple[str, ...]
    thin: int
    question: str
    left_out: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    clipped: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """A file of rows that is being written, in a folder that goes away if that fails.

    Attributes:
        lines: the rows' file.
        scratch: that folder.
        folder: where images will lie that rows hold as bytes.
    """

    lines: TextIO
    scratch: Path
    folder: Path

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row.

        Raises:
            SolutionError: it holds a value that JSON does not have.
        """
        try:
            line = json.dumps(row)
        except TypeError as error:
            raise SolutionError(
                f"expected columns of text, numbers and lists of them: {error}"
            ) from None
        self.lines.write(f"{line}\n")

    def keep_image(self, image: Any, turned: bool = False) -> str:
        """Where ms-swift finds an image, whatever folder it is started in: a path, a URL or base64.

        Bytes become a file beside the rows; equal images share one.

        Args:
            image: as `local_image` takes it.
            turned: whether to write a copy whose EXIF rotation is applied.

        Raises:
            SolutionError: it is no image that a row can hold.
            ImageError: it cannot be read.
        """
        if turned:
            name = hashlib.sha256(repr(image).encode()).hexdigest()[:32] + _suffix(image)
            save_upright(image, self.scratch / IMAGES / name)
            return str(self.folder / name)
        source = local_image(image)
        if isinstance(source, Path):
            return str(source.absolute())
        if isinstance(source, BytesIO) and not isinstance(image, str):
            name = hashlib.sha256(source.getvalue()).hexdigest()[:32] + _suffix(image)
            (self.scratch / IMAGES / name).write_bytes(source.getvalue())
            return str(self.folder / name)
        path = image.get("path") if isinstance(image, Mapping) else image
        if not isinstance(path, str):
            raise SolutionError(f"expected an image's path, URL or base64, got {short(image)}")
        return path


def _suffix(image: Any) -> str:
    path = image.get("path") if isinstance(image, Mapping) else image
    suffix = Path(path).suffix if isinstance(path, str) and len(path) < LONGEST_PATH else ""
    return suffix or ".png"


@contextmanager
def output(out: Path, inputs: Iterable[Path | None]) -> Iterator[Output]:
    """Rows that are at `out` once the block has ended without an error; images beside it, in
    `NAME_images`.

    Raises:
        InputError: `out` is an input or a folder, or another process is writing it.
        OSError: nothing can be written there.
    """
    check_output(out, inputs)
    out = out.resolve()  # a link stays one
    folder = out.with_name(f"{out.stem}_images")
    beside = out.with_name(f".{out.name}.new")
    with _removed(beside), locked(beside), scratch_of(beside) as scratch:
        (scratch / IMAGES).mkdir()
        with (scratch / out.name).open("w", encoding="utf-8") as lines:
            yield Output(lines, scratch, folder)
            lines.flush()
            os.fsync(lines.fileno())
        if out.suffix == ".parquet":
            write_parquet(scratch / out.name)
        for image in (scratch / IMAGES).iterdir():
            folder.mkdir(exist_ok=True)
            os.replace(image, folder / image.name)
        os.replace(scratch / out.name, out)


@contextmanager
def _removed(folder: Path) -> Iterator[None]:
    """Remove the folder after the block, even one left by a killed run, but not while in use."""
    try:
        yield
    finally:
        with suppress(OSError):
            folder.rmdir()
