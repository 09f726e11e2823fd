"""Detects cut-off answers without a finish_reason."""

import re

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def looks_truncated(text: str) -> bool:
    """Whether a fence, or a bracket outside quoted strings, is left open.

    A finished answer that forgets a bracket looks the same; prose cut off mid-sentence is not
    noticed.
    """
    bare = _STRING.sub("", text)
    return (
        text.count("```") % 2 == 1
        or bare.count("[") > bare.count("]")
        or bare.count("{") > bare.count("}")
    )
