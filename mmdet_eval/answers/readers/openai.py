"""A row in the shape of OpenAI's API, as vLLM and others answer: chat, plain completion, or a line
of batch output."""

from collections.abc import Mapping
from typing import Any

from swift_plugin_visionr1.errors import InputError

from ..rows import Row, make_row


def is_row(data: Mapping[str, Any]) -> bool:
    """Whether the row is of this shape."""
    return "choices" in data or "custom_id" in data or isinstance(data.get("response"), dict)


def read_row(line: int, where: str, data: Mapping[str, Any]) -> Row:
    """The row's only choice. Batch output has its body inside "response"; a null content is an
    empty answer.

    Raises:
        InputError: the request failed, or there is not exactly one choice with a text.
    """
    response = data.get("response")
    body = response.get("body") if isinstance(response, dict) else data
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        failure = data.get("error") or (body.get("error") if isinstance(body, dict) else None)
        came = (
            str(failure)[:200]
            if failure
            else f"{len(choices)} of them"
            if isinstance(choices, list)
            else "none"
        )
        raise InputError(
            f'{where}: expected exactly one answer in "choices", got {came}: ask again with n=1'
        )
    choice, request = choices[0], data.get("custom_id", data.get("id"))
    return make_row(
        line,
        where,
        _text(choice, where),
        data,
        finish_reason=choice.get("finish_reason"),
        logprobs=choice.get("logprobs"),
        request=request,
    )


def _text(choice: Mapping[str, Any], where: str) -> str:
    message = choice.get("message")
    if not isinstance(message, dict):
        text = choice.get("text")
    elif isinstance(message.get("content"), list):
        text = "".join(
            str(part.get("text") or "") for part in message["content"] if isinstance(part, dict)
        )
    else:
        text = message.get("content", "")
        text = "" if text is None else text
    if not isinstance(text, str):
        raise InputError(
            f'{where}: expected the text in message.content or "text", got the keys '
            f"{sorted(choice)}"
        )
    return text
