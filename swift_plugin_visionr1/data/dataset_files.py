"""What may be given as a data set: a file of rows that ms-swift can train on, or a folder of
them."""

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from ..text import listed

TAKEN = (".jsonl", ".json", ".parquet", ".csv", ".arrow")
EXPECTED = "expected a data set of rows in a .jsonl, .json, .parquet or .csv file"
REMEDIES = {
    ".zip": "unpack it first",
    ".tar": "unpack it first",
    ".tgz": "unpack it first",
    ".gz": "unpack it first (gunzip)",
    ".txt": "ms-swift would take each of its lines for an answer without a question",
    ".xml": "`vision-r1 prepare` makes rows from COCO annotations",
    ".yaml": "name the file of rows itself",
    ".yml": "name the file of rows itself",
}
# The columns from which ms-swift makes messages, whatever else a row has.
MESSAGES = ("messages", "conversation", "conversations")
QUERIES = ("query", "prompt", "input", "instruction", "question", "problem")
RESPONSES = ("response", "answer", "output", "targets", "target", "answer_key", "answers")
RESPONSES_TOO = ("solution", "text", "completion", "content")
COLUMNS = (*MESSAGES, *QUERIES, *RESPONSES, *RESPONSES_TOO)
PEEK = 1 << 20  # bytes at both ends of a file in which COCO's lists are looked for
_COCO = (rb'"images"\s*:\s*\[\s*\{', rb'"annotations"\s*:\s*\[', rb'"categories"\s*:\s*\[\s*\{')


def require_dataset(path: Path, renamed: Iterable[str] = ()) -> None:
    """Refuse a local file or folder that ms-swift could make no rows from.

    Args:
        path: what was given; it exists.
        renamed: columns that the run gives other names (--columns).

    Raises:
        InputError: what was expected, what came, what to do.
        OSError: it cannot be read.
    """
    if path.is_dir():
        _require_files(path)
    elif path.suffix.lower() not in TAKEN:
        remedy = REMEDIES.get(path.suffix.lower(), "convert it")
        raise InputError(f"{EXPECTED}, got {path}: {remedy}")
    elif _is_coco(path):
        raise InputError(
            f"{EXPECTED}, got COCO annotations, {path}: "
            f"`vision-r1 prepare --ann {path} ...` makes rows of them"
        )
    else:
        require_columns(_columns(path), path, renamed)


def require_columns(columns: Iterable[str], path: Path, renamed: Iterable[str] = ()) -> None:
    """Refuse rows without any column from which ms-swift makes messages.

    Raises:
        InputError: as `require_dataset`.
    """
    names = {*columns, *renamed}
    if not names:
        raise InputError(f"{EXPECTED}, got {path}, which has no rows")
    if not names.intersection(COLUMNS):
        raise InputError(
            f'expected rows with a column "messages" (or "conversations", or "query" and '
            f'"response"), got {path} with {listed(sorted(names), 12)}: rename its columns '
            "(--columns), or write rows with `vision-r1 prepare`"
        )


def _require_files(folder: Path) -> None:
    if any(next(folder.rglob(f"*{suffix}"), None) for suffix in TAKEN):
        return
    names = listed(sorted(each.name for each in folder.iterdir()))
    raise InputError(f"{EXPECTED}, got the folder {folder} with {names or 'nothing in it'}")


def _is_coco(path: Path) -> bool:
    """Whether a .json file holds at least two of COCO's lists; large files are not read whole."""
    if not path.suffix.lower().startswith(".json"):
        return False
    with path.open("rb") as file:
        head = file.read(PEEK)
        file.seek(max(path.stat().st_size - PEEK, 0))
        ends = head + file.read(PEEK)
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return False
    return sum(re.search(sign, ends) is not None for sign in _COCO) >= 2


def _columns(path: Path) -> list[str]:
    """The columns of a file; for .json and .jsonl, those of the first valid row."""
    if not path.stat().st_size:
        raise InputError(f"{EXPECTED}, got {path}, which is an empty file")
    if path.suffix == ".parquet":
        return _parquet_columns(path)
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as table:
            return next(csv.reader(table), [])
    if path.suffix == ".arrow":  # what `datasets` saves, and only `datasets` reads
        return list(MESSAGES)
    return _json_columns(path)


def _json_columns(path: Path) -> list[str]:
    """Columns of the first row; empty if the file holds only white space or `[]`."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.read(PEEK).lstrip()
    if head.startswith("["):
        head = head[1:].lstrip()
        if head.startswith("]"):
            return []
    try:
        row = json.JSONDecoder().raw_decode(head)[0] if head else {}
    except (ValueError, RecursionError):  # the reader of rows says where and why
        return list(MESSAGES)
    return [str(name) for name in row] if isinstance(row, dict) else list(MESSAGES)


def _parquet_columns(path: Path) -> list[str]:
    try:
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import parquet
    except ImportError:  # ms-swift, which reads the file, brings it along
        return list(MESSAGES)
    try:
        return list(parquet.read_schema(path).names)
    except pyarrow.ArrowInvalid as error:
        raise InputError(f"expected a .parquet file at {path}: {error}") from None
