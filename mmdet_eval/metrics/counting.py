"""Counting: exact matches, mean absolute error and root mean square error."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..coco.columns import Indices
from .sampled import Sampled, mean_of_answers
from .scores import EXACT_COUNT

MAE, RMSE = "count MAE", "count RMSE"
WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen twenty"""
DIGITS = {word: str(number) for number, word in enumerate(WORDS.split())} | {"none": "0"}
LONGEST = 300  # characters of a number: beyond, a float is infinite
SIGNED = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Counting:
    """How well things are counted, over all questions that were answered.

    Attributes:
        questions: number of questions.
        exact: the share of them whose count is right.
        mae: mean of |count - annotated|.
        rmse: root of the mean of (count - annotated)^2.
        unread: number of answers without a number; their count is 0 and never exact.
    """

    questions: int
    exact: float
    mae: float
    rmse: float
    unread: int = 0


def counting(counts: Sequence[int | None], annotated: Sequence[int]) -> Counting | None:
    """`Counting` of what was counted against what is annotated; None without questions.

    A missing count is an error of the whole annotated number, as in lmms-eval's FSC147.

    >>> counting([3, None, 5], [3, 2, 4])
    Counting(questions=3, exact=0.3333333333333333, mae=1.0, rmse=1.2909944487358056, unread=1)
    """
    if not len(annotated):
        return None
    errors = np.array([(n or 0) - m for n, m in zip(counts, annotated, strict=True)], dtype=float)
    exact = np.array([n == m for n, m in zip(counts, annotated, strict=True)])
    return Counting(
        len(errors),
        float(exact.mean()),
        float(np.abs(errors).mean()),
        float(np.sqrt((errors**2).mean())),
        sum(count is None for count in counts),
    )


def sampled_counting(
    counts: Sequence[int | None], annotated: Sequence[int], image: Indices, images: int
) -> dict[str, Sampled]:
    """The numbers of `Counting`, by what reports call them, on samples of I images.

    Args:
        counts, annotated: as for `counting`, for n questions.
        image: (n,) place of each question's image.
        images: I.
    """
    pairs = list(zip(counts, annotated, strict=True))
    errors = np.array([(n or 0) - m for n, m in pairs], dtype=float)
    exact = np.array([n == m for n, m in pairs], dtype=bool)
    squares = mean_of_answers(errors**2, image, images)
    return {
        EXACT_COUNT: mean_of_answers(exact, image, images),
        MAE: mean_of_answers(np.abs(errors), image, images),
        RMSE: lambda weights: np.sqrt(squares(weights)),
    }


def fsc147_count(text: str) -> int | None:
    """The number that lmms-eval's FSC147 reads: the first, with a sign, without commas, rounded;
    None without one.

    >>> fsc147_count("About 1,204.6 beads"), fsc147_count("many")
    (1205, None)
    """
    number = SIGNED.search(text.replace(",", ""))
    return round(float(number[0])) if number and len(number[0]) <= LONGEST else None


# lmms-eval's rules for an exact match: (answer, annotated count) -> whether it is one.
PUBLISHED: dict[str, Callable[[str, int], bool]] = {
    "countbench": lambda text, count: DIGITS.get(word := text.strip().lower(), word) == str(count),
    "countbenchqa": lambda text, count: text.strip().lower() == str(count),
    "pixmo_count": lambda text, count: (
        (digits := re.search(r"\d+", text)) is not None
        and len(digits[0]) <= LONGEST
        and int(digits[0]) == count
    ),
    "fsc147": lambda text, count: fsc147_count(text) == count,
}
