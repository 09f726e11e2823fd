"""Reads a row of `swift infer --result_path`, or another with its answer in "response", such as
Ollama's."""

from typing import Any

from swift_plugin_visionr1.errors import InputError

from ..rows import AnswerRow, make_row
from .parts import REASONING, reasoning_beside


def read_row(line: int, where: str, data: dict[str, Any]) -> AnswerRow:
    """The answer is in "response"; ms-swift repeats it as the last turn of "messages". A server's
    reasoning may be in a separate field.

    Raises:
        InputError: there is no response.
    """
    text, reasoning = data.get("response"), reasoning_beside(data)
    text = "" if text is None and reasoning else text
    if "response" in data and text is None:
        raise InputError(
            f'{where}: expected the model\'s text in "response", got null: ask again, or write "" '
            "for an answer that is to count as wrong"
        )
    if not isinstance(text, str):
        raise InputError(
            f'{where}: expected a row with the model\'s text in "response", got the keys '
            f"{sorted(data)}: "
            "--pred is the file that `swift infer --result_path` writes, not the dataset"
        )
    return make_row(
        line,
        where,
        text,
        data,
        finish_reason=data.get("finish_reason", data.get("done_reason")),
        logprobs=data.get("logprobs"),
        request=data.get("custom_id"),
        reasoning=reasoning,
        served=bool(data.keys() & {"done_reason", *REASONING}),
    )
