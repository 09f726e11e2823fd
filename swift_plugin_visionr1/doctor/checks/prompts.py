"""What the prompts ask for, against what the model writes."""

import re
from collections.abc import Sequence

from ...formats import FORMATS
from ...formats.questions import fill
from ...text import listed, share
from ..findings import Finding, note, problem
from ..rows import DoctorRow

MARKERS: dict[str, tuple[str, ...]] = {
    "<|box_start|>": ("qwen2_vl", "rex_omni"),
    "<|object_ref_start|>": ("qwen2_vl", "rex_omni"),
    "<|det|>": ("deepseek_vl2",),
    "<|begin_of_box|>": ("glm4v",),
    "<box>": ("internvl", "qwen_vl", "minicpm_v", "ovis", "locate_anything"),
    "<loc0": ("paligemma",),
    "<loc_": ("florence2",),
    "<patch_index_": ("kosmos2",),
    '"bbox_2d"': ("qwen2_5_vl", "qwen3_vl", "glm4v", "vision_reasoner"),
    '"box_2d"': ("gemini",),
}  # what only these formats write
WRITE_JSON = ("qwen2_5_vl", "qwen3_vl", "gemini", "glm4v", "vision_reasoner", "json")


def prompt_findings(rows: Sequence[DoctorRow], format: str) -> list[Finding]:
    """Prompts that show another family's format than the model's, `format`."""
    if format == "json":  # the user chooses the names of its parts
        return []
    foreign: dict[str, list[str]] = {}
    json: list[str] = []
    for row in rows:
        marks = [mark for mark in MARKERS if mark in row.prompt]
        if marks and not any(format in MARKERS[mark] for mark in marks):
            foreign.setdefault(marks[0], []).append(row.place)
        elif asks_for_json(row.prompt, format):
            json.append(row.place)
    findings = [
        problem(
            "prompt_format",
            f"{share(len(places), len(rows))} prompts ask for {mark}, which "
            f"{listed(MARKERS[mark])} write and "
            f"{format} does not, the first in {places[0]}: {remedy(format)}; or set `format`",
        )
        for mark, places in foreign.items()
    ]
    if json:
        text = (
            f"{share(len(json), len(rows))} prompts ask for JSON, which {format} is not, the "
            f"first in {json[0]}"
        )
        findings.append(note("prompt_json", f"{text}: {remedy(format)}"))
    return findings


def asks_for_json(prompt: str, format: str) -> bool:
    """Whether a prompt asks for JSON although the model writes `format`, which is not JSON."""
    return format not in WRITE_JSON and re.search(r"\bjson\b", prompt, re.IGNORECASE) is not None


def remedy(format: str) -> str:
    """How to ask a model that writes `format`, in the words that its authors document."""
    questions = FORMATS[format].questions
    if questions.detect:
        asked = fill(questions.detect, ("cat", "dog"))
        return (
            f"its authors ask {asked!r}, and so does `vision-r1 prepare --model-type ...` "
            "without --prompt"
        )
    if questions.locate:
        asked = fill(questions.locate, ("cat",))
        return (
            f"its authors ask for one thing at a time, {asked!r}, as `vision-r1 prepare "
            "--prompt` and --classes can"
        )
    return '`vision-r1 prepare --prompt "..."` or questions of your own ask in the model\'s words'
