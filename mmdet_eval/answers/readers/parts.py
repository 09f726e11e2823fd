"""Splits a message of an inference server into its answer and its reasoning.

vLLM, SGLang and DeepSeek call the reasoning field `reasoning_content`, newer vLLM and OpenRouter
call it `reasoning`, Ollama `thinking`. In a list of parts, the type `thinking` or `reasoning`
(Mistral, Anthropic, the responses API) marks reasoning; all other parts are the answer.
"""

from collections.abc import Mapping
from typing import Any

from swift_plugin_visionr1.errors import InputError

REASONING = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
# where a part, or its content, has its text
_TEXTS = ("text", "thinking", "content", "summary")


def split(message: Mapping[str, Any], where: str) -> tuple[str, str]:
    """The answer and the reasoning, each possibly empty; the message may be a plain completion.

    Raises:
        InputError: there is no text; `where` names the row.
    """
    parts = message.get("output", message.get("content", message.get("text", "")))
    named = reasoning_beside(message)
    if isinstance(parts, list):
        thoughts = "".join(_text(part) for part in parts if _is_reasoning(part))
        answer = "".join(_text(part) for part in parts if not _is_reasoning(part))
        return answer, named + thoughts
    known = message.keys() & {"role", "content", "text", *REASONING}
    if not known or not (parts is None or isinstance(parts, str)):
        raise InputError(
            f'{where}: expected the text in message.content or "text", got the keys '
            f"{sorted(message)}"
        )
    return parts or "", named


def reasoning_beside(data: Mapping[str, Any]) -> str:
    """The reasoning in a separate field, possibly empty. Some servers fill two fields with the same
    text, and in the responses API `reasoning` is an object with settings."""
    fields = (data.get(name) for name in REASONING)
    return next(
        (text for one in fields if isinstance(one, str | list) and (text := _text(one))), ""
    )


def _is_reasoning(part: Any) -> bool:
    kind = part.get("type") if isinstance(part, dict) else ""
    return "thinking" in str(kind) or "reasoning" in str(kind)


def _text(part: Any) -> str:
    """All text of a part: a string, a list of parts, or an object with either."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return "".join(map(_text, part))
    if isinstance(part, dict):
        return "".join(_text(part[name]) for name in _TEXTS if name in part)
    return ""
