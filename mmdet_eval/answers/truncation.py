"""Whether generation ended before the answer did, for answers whose finish_reason is not known."""

import re

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def looks_truncated(text: str) -> bool:
    """Whether a fence, or a bracket outside quoted strings, is opened and not closed.

    A finished answer that forgets a bracket looks the same; prose cut off mid-sentence is not
    noticed.
    """
    bare = _STRING.sub("", text)
    return (
        text.count("```") % 2 == 1
        or bare.count("[") > bare.count("]")
        or bare.count("{") > bare.count("}")
    )
