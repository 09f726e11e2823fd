"""Output formats: one module per model family, found by name."""

from dataclasses import replace

from ..coords import FRAMES
from .base import Format, ParsedCompletion, Span
from .layout import JsonLayout
from .qwen2_5_vl import Qwen25VL
from .reasoning import Reasoned, Reasoning

FORMATS: dict[str, Format] = {one.name: one for one in (Qwen25VL(),)}


def get_format(
    name: str, frame: str | None = None, reasoning: Reasoning = "none", layout: JsonLayout | None = None
) -> Format:
    """A format, ready to read whole completions.

    Args:
        name: a key of FORMATS.
        frame: a key of FRAMES, for a model that was trained to write this format in another frame than its own.
        reasoning: what stands around the answer.
        layout: how the format `json` names its parts; other formats have theirs.

    Raises:
        ValueError: there is no such format or frame, or the format takes no layout; the message says what there is.
    """
    if name not in FORMATS:
        raise ValueError(f"expected one of the formats {', '.join(sorted(FORMATS))}, got {name!r}")
    if frame is not None and frame not in FRAMES:
        raise ValueError(f"expected one of the frames {', '.join(FRAMES)}, got {frame!r}")
    format = FORMATS[name]
    if layout is not None:
        if name != "json":
            raise ValueError(f"expected a layout with the format json only, got one with {name!r}")
        format = replace(format, layout=layout)  # type: ignore[type-var]
    if frame is not None:
        format = replace(format, frame=FRAMES[frame])  # type: ignore[type-var]
    return Reasoned(format, reasoning)


__all__ = ["FORMATS", "Format", "JsonLayout", "ParsedCompletion", "Reasoning", "Span", "get_format"]
