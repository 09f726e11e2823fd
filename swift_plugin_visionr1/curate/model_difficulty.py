"""How difficult rows are for a model: what its sampled answers earn.

GRPO learns from how the answers of a group differ. A row whose answers all earn the same, all
perfect or all nothing, teaches nothing.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..data.ground_truth import GroundTruth, read_solution
from ..data.logged_rows import Row, read_lines
from ..data.published.base import IMAGE_TAG, first_image
from ..data.row_files import read_rows
from ..errors import InputError, SolutionError
from ..models.right_answer import target
from ..reward.scorer import Scorer
from ..text import listed
from .output import output

Verdict = Literal["useful", "perfect", "zero", "equal", "unknown"]
SAME = 1e-8  # spread of rewards below which a group teaches nothing
VERDICT = "reward_verdict"  # the column
DROPPED: tuple[Verdict, ...] = ("perfect", "zero", "equal")


@dataclass(frozen=True)
class Judgement:
    """What a model's answers to a row earn.

    Attributes:
        mean: of the total reward; NaN without answers.
        spread: its standard deviation.
        answers: how many there are.
        verdict: whether a group of such answers teaches anything, and why not.
    """

    mean: float
    spread: float
    answers: int
    verdict: Verdict

    @property
    def columns(self) -> dict[str, Any]:
        """What is written into the row."""
        if not self.answers:
            return {"reward_answers": 0, VERDICT: self.verdict}
        return {
            "reward_mean": round(self.mean, 4),
            "reward_spread": round(self.spread, 4),
            "reward_answers": self.answers,
            VERDICT: self.verdict,
        }


@dataclass(frozen=True)
class Sorted:
    """What was written: rows by verdict, and how many of them are in the file."""

    verdicts: Counter[str]
    written: int
    strangers: int


def judge(rewards: Sequence[float], best: float) -> Judgement:
    """The judgement of a group by its total rewards.

    Args:
        rewards: of the answers to one row.
        best: what a perfect answer earns.

    >>> judge([3.0, 3.0], 3.0).verdict, judge([0.0, 1.5], 3.0).verdict
    ('perfect', 'useful')
    """
    if not len(rewards):
        return Judgement(float("nan"), float("nan"), 0, "unknown")
    mean, spread = float(np.mean(rewards)), float(np.std(rewards))
    if np.ptp(rewards) > SAME:
        return Judgement(mean, spread, len(rewards), "useful")
    verdict: Verdict = "perfect" if mean >= best - SAME else "zero" if mean <= SAME else "equal"
    return Judgement(mean, spread, len(rewards), verdict)


def sort_rows(
    rows: Path,
    answers: Sequence[Path],
    out: Path,
    scorer: Scorer,
    stage: str,
    keep: float = 0.0,
    most: int | None = None,
) -> Sorted:
    """Write the rows that teach something, each with the mean and the spread of its rewards.

    Args:
        rows: JSON lines in our form.
        answers: files of `swift infer` over these rows, one for each time it sampled.
        out: JSON lines to write.
        scorer: the run's own rules and model.
        stage: whose criteria apply.
        keep: share of the rows that teach nothing which stay. Which ones depends on the rows only.
        most: answers of a row that count; None is all.

    Raises:
        InputError: a file cannot be used, or no answer belongs to a row. Nothing is written.
    """
    truths = read_truths(rows)
    rewards = _rewards(answers, truths, scorer, stage, most)
    verdicts: Counter[str] = Counter()
    written = 0
    with output(out, [rows, *answers]) as result:
        for _, row in read_rows(rows):
            key = question_of(row)
            best = _best(truths[key], scorer, stage)
            judgement = judge(rewards.get(key, ()), best)
            verdicts[judgement.verdict] += 1
            if judgement.verdict not in DROPPED or draw_of(key) < keep:
                result.add({**row, **judgement.columns})
                written += 1
        if verdicts["unknown"] == verdicts.total():
            raise InputError(
                f"expected answers to the rows of {rows}, got none in {listed(answers)}: the "
                "question and the image must be the same; let `swift infer` keep them"
            )
    return Sorted(verdicts, written, len(rewards.keys() - truths.keys()))


def draw_of(key: str) -> float:
    """A number from 0 to 1 that is always the same for a question."""
    return int.from_bytes(sha256(key.encode("utf-8", "replace")).digest()[:8], "big") / 2**64


def question_of(row: Mapping[str, Any]) -> str:
    """What a row and its answers have in common: the first question and the image."""
    image = first_image(row)
    path = image.get("path") if isinstance(image, Mapping) else image
    return json.dumps([asked_of(row), path])


def asked_of(row: Mapping[str, Any]) -> str:
    """The first question, without the places of images."""
    messages = row.get("messages") or ()
    asked = next((m.get("content") for m in messages if m.get("role") == "user"), "")
    return str(asked).replace(IMAGE_TAG, "").strip()


def read_truths(file: Path) -> dict[str, GroundTruth]:
    """The annotation of each row by its question; `swift infer` does not always keep it.

    Raises:
        InputError: the file or an annotation cannot be used.
    """
    truths = {}
    for number, row in read_rows(file):
        try:
            truth = read_solution(row.get("solution"), row.get("width"), row.get("height"))
        except SolutionError as error:
            raise InputError(f"row {number} of {file}: {error}") from None
        truths[question_of(row)] = truth
    return truths


def _rewards(
    files: Sequence[Path],
    truths: Mapping[str, GroundTruth],
    scorer: Scorer,
    stage: str,
    most: int | None,
) -> dict[str, list[float]]:
    rewards: dict[str, list[float]] = defaultdict(list)
    for row in _answers(files):
        some = rewards[key := question_of(row.columns)]
        if key in truths and (most is None or len(some) < most):
            some.append(float(scorer.score(row.text or "", truths[key], stage).total))
    return rewards


def _answers(files: Sequence[Path]) -> Iterator[Row]:
    return (row for file in files for rows in read_lines(file) for row in rows)


def _best(truth: GroundTruth, scorer: Scorer, stage: str) -> float:
    """What the right answer earns."""
    return float(scorer.score(target(truth, scorer.io)[0], truth, stage).total)
