"""Reads a row of an inference server: OpenAI's chat, plain completion or responses API, a line of
batch output, or Ollama's chat.

A server with a reasoning parser returns the reasoning separately; see `parts.split`.
"""

from collections.abc import Mapping
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import listed

from ..rows import AnswerRow, make_row
from .parts import split


def is_row(data: Mapping[str, Any]) -> bool:
    """Whether the row has one of these shapes."""
    return (
        "choices" in data
        or ("custom_id" in data and not isinstance(data.get("response"), str))
        or isinstance(data.get("response"), dict)
        or isinstance(data.get("message"), dict)
        or _is_response(data)
    )


def read_row(line: int, where: str, data: Mapping[str, Any]) -> AnswerRow:
    """The row's only choice. Batch output has its body inside "response". A null content is an
    empty answer.

    Raises:
        InputError: the request failed, or there is not exactly one choice with a text.
    """
    response = data.get("response")
    body = response.get("body") if isinstance(response, dict) else data
    message, ended, logprobs = _answer(body, data, where)
    text, reasoning = split(message, where)
    return make_row(
        line,
        where,
        text,
        data,
        finish_reason=ended,
        logprobs=logprobs,
        request=data.get("custom_id", data.get("id")),
        reasoning=reasoning,
        served=True,
    )


def _is_response(body: Any) -> bool:
    """Whether it is an answer from the responses API."""
    return isinstance(body, dict) and isinstance(body.get("output"), list)


def _answer(body: Any, data: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], Any, Any]:
    """The message (or plain completion), why it ended, and its log-probabilities."""
    if _is_response(body):
        cut_off = (body.get("incomplete_details") or {}).get("reason") == "max_output_tokens"
        return body, "length" if cut_off else body.get("status"), _logprobs(body["output"])
    if isinstance(body, dict) and isinstance(body.get("message"), dict) and "choices" not in body:
        return body["message"], body.get("done_reason"), None
    choice = _only_choice(body, data, where)
    message = choice.get("message")
    message = message if isinstance(message, dict) else choice
    return message, choice.get("finish_reason"), choice.get("logprobs")


def _logprobs(output: list[Any]) -> dict[str, Any] | None:
    """An answer from the responses API, in the form of the chat API."""
    items = [item for item in output if isinstance(item, dict)]
    parts = [part for item in items for part in item.get("content") or () if isinstance(part, dict)]
    entries = [entry for part in parts for entry in part.get("logprobs") or ()]
    return {"content": entries} if entries else None


def _only_choice(body: Any, data: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    choices = body.get("choices") if isinstance(body, dict) else None
    if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict):
        return choices[0]
    expected = f'{where}: expected exactly one answer in "choices"'
    failure = data.get("error") or (body.get("error") if isinstance(body, dict) else None)
    if failure:
        raise InputError(f"{expected}, got the error {str(failure)[:200]}: ask again")
    if isinstance(choices, list):
        raise InputError(f"{expected}, got {len(choices)} of them: ask again with n=1")
    keys = listed(sorted(map(str, body if isinstance(body, dict) else data)))
    raise InputError(
        f"{expected}, as OpenAI-style servers write, got only {keys}: write the text of each "
        'answer into "response" beside "images" or "image_id"'
    )
