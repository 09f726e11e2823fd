"""Output formats: one module per model family, found by name."""

from .base import Format, ParsedCompletion, Span
from .qwen2_5_vl import Qwen25VL

FORMATS: dict[str, Format] = {Qwen25VL.name: Qwen25VL()}


def get_format(name: str) -> Format:
    """The format called `name`.

    Raises:
        ValueError: there is no such format; the message lists those there are.
    """
    if name not in FORMATS:
        raise ValueError(f"expected one of the formats {', '.join(sorted(FORMATS))}, got {name!r}")
    return FORMATS[name]


__all__ = ["FORMATS", "Format", "ParsedCompletion", "Span", "get_format"]
