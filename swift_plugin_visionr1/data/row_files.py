"""The rows of a file, numbered from 1 as training and the doctor number them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError

NumberedRow = tuple[
    int, Mapping[str, Any] | str
]  # an invalid line is represented by its error message


def read_file(path: Path) -> Iterator[NumberedRow]:
    """The rows of a .jsonl, .json, .parquet or .csv file; images in a .parquet file are dicts of
    bytes and path.

    Raises:
        InputError: it is none of these, cannot be read as what its name says, or pyarrow is needed
            and missing.
        OSError: it cannot be opened.
    """
    if path.suffix in (".jsonl", ".json"):
        return iter(read_lines(path))
    if path.suffix in (".parquet", ".csv"):
        return enumerate(_table(path), start=1)
    raise InputError(f"expected rows in a .jsonl, .json, .parquet or .csv file, got {path}")


def read_lines(path: Path) -> list[NumberedRow]:
    """The rows of a local .jsonl or .json file with their numbers from 1; an invalid line is
    represented by its error.

    Raises:
        OSError: it cannot be read.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".json":
        try:
            data = json.loads(text) if text.strip() else []
        except (ValueError, RecursionError) as error:
            return [(1, f"expected a JSON list of rows, got text that is not JSON: {error}")]
        rows = data if isinstance(data, list) else [data]
        return [
            (n, row if isinstance(row, dict) else _no_row(row))
            for n, row in enumerate(rows, start=1)
        ]
    return [(n, _line(line)) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _line(line: str) -> Mapping[str, Any] | str:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"expected a JSON object on the line, got text that is not JSON: {error}"
    return data if isinstance(data, dict) else _no_row(data)


def _no_row(data: object) -> str:
    return f"expected a JSON object, got a {type(data).__name__}"


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
    except pyarrow.ArrowInvalid as error:
        raise InputError(f"expected a {path.suffix} file at {path}: {error}") from None
