"""Whether generation ended before the answer did."""

import re
from collections.abc import Mapping
from typing import Any

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def is_truncated(row: Mapping[str, Any]) -> bool:
    """By the row's "finish_reason" where it has one, else by how its "response" ends."""
    reason = row.get("finish_reason")
    return reason == "length" if isinstance(reason, str) else looks_truncated(row["response"])


def looks_truncated(text: str) -> bool:
    """Whether a fence, or a bracket outside quoted strings, is opened and not closed.

    A finished answer that forgets a bracket looks the same; prose cut off mid-sentence is not noticed.
    """
    bare = _STRING.sub("", text)
    return text.count("```") % 2 == 1 or bare.count("[") > bare.count("]") or bare.count("{") > bare.count("}")
