"""A row's turns as ms-swift makes messages of them: messages, conversations, or a query with its
response."""

from collections.abc import Mapping
from typing import Any

from ..data.dataset_files import MESSAGES, QUERIES, RESPONSES, RESPONSES_TOO

Turn = Mapping[str, Any]
ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant"}
USER, ASSISTANT = ("user", "human"), ("assistant", "gpt", "bot")


def split_turns(data: Mapping[str, Any]) -> tuple[tuple[Turn, ...], str]:
    """What is asked, and the assistant's answer after it, or "" without one."""
    turns = _turns(data)
    if turns and turns[-1].get("role") == "assistant":
        return tuple(turns[:-1]), text_of(turns[-1].get("content"))
    return tuple(turns), ""


def text_of(content: Any) -> str:
    """The text of a message, whose content may be a list of parts."""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(str(part.get("text") or "") for part in content)
    return str(content or "")


def _turns(data: Mapping[str, Any]) -> list[Turn]:
    listed = next((data[name] for name in MESSAGES if isinstance(data.get(name), list)), None)
    if listed is None:
        return _asked_and_answered(data)
    turns: list[Turn] = []
    for message in listed:
        if isinstance(message, dict):
            turns += _of_one(message)
    return turns


def _of_one(message: Turn) -> list[Turn]:
    """A message of a role; or ShareGPT's pair of a user's and an assistant's text in one."""
    role = message.get("role") or message.get("from")
    if not isinstance(role, str):
        pair = (_first(message, USER), _first(message, ASSISTANT))
        roles = ("user", "assistant")
        return [{"role": r, "content": c} for r, c in zip(roles, pair, strict=True) if c]
    content = message.get("content", message.get("value"))
    return [{**message, "role": ROLES.get(role, role), "content": content}]


def _asked_and_answered(data: Mapping[str, Any]) -> list[Turn]:
    query = _first(data, QUERIES)
    response = _first(data, (*RESPONSES, *RESPONSES_TOO))
    if isinstance(response, list):  # ms-swift takes the first of several
        response = response[0] if response else None
    turns = [("system", data.get("system")), ("user", query), ("assistant", response)]
    return [{"role": role, "content": str(text)} for role, text in turns if text]


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)
