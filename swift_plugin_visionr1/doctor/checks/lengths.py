"""Whether the right answer fits into the run's max_completion_length."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ...formats import Format
from ...models.right_answer import right_answer
from ...text import share
from ..cases import Case
from ..findings import Finding, note, ok, problem

DEFAULT_LENGTH = 512  # ms-swift's
WASTEFUL = 0.1  # share of rows whose right answer is cut off
STEP = 64  # a sufficient length is rounded up to a multiple
_PIECE = re.compile(r"<[^<>\s]{1,20}>|\d|[^\W\d_]+|[^\w\s]+|_")


def token_counter(folder: Path | None) -> tuple[Callable[[str], int], str]:
    """Counts tokens with the model's own tokenizer if it is at hand, else about; and which of the
    two."""
    file = folder / "tokenizer.json" if folder else None
    if file is not None and file.is_file():
        try:
            from tokenizers import Tokenizer
        except ImportError:
            return _about, "about"
        tokenizer = Tokenizer.from_file(str(file))
        return lambda text: len(tokenizer.encode(text).ids), "exactly"
    return _about, "about"


def _about(text: str) -> int:
    """Digits count one each, as in Qwen's tokenizer; a word about one in six letters, a tag one."""
    return sum(
        1 if piece[0] == "<" else 1 + (len(piece) - 1) // 6 for piece in _PIECE.findall(text)
    )


def length_findings(
    cases: Sequence[Case], format: Format, length: int | None, folder: Path | None
) -> list[Finding]:
    """Rows whose right answer is longer than `length` tokens.

    Args:
        cases: the rows, with what the model sees of their images.
        format: the model's.
        length: the run's max_completion_length; None is ms-swift's default.
        folder: the model's, for its tokenizer.
    """
    pairs = [
        (case.row.truth, case.view, case.row.place)
        for case in cases
        if case.row.truth and case.view
    ]
    if not pairs:
        return []
    limit = length or DEFAULT_LENGTH
    count, how = token_counter(folder)
    lengths = [
        (count(right_answer(truth, view, format)), place, len(truth.boxes))
        for truth, view, place in pairs
    ]
    longest, place, boxes = max(lengths)
    text = f"the longest right answer has {how} {longest} tokens ({boxes} boxes, {place})"
    text += f", max_completion_length is {limit}"
    over = sum(tokens > limit for tokens, _, _ in lengths)
    if not over:
        return [ok("length", text)]
    text = (
        f"{share(over, len(lengths))} right answers would be cut off, with a format reward of "
        f"0: {text}; "
    )
    enough = longest if how == "exactly" else longest * 11 // 10
    text += f"--max_completion_length {enough // STEP * STEP + STEP} suffices"
    return [(problem if over >= WASTEFUL * len(lengths) else note)("length", text)]
