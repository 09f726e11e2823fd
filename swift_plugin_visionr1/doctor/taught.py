"""What a supervised run teaches: ms-swift's template replaces <ref-object> and <bbox> by the names
and boxes of `objects`, for each family in its own way."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..data.published.ms_swift_grounding import BOX, REF
from ..geometry.frames import View
from .rows import DoctorRow
from .turns import text_of

BBOX_FORMAT = "QWENVL_BBOX_FORMAT"
_PLACEHOLDER = re.compile(f"({REF}|{BOX})")
_IN_PIXELS = ("qwen2_5_vl", "qwen2_5_omni")  # of the processed image; others write thousandths
_REFS = {"qwen": "<|object_ref_start|>{}<|object_ref_end|>", "tags": "<ref>{}</ref>"}


@dataclass(frozen=True)
class Spelling:
    """How a template writes names and boxes.

    Attributes:
        kind: `qwen` and `pairs` put corners in brackets, with special tokens and without; `list` is
            Python's; `qwen_vl`, `internvl`, `florence2` and `griffon` are those formats' own.
        in_pixels: of the processed image, not thousandths.
    """

    kind: str
    in_pixels: bool

    def ref(self, name: str) -> str:
        """The text that replaces a <ref-object>."""
        style = {"qwen": "qwen", "qwen_vl": "tags", "internvl": "tags"}.get(self.kind)
        return _REFS[style].format(name) if style else name

    def box(self, numbers: Sequence[int]) -> str:
        """The text that replaces a <bbox>: the numbers of a box or of a point."""
        corners = ",".join(f"({x},{y})" for x, y in zip(numbers[::2], numbers[1::2], strict=True))
        return {
            "qwen": f"<|box_start|>{corners}<|box_end|>",
            "qwen_vl": f"<box>{corners}</box>",
            "internvl": f"<box>[{list(numbers)}]</box>",
            "florence2": "".join(f"<loc_{number}>" for number in numbers),
            "griffon": f"[{','.join(f'{number / 1000:.3f}' for number in numbers)}]",
            "list": str(list(numbers)),
            "pairs": f"[{corners}]",
        }[self.kind]


def spelling_of(
    model_type: str | None, environ: Mapping[str, str], norm_bbox: str | None = None
) -> Spelling:
    """How ms-swift writes `objects` for a model.

    Args:
        model_type: ms-swift's name of its family.
        environ: of the run; QWENVL_BBOX_FORMAT decides for Qwen2-VL and later.
        norm_bbox: ms-swift's --norm_bbox, which wins over the template's own.
    """
    kind = model_type or ""
    if kind == "griffon_g":
        return Spelling("griffon", False)
    in_pixels = norm_bbox == "none" if norm_bbox else kind in _IN_PIXELS
    if kind.startswith(("internvl", "qwen_vl", "florence")):
        style = {"i": "internvl", "q": "qwen_vl", "f": "florence2"}[kind[0]]
        return Spelling(style, in_pixels)
    if kind.startswith("qwen"):
        legacy = environ.get(BBOX_FORMAT, "legacy") == "legacy"
        return Spelling("qwen" if legacy else "list", in_pixels)
    return Spelling("pairs", in_pixels)


def taught_answer(row: DoctorRow, view: View | None, spelling: Spelling) -> str | None:
    """The assistant's answer of a row as the model is taught it; None if unknown."""
    if row.objects is None or not _PLACEHOLDER.search(row.target):
        return row.target
    if view is None or any(row.objects.get("image_id") or ()):
        return None
    asked = "".join(text_of(message.get("content")) for message in row.messages)
    refs = [str(name) for name in row.objects.get("ref") or []][asked.count(REF) :]
    boxes = [_numbers(box, row.objects, view, spelling) for box in row.objects["bbox"]]
    return _filled(row.target, refs, boxes[asked.count(BOX) :], spelling)


def _filled(text: str, refs: Sequence[str], boxes: Sequence[list[int]], spelling: Spelling) -> str:
    """The text with its placeholders replaced in order; those beyond the objects stay."""
    names, numbers = iter(refs), iter(boxes)
    pieces = []
    for piece in _PLACEHOLDER.split(text):
        if piece == REF and (name := next(names, None)) is not None:
            pieces.append(spelling.ref(name))
        elif piece == BOX and (box := next(numbers, None)) is not None:
            pieces.append(spelling.box(box))
        else:
            pieces.append(piece)
    return "".join(pieces)


def _numbers(
    box: Sequence[float], objects: Mapping[str, Any], view: View, spelling: Spelling
) -> list[int]:
    """The whole numbers that ms-swift makes of a box; corners are put in order first."""
    unit = objects.get("bbox_type") == "norm1"
    sides = (1, 1) if unit else view.size
    spanned = view.processed if spelling.in_pixels else (1000, 1000)
    ordered = list(box)
    if len(ordered) == 4:
        for start in (0, 1):
            ordered[start], ordered[start + 2] = sorted((ordered[start], ordered[start + 2]))
    return [round(value / sides[i % 2] * spanned[i % 2]) for i, value in enumerate(ordered)]
