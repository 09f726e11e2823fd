"""Whether the right answers fit into the run's max_completion_length."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...progress import show_progress
from ...text import listed, share
from ..findings import Finding, note, ok, problem, warning
from ..right_answers import RightAnswer

DEFAULT_LENGTH = 512  # ms-swift's
WASTEFUL = 0.5  # share of rows whose right answer is cut off: the model learns to stop there
SLIGHT = 0.01  # share of such rows that is only noted
MOST = 0.99  # share of the rows for which a length is named besides the one for all
FAR = 2.0  # times that length: beyond it, only a few rows need the rest
STEP = 64  # a sufficient length is rounded up to a multiple
BATCH = 500  # answers that are tokenized at once
_PIECE = re.compile(r"<[^<>\s]{1,20}>|\d|[^\W\d_]+|[^\w\s]+|_")

Count = Callable[[Sequence[str]], list[int]]


def token_counter(folder: Path | None) -> tuple[Count, str]:
    """Counts tokens with the model's own tokenizer if it is available, else roughly; and which of
    the two it is."""
    file = folder / "tokenizer.json" if folder else None
    if file is not None and file.is_file():
        try:
            from tokenizers import Tokenizer
        except ImportError:
            return _about, "about"
        tokenizer = Tokenizer.from_file(str(file))
        return lambda texts: [len(one.ids) for one in tokenizer.encode_batch(texts)], "exactly"
    return _about, "about"


def _about(texts: Sequence[str]) -> list[int]:
    """Digits count one each, as in Qwen's tokenizer; a word about one in six letters, a tag one."""
    return [
        sum(1 if piece[0] == "<" else 1 + (len(piece) - 1) // 6 for piece in _PIECE.findall(text))
        for text in texts
    ]


def length_findings(
    written: Sequence[RightAnswer], length: int | None, folder: Path | None
) -> tuple[list[Finding], list[str]]:
    """Rows whose right answer is longer than `length` tokens.

    Args:
        written: the right answers.
        length: the run's max_completion_length; None is ms-swift's default.
        folder: the model's, for its tokenizer.

    Returns:
        The findings, and the places of these rows.
    """
    if not written:
        return [], []
    limit = length or DEFAULT_LENGTH
    count, how = token_counter(folder)
    lengths = np.fromiter(_counted(written, count), int, len(written))
    text = f"right answers have {how} {_spread(lengths)} tokens at most (" + _longest(
        written, lengths
    )
    over = np.flatnonzero(lengths > limit)
    places = [written[index].case.row.place for index in over[np.argsort(-lengths[over])]]
    if not places:
        return [ok("length", f"{text}; max_completion_length is {limit}")], []
    state = problem if len(places) >= WASTEFUL * len(written) else warning
    state = note if len(places) < SLIGHT * len(written) else state
    said = (
        f"{share(len(places), len(written))} right answers would be cut off, with a format reward "
        f"of 0: {text}, max_completion_length is {limit}; "
    )
    return [state("length", said + _remedy(lengths, places, how))], places


def _counted(written: Sequence[RightAnswer], count: Count) -> Iterator[int]:
    starts = range(0, len(written), BATCH)
    for start in show_progress(starts, len(starts), sys.stderr, "counted", "batches of tokens"):
        yield from count([one.text for one in written[start : start + BATCH]])


def _spread(lengths: np.ndarray) -> str:
    half, most, nearly = (int(np.quantile(lengths, part)) for part in (0.5, 0.9, MOST))
    return f"{half} tokens in the median, {most} in 90%, {nearly} in 99% and {lengths.max()}"


def _longest(written: Sequence[RightAnswer], lengths: np.ndarray) -> str:
    case = written[int(lengths.argmax())].case
    return f"{len(case.truth.boxes)} boxes, {case.row.place})"


def _remedy(lengths: np.ndarray, places: Sequence[str], how: str) -> str:
    """The length that fits all answers, or all but a few that are far longer."""
    most = np.quantile(lengths, MOST, method="higher")
    few = lengths.max() > FAR * most
    enough = _rounded(float(most if few else lengths.max()), how)
    text = f"--max_completion_length {enough} suffices"
    if few:
        text += f" for {MOST:.0%}, {_rounded(float(lengths.max()), how)} for all"
    return f"{text}; or leave out {listed(places, 3)}, which are otherwise taught to end early"


def _rounded(length: float, how: str) -> int:
    return int(length if how == "exactly" else length * 1.1) // STEP * STEP + STEP
