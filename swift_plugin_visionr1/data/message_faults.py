"""What is wrong with a row's messages, in words."""

import difflib
from collections.abc import Mapping
from typing import Any

from ..text import listed, short
from .dataset_files import MESSAGES

ROLES = ("system", "user", "assistant", "tool", "tool_call", "tool_response")


def why_unreadable(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row's messages; None where they look right.

    >>> why_unreadable({"mesages": [{"role": "user", "content": "Where?"}], "images": ["a.png"]})
    'it has no "messages"; it has "mesages"'
    """
    given = {name: value for name, value in row.items() if value is not None}
    name = next((name for name in MESSAGES if name in given), None)
    if name is None:
        near = difflib.get_close_matches("messages", map(str, given), n=1, cutoff=0.8)
        there = f'"{near[0]}"' if near else f"only {listed(given) or 'empty values'}"
        return f'it has no "messages"; it has {there}'
    messages = given[name]
    if isinstance(messages, list) and not messages:
        return f'its "{name}" are empty'
    if name != "messages" or not isinstance(messages, list):
        return None
    return _bad_message(messages)


def _bad_message(messages: list[Any]) -> str | None:
    for place, message in enumerate(messages, start=1):
        if not isinstance(message, Mapping):
            return f"message {place} is not an object but a {type(message).__name__}"
        if "role" in message and message["role"] not in ROLES:
            role = short(message["role"])
            return f"message {place} has the role {role}, not one of {', '.join(ROLES)}"
        if "role" in message and message.get("content") is None:
            return f'message {place} has no "content"; it has {listed(message)}'
    roles = [message.get("role", "user") for message in messages]
    return None if "user" in roles else f"no message is a user's; there are {listed(roles)}"
