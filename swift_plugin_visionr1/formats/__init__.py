"""Output formats: one module per model family, found by name."""

from dataclasses import replace

from ..geometry.frames import FRAMES
from .base import Format, ParsedCompletion, Questions, Span
from .cogvlm import CogVLM
from .deepseek_vl2 import DeepSeekVL2
from .florence2 import Florence2
from .gemini import GEMINI
from .glm4v import GLM4V
from .griffon import Griffon
from .internvl import InternVL
from .json_custom import JSON
from .json_layout import JsonLayout
from .kosmos2 import Kosmos2
from .locate_anything import LocateAnything
from .minicpm_v import MiniCPMV
from .ovis import Ovis
from .paligemma import PaliGemma
from .qwen2_5_vl import QWEN2_5_VL
from .qwen2_vl import Qwen2VL
from .qwen3_vl import QWEN3_VL
from .qwen_vl import QwenVL
from .reasoning import Reasoned, Reasoning
from .rex_omni import RexOmni
from .vision_reasoner import VISION_REASONER

_FORMATS: tuple[Format, ...] = (
    QWEN2_5_VL,
    QWEN3_VL,
    GEMINI,
    VISION_REASONER,
    JSON,
    QwenVL(),
    Qwen2VL(),
    InternVL(),
    DeepSeekVL2(),
    GLM4V(),
    MiniCPMV(),
    Ovis(),
    RexOmni(),
    LocateAnything(),
    Griffon(),
    PaliGemma(),
    Florence2(),
    Kosmos2(),
    CogVLM(),
)
FORMATS: dict[str, Format] = {one.name: one for one in _FORMATS}


def get_format(
    name: str,
    frame: str | None = None,
    reasoning: Reasoning = "none",
    layout: JsonLayout | None = None,
) -> Format:
    """A format, ready to read whole completions.

    Args:
        name: a key of FORMATS.
        frame: a key of FRAMES, for a model that was trained to write this format in another frame
            than its own.
        reasoning: what stands around the answer.
        layout: how the format `json` names its parts; other formats have fixed ones.

    Raises:
        ValueError: no format or frame has that name, or the format takes no layout; the message
            lists the choices.
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


__all__ = [
    "FORMATS",
    "Format",
    "JsonLayout",
    "ParsedCompletion",
    "Questions",
    "Reasoning",
    "Span",
    "get_format",
]
