"""The rows of a file, numbered from 1: the one reader of JSON lines.

JSON lines are UTF-8 with or without a byte order mark, and may be gzipped, whatever the file is
called. Lines end with LF or CRLF; blank ones are skipped but counted. Values are those of Python's
json: NaN and Infinity are numbers, integers have any size up to 4300 digits, `\\ud800` is half a
surrogate pair. What needs finite numbers checks for itself.
"""

import gzip
import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import InputError
from ..files import json_error, not_utf8, raise_unless_utf8, read_json, reason_of

# An invalid line is represented by its error message.
NumberedRow = tuple[int, Mapping[str, Any] | str]
LONGEST_LINE = 2**28  # bytes; a row with an image inside has some 2**24
LARGEST_RATIO = 200  # of a gzipped file's content to the file; rows have 5 to 50
LEAST_ALLOWED = 2**26  # bytes of content that are read whatever their ratio
SHORTEST = 64  # bytes that even a blank line of a gzip file counts as, because it takes time too
GZIP, BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
TABLES = (".parquet", ".csv")


def read_file(path: Path) -> Iterator[NumberedRow]:
    """The rows of a .jsonl (also .jsonl.gz), .json, .parquet or .csv file; images in a .parquet
    file are dicts of bytes and path.

    Raises:
        InputError: it has another ending, its content does not match its name, or pyarrow is needed
            and missing.
    """
    if path.suffix == ".json":
        return enumerate(_listed(path), start=1)
    if path.suffix in TABLES:
        return enumerate(_table(path), start=1)
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return read_jsonl(path)
    raise InputError(
        f"expected rows in a .jsonl, .jsonl.gz, .json, .parquet or .csv file, got {path}"
    )


def read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """`read_jsonl`, where an invalid line is an InputError that names it."""
    for number, row in read_jsonl(path):
        if isinstance(row, str):
            raise InputError(f"line {number} of {path}: {row}")
        yield number, row


def read_jsonl(path: Path) -> Iterator[NumberedRow]:
    """The rows of a file of JSON lines, one by one.

    Raises:
        InputError: see `read_lines`.
    """
    return ((number, row_of(line)) for number, line in read_lines(path))


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file of JSON lines, as written, without the blank ones.

    Raises:
        InputError: there is no such file, it is not in UTF-8, a line is longer than `LONGEST_LINE`,
            or it is a gzip file that is broken or holds far more than it should.
    """
    try:
        with path.open("rb") as file:
            packed = file.peek(2)[:2] == GZIP
            lines = _unpacked(file, path) if packed else _lines(file, path)
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError(f"expected a file of rows at {path}, got: {reason_of(error)}") from None


def _unpacked(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """The lines of a gzip file, unless they are far larger than the file."""
    size = os.fstat(file.fileno()).st_size or math.inf  # a pipe has none
    allowed, total = max(LEAST_ALLOWED, LARGEST_RATIO * size), 0
    try:
        with gzip.open(file) as content:
            for line in _lines(content, path):
                total += max(len(line), SHORTEST)
                if total > allowed:
                    raise InputError(
                        f"expected rows in {path}, got a gzip file of {size} bytes with over "
                        f"{LARGEST_RATIO} times as many inside: unpack it first if that is right"
                    )
                yield line
    except (EOFError, zlib.error) as error:
        raise InputError(f"expected a whole gzip file at {path}, got: {error}") from None


def _lines(file: Any, path: Path) -> Iterator[bytes]:
    start = file.peek(4)[:4]
    raise_unless_utf8(start, path)
    if start.startswith(BOM):
        file.read(len(BOM))
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise InputError(
                f"expected lines of at most {LONGEST_LINE >> 20} MiB in {path}, got a longer one"
            )
        yield line


def row_of(line: bytes) -> Mapping[str, Any] | str:
    """A line's row, or the error message of an invalid line."""
    try:
        data = json.loads(line.rstrip().decode())  # the column of an error is on this line
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        return f"{not_utf8(line[error.start])} (column {column})"
    except (ValueError, RecursionError) as error:
        return f"expected a JSON object, got {json_error(error)}"
    return _object(data)


def _object(data: object) -> Mapping[str, Any] | str:
    return (
        data if isinstance(data, dict) else f"expected a JSON object, got a {type(data).__name__}"
    )


def _listed(path: Path) -> Iterator[Mapping[str, Any] | str]:
    data = read_json(path) if path.is_dir() or path.stat().st_size else []
    return map(_object, data if isinstance(data, list) else [data])


def _table(path: Path) -> Iterator[Mapping[str, Any]]:
    """A few rows at a time: those with images inside are large."""
    try:
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import csv, parquet
    except ImportError:
        raise InputError(
            f"expected pyarrow, which comes with ms-swift, to read {path}: pip install pyarrow"
        ) from None
    try:
        with path.open("rb") as file:
            if path.suffix == ".parquet":
                batches = parquet.ParquetFile(file).iter_batches(batch_size=64)
            else:
                batches = csv.open_csv(
                    file, parse_options=csv.ParseOptions(newlines_in_values=True)
                )
            for batch in batches:
                yield from batch.to_pylist()
    # Broken files raise more than Arrow's errors: broken texts and numbers Python's.
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(f"expected a {path.suffix} file at {path}: {error}") from None
