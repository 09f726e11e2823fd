"""Reads VLMEvalKit's result files for one model on one benchmark."""

import csv
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from swift_plugin_visionr1.errors import InputError

# With this environment VLMEvalKit writes the files that are read here: text tables instead of
# Excel.
FORMATS = {"PRED_FORMAT": "tsv", "EVAL_FORMAT": "csv"}
NO_ANSWER = "Failed to obtain answer via API."  # written if a request failed ten times
NO_OPTION = "Failed in Prefetch"  # logged if no option, or more than one, was found in an answer


@dataclass(frozen=True)
class Score:
    """One model on one benchmark.

    Attributes:
        accuracy: VLMEvalKit's overall number, in [0, 1].
        questions: how many were asked.
        no_option: multiple-choice answers that name no option, or several; counted as wrong. None
            if the questions have no options, so that every answer can be compared.
        no_answer: questions for which the server returned nothing; counted as wrong.
    """

    accuracy: float
    questions: int
    no_option: int | None
    no_answer: int


def read_score(folder: Path, benchmark: str) -> Score | None:
    """The score in `folder`, VLMEvalKit's working folder of one model; None if it has not finished.

    Raises:
        InputError: there are several results, or one without an overall score.
    """
    overall = _only(folder, f"{benchmark}_acc.csv")
    chosen = _only(
        folder, f"{benchmark}_openai_result.tsv"
    )  # has this name without OpenAI's judge, too
    answered = chosen or _only(folder, f"{benchmark}_results.tsv")
    if overall is None or answered is None:
        return None
    answers, scores = _rows(answered, "\t"), _rows(overall, ",")
    if len(scores) != 1 or "Overall" not in scores[0]:
        raise InputError(
            f"expected one row with the column Overall in {overall}, got {len(scores)} rows of "
            f"{scores}"
        )
    columns = ("prediction", "log") if chosen else ("prediction",)
    if not answers or any(row.get(name) is None for row in answers for name in columns):
        raise InputError(
            f"expected rows with {' and '.join(columns)} in {answered}, got an empty or "
            "damaged file: delete it and run again"
        )
    given = [row for row in answers if NO_ANSWER not in row["prediction"]]
    return Score(
        accuracy=_number(scores[0]["Overall"], overall) / (1 if chosen else 100),
        questions=len(answers),
        no_option=sum(NO_OPTION in row["log"] for row in given) if chosen else None,
        no_answer=len(answers) - len(given),
    )


def _number(text: str | None, path: Path) -> float:
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            f"expected a number as Overall in {path}, got {text!r}: delete the file and run again"
        )
    return number


def _only(folder: Path, ending: str) -> Path | None:
    """The file that VLMEvalKit names after model and benchmark, in a folder named after the
    model."""
    files = list(folder.glob(f"*/*_{ending}"))
    if len(files) > 1:
        raise InputError(
            f"expected one model's results in {folder}, got {', '.join(map(str, files))}: delete "
            "one"
        )
    return files[0] if files else None


def _rows(path: Path, delimiter: str) -> list[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)  # an endless answer is one field
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"expected a table in UTF-8 at {path}, got: {error}; delete the file and run again"
        ) from None
