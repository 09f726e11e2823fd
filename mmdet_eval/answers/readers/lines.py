"""JSONL with one answer a line, as `swift infer` and OpenAI-style servers write it."""

from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.row_files import read_jsonl
from swift_plugin_visionr1.errors import InputError

from ..rows import Row
from . import openai, swift_infer


def read_rows(path: str | Path) -> list[Row]:
    """The rows of a JSONL file of answers, in its order.

    Raises:
        InputError: the file is unreadable or empty, a line is no JSON object, or a row has no
            answer.
    """
    rows = [
        row_of(number, data, f"{path}, line {number}") for number, data in read_jsonl(Path(path))
    ]
    if not rows:
        raise InputError(f"expected answers in {path}, got an empty file: did inference finish?")
    return rows


def row_of(number: int, data: Any, where: str) -> Row:
    """A row from its JSON, the file's `number`th; `where` names it in errors.

    Raises:
        InputError: it is no JSON object, which a text says, or has no answer.
    """
    if isinstance(data, str):
        raise InputError(f"{where}: {data}: is inference still writing?")
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
