"""What `vision-r1 prepare` writes: all of it, or nothing."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ..data.box_faults import TOLERANCE
from ..errors import SolutionError
from ..writing import check_output, locked, scratch_of
from .parquet import write_parquet

IMAGES = "images"
LOOSE = f"boxes that left their image by up to {TOLERANCE:g} pixels"


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

    def add_image(self, data: bytes, suffix: str) -> str:
        """Write an image's file; returns its final path. Equal images share one file."""
        name = hashlib.sha256(data).hexdigest()[:32] + suffix
        (self.scratch / IMAGES / name).write_bytes(data)
        return str(self.folder / name)


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
