"""JSONL with one answer a line, as `swift infer` and OpenAI-style servers write it."""

import json
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError

from ..rows import Row
from . import openai, swift_infer


def read_rows(path: str | Path) -> list[Row]:
    """The rows of a JSONL file of answers, in its order.

    Raises:
        InputError: the file is unreadable or empty, a line is no JSON object, or a row has no
            answer.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected the JSONL file that `swift infer` writes, got {path}: {error}"
        ) from None
    return rows_of(text, path)


def rows_of(text: str, path: str | Path) -> list[Row]:
    """`read_rows` for the text of the file `path`."""
    lines = enumerate(text.split("\n"), start=1)  # not splitlines: U+2028 may stand in an answer
    rows = [_row(number, line, f"{path}, line {number}") for number, line in lines if line.strip()]
    if not rows:
        raise InputError(f"expected answers in {path}, got an empty file: did inference finish?")
    return rows


def _row(number: int, line: str, where: str) -> Row:
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(
            f"{where}: expected one JSON object per line, got {line[:80]!r}: is inference still "
            "writing?"
        ) from None
    return row_of(number, data, where)


def row_of(number: int, data: Any, where: str) -> Row:
    """A row from its JSON, the file's `number`th; `where` names it in errors.

    Raises:
        InputError: it is no JSON object or has no answer.
    """
    if not isinstance(data, dict):
        raise InputError(
            f'{where}: expected a row with the model\'s text in "response", got a '
            f"{type(data).__name__}"
        )
    return (
        openai.read_row(number, where, data)
        if openai.is_row(data)
        else swift_infer.read_row(number, where, data)
    )
