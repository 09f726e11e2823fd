"""A row that `swift infer --result_path` wrote."""

from typing import Any

from swift_plugin_visionr1.errors import InputError

from ..rows import Row, make_row


def read_row(line: int, where: str, data: dict[str, Any]) -> Row:
    """The answer is in "response"; ms-swift repeats it as the last turn of "messages".

    Raises:
        InputError: there is no response.
    """
    text = data.get("response")
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
        finish_reason=data.get("finish_reason"),
        logprobs=data.get("logprobs"),
    )
