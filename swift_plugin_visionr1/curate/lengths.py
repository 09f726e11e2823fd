"""How long questions and right answers are, in tokens of the model's own tokenizer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..data.ground_truth import read_solution
from ..errors import InputError, SolutionError
from ..models.model_io import ModelIO
from ..models.right_answer import target


@dataclass(frozen=True)
class Lengths:
    """Counts tokens, or characters where there is no tokenizer.

    Attributes:
        unit: what is counted.
        count: of a text.
        io: how the model writes its answers.
    """

    unit: str
    count: Callable[[str], int]
    io: ModelIO

    def answer(self, solution: str) -> int | None:
        """Of the right answer; None if the format cannot write it."""
        try:
            return self.count(target(read_solution(solution), self.io)[0])
        except SolutionError:
            return None


def lengths_of(tokenizer: str | None, io: ModelIO) -> Lengths:
    """Counts with the tokenizer of a model's folder.

    Raises:
        InputError: it cannot be loaded.
    """
    if tokenizer is None:
        return Lengths("characters", len, io)
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise InputError(f"expected the package tokenizers to count tokens: {error}") from None
    file = Path(tokenizer) / "tokenizer.json"
    if not file.is_file():
        raise InputError(
            f"expected the folder of a model with a tokenizer.json, got {tokenizer}: give the "
            "folder into which it was downloaded"
        )
    loaded = Tokenizer.from_file(str(file))
    return Lengths("tokens", lambda text: len(loaded.encode(text).ids), io)
