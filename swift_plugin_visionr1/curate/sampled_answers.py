"""Has `swift infer` sample answers to rows, in a folder that an interrupted run goes on with.

The folder holds `record.json`, and `asked_NNN.jsonl` and `answers_NNN.jsonl` of each call of
`swift infer`, which appends to an existing file.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from ..console import warn
from ..data.logged_rows import read_lines
from ..data.row_files import read_rows
from ..errors import InputError
from ..writing import locked
from .model_difficulty import question_of
from .sampling import Sampling, check_record


def sample_answers(rows: Path, folder: Path, sampling: Sampling) -> list[Path]:
    """The files of all answers, once `swift infer` has given those that were lacking.

    Args:
        rows: JSON lines in our form.
        folder: where answers are kept, perhaps with those of an interrupted run.
        sampling: what is asked for.

    Raises:
        InputError: the folder belongs to another model, other rows or other options, another
            process writes there, or `swift infer` is missing or failed.
    """
    with locked(folder) as lock:
        check_record(folder, rows, sampling)
        for file in _answers(folder):
            _drop_incomplete_line(file)
        lacking = _lacking(rows, folder, sampling.samples)
        if lacking:
            _ask(rows, folder, sampling, lacking, lock)
        return _answers(folder)


def _ask(
    rows: Path, folder: Path, sampling: Sampling, lacking: Mapping[str, int], lock: int
) -> None:
    """Call `swift infer` once for the answers that are lacking."""
    if find_spec("swift") is None:
        raise InputError("expected ms-swift, which samples the answers: pip install ms-swift")
    number = len(list(folder.glob("asked_*.jsonl")))
    asked, answers = (folder / f"{name}_{number:03}.jsonl" for name in ("asked", "answers"))
    with asked.open("w", encoding="utf-8") as file:
        file.writelines(_prompts(rows, lacking))
    files = ["--val_dataset", str(asked), "--result_path", str(answers)]
    words = [*sampling.words(), *files, "--seed", str(sampling.seed + number)]
    command = [sys.executable, "-m", "swift.cli.main", "infer", *words]
    warn(f"asking for {sum(lacking.values())} answers ...")
    kept = f"the answers so far stay in {folder}: run the same command again to go on"
    try:
        code = subprocess.run(command, check=False, pass_fds=(lock,)).returncode
    except KeyboardInterrupt:
        warn(f"note: {kept}")
        raise
    if code:
        raise InputError(f"expected `swift infer` to end well, got exit code {code}; {kept}")
    if left := sum(_lacking(rows, folder, sampling.samples).values()):
        warn(f"note: `swift infer` gave {left} answers fewer than it was asked for")


def _lacking(rows: Path, folder: Path, samples: int) -> dict[str, int]:
    """How many answers are lacking, by question; without those that have enough."""
    answered = Counter(
        question_of(row.columns)
        for file in _answers(folder)
        for some in read_lines(file)
        for row in some
    )
    questions = dict.fromkeys(question_of(row) for _, row in read_rows(rows))
    return {key: samples - answered[key] for key in questions if answered[key] < samples}


def _prompts(rows: Path, lacking: Mapping[str, int]) -> Iterator[str]:
    """Lines with each question as often as it lacks answers, in turns, so that an interruption
    leaves all rows with about as many. `swift infer` hands some other columns to the model."""
    for turn in range(max(lacking.values())):
        questions = {key for key, count in lacking.items() if count > turn}
        for _, row in read_rows(rows):
            if (key := question_of(row)) in questions:
                questions.remove(key)  # rows with the same question share its answers
                kept = {name: row[name] for name in ("messages", "images") if name in row}
                yield json.dumps(kept) + "\n"


def _answers(folder: Path) -> list[Path]:
    return sorted(folder.glob("answers_*.jsonl"))


def _drop_incomplete_line(file: Path) -> None:
    """Drop the beginning of a line that an interrupted `swift infer` left."""
    with file.open("rb") as lines:
        whole = sum(len(line) for line in lines if line.endswith(b"\n"))
    if whole < file.stat().st_size:
        os.truncate(file, whole)
        warn(f"note: the last answer in {file} is incomplete and counts as lacking")
