"""Scores from all answers at once: `--score rank`, and a function of the user's own."""

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import sha256

from ..coco.annotations import Id
from .answer import ReadAnswer
from .confidence import POLICIES, TIES, VERIFIED, in_range

# Takes the answers in the order of the evaluation and the folder of their images (None if it is not
# known). Returns the scores of each answer's boxes, in [0, 1]; NaN for a box without one.
BoxScorer = Callable[[Sequence[ReadAnswer], Path | None], Sequence[Any]]
RANK_RANGE = 0.9  # from the first box to the last, as in DetPO's evaluation of RF100-VL


def find_scorer(score: str) -> BoxScorer | None:
    """What computes the scores if they need all answers at once; None for a policy that scores one
    answer at a time.

    Args:
        score: a key of `POLICIES`, or "module:function" for one's own `BoxScorer`. Modules of the
            current folder are found, too.

    Raises:
        InputError: it is neither, the function does not exist, or the model has to be asked again
            (`VERIFIED`).
    """
    if score == "rank":
        return by_rank
    if score in VERIFIED:
        raise InputError(
            f"expected answers of `mmdet-eval run` for --score {score}, which asks the model again"
        )
    if score in POLICIES:
        return None
    module, _, name = score.partition(":")
    if not (module and name):
        raise InputError(
            f"expected --score to be one of {', '.join(POLICIES)}, or module:function for your own "
            f"scorer, got {score!r}"
        )
    function = getattr(_imported(module, score), name, None)
    if not callable(function):
        raise InputError(f"expected a function {name} in {module} for --score {score}, got none")
    scorer: BoxScorer = function
    return scorer


def describe_score(score: str) -> str:
    """A policy in words; for one's own function with the hash of its file, because the numbers
    depend on its content."""
    if score in POLICIES:
        return POLICIES[score]
    file = getattr(_imported(score.partition(":")[0], score), "__file__", None)
    content = f" (sha256 {sha256(Path(file))[:12]})" if file else ""
    return f"{score}: a function of the user's own{content}; {TIES}"


def by_rank(answers: Sequence[ReadAnswer], _: Path | None = None) -> list[NDArray[np.float64]]:
    """`rank_scores` of each image's boxes: all its answers joined, in their order. Only boxes whose
    label is a category and that lie in the image have a rank; others score 0."""
    kept = [np.array([name is not None for name in one.categories], bool) for one in answers]
    of_image: dict[Id, list[int]] = {}
    for place, one in enumerate(answers):
        of_image.setdefault(one.answer.image.id, []).append(place)
    scores = [np.zeros(len(one)) for one in kept]
    for places in of_image.values():
        counts = [int(kept[place].sum()) for place in places]
        ranks = np.split(rank_scores(sum(counts)), np.cumsum(counts)[:-1])
        for place, some in zip(places, ranks, strict=True):
            scores[place][kept[place]] = some
    return scores


def rank_scores(boxes: int) -> NDArray[np.float64]:
    """Scores of an image's boxes by their order: 1 - .9 i / (m - 1) for the i-th of m, 1 for a
    single box (DetPO's evaluation of RF100-VL).

    >>> rank_scores(4).round(9).tolist()
    [1.0, 0.7, 0.4, 0.1]
    """
    # Rounded as there: which scores are equal decides which boxes tie.
    return 1.0 - RANK_RANGE * np.arange(boxes) / max(boxes - 1, 1)


def rescored(
    read: Sequence[ReadAnswer], scorer: BoxScorer, images: Path | None
) -> tuple[tuple[ReadAnswer, ...], int]:
    """The answers with a scorer's scores, and the number of boxes that it found none for; they
    score 0.

    Raises:
        InputError: the scorer did not return one score for each box of each answer.
    """
    scores = scorer(read, images)
    if len(scores) != len(read):
        raise InputError(
            f"expected the scorer to return a list for each of {len(read)} answers, got "
            f"{len(scores)}"
        )
    with_scores, without = [], 0
    for one, some in zip(read, scores, strict=True):
        given = np.asarray(some, dtype=np.float64).reshape(-1)
        if len(given) != len(one.boxes):
            raise InputError(
                f"expected the scorer to return {len(one.boxes)} scores for the answer in line "
                f"{one.answer.line}, one for each box, got {len(given)}"
            )
        given = in_range(given, len(given))
        without += int(np.isnan(given).sum())
        with_scores.append(replace(one, scores=np.nan_to_num(given, nan=0.0)))
    return tuple(with_scores), without


def _imported(module: str, score: str) -> Any:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"expected --score {score} to name a module that can be imported from {folder} or the "
            f"environment, got: {error}"
        ) from None
    finally:
        sys.path.remove(folder)
