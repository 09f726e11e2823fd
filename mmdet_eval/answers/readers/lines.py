"""JSONL with one answer per line, as written by `swift infer` and OpenAI-style servers."""

from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.row_files import read_jsonl
from swift_plugin_visionr1.errors import InputError

from ..rows import AnswerRow
from . import openai, swift_infer


def read_rows(path: str | Path) -> list[AnswerRow]:
    """The rows of a JSONL file of answers, in file order.

    Raises:
        InputError: the file is unreadable or empty, a line is not a JSON object, or a row has no
            answer.
    """
    rows = [
        row_of(number, data, f"{path}, line {number}") for number, data in read_jsonl(Path(path))
    ]
    if not rows:
        raise InputError(f"expected answers in {path}, got an empty file: did inference finish?")
    return rows


def row_of(number: int, data: Any, where: str) -> AnswerRow:
    """Row number `number` of the file from its JSON; `where` names it in errors.

    Raises:
        InputError: `data` is an error message instead of a JSON object, or the row has no answer.
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
