"""Handles inference servers whose reasoning parser mistook the answer for reasoning."""

from collections.abc import Sequence
from dataclasses import replace

from swift_plugin_visionr1.formats import Format
from swift_plugin_visionr1.text import share

from .answer import Answer, ReadAnswer

SILENT = 0.02  # the share of answers that may be empty without a warning


def with_its_text(answer: Answer, format: Format) -> Answer:
    """The answer. If it is empty and the reasoning is a clean answer and nothing else, that becomes
    its text. Real reasoning is never read: its boxes are drafts."""
    if answer.text.strip() or not answer.reasoning.strip() or answer.truncated:
        return answer
    parsed = format.parse(answer.reasoning)
    clean = not parsed.issues and (len(parsed.boxes) or parsed.says_nothing)
    return replace(answer, text=answer.reasoning) if clean else answer


def served_warnings(read: Sequence[ReadAnswer]) -> tuple[str, ...]:
    """Warnings about answers with empty content, and where their text is."""
    answers = [one.answer for one in read if one.answer.reasoning.strip()]
    moved = sum(answer.text == answer.reasoning for answer in answers)
    empty = [answer for answer in answers if not answer.text.strip()]
    warnings = []
    if moved:
        warnings.append(
            f"{share(moved, len(read))} answers are in the server's reasoning field and have no "
            "content; they were read from there, because the field holds nothing else: serve this "
            "model without --reasoning-parser, or with the right one"
        )
    if empty:
        cut_off = sum(answer.truncated for answer in empty)
        warnings.append(
            f"{share(len(empty), len(read))} answers have no content; their text is in the "
            f"server's reasoning field, which is not read, and {cut_off} of them are cut off: "
            "infer with a larger max_tokens, or serve the model without --reasoning-parser"
        )
    silent = sum(_is_silent(one) for one in read)
    if silent > SILENT * len(read):
        warnings.append(
            f"{share(silent, len(read))} answers are empty and count as broken: did the server "
            "fail, or is their text in a field that is not read here?"
        )
    return tuple(warnings)


def _is_silent(one: ReadAnswer) -> bool:
    """Whether there is no text at all, of a format in which that does not say that there is
    nothing."""
    answer = one.answer
    return not (answer.text.strip() or answer.reasoning.strip() or one.parsed.says_nothing)
