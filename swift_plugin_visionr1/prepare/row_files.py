"""The rows of a file, numbered from 1 as training and the doctor number them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..doctor.rows import read_lines
from ..show.inputs import InputError

NumberedRow = tuple[int, Mapping[str, Any] | str]  # a line that is no row is why it is none


def read_file(path: Path) -> Iterator[NumberedRow]:
    """The rows of a .jsonl, .json, .parquet or .csv file; images in a .parquet file are dicts of bytes and path.

    Raises:
        InputError: it is none of these, cannot be read as what its name says, or pyarrow is needed and missing.
        OSError: it cannot be opened.
    """
    if path.suffix in (".jsonl", ".json"):
        return iter(read_lines(path))
    if path.suffix in (".parquet", ".csv"):
        return enumerate(_table(path), start=1)
    raise InputError(f"expected rows in a .jsonl, .json, .parquet or .csv file, got {path}")


def _table(path: Path) -> Iterator[Mapping[str, Any]]:
    """A few rows at a time: those with images inside are large."""
    try:
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import csv, parquet
    except ImportError:
        raise InputError(f"expected pyarrow, which comes with ms-swift, to read {path}: pip install pyarrow") from None
    try:
        with path.open("rb") as file:
            if path.suffix == ".parquet":
                batches = parquet.ParquetFile(file).iter_batches(batch_size=64)
            else:
                batches = csv.open_csv(file, parse_options=csv.ParseOptions(newlines_in_values=True))
            for batch in batches:
                yield from batch.to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise InputError(f"expected a {path.suffix} file at {path}: {error}") from None
