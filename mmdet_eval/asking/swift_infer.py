"""Has `swift infer` answer questions in one call, so that an interruption loses next to nothing.

The folder holds `parts/NNN.jsonl`, what each call of `swift infer` wrote (it appends to an existing
file, so each call has its own), `parts/NNN.prompts.jsonl`, what it was asked, and `infer.log`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.data.row_files import row_of
from swift_plugin_visionr1.progress import Progress
from swift_plugin_visionr1.writing import write_file

from .process import last_lines, swift

Row = dict[str, Any]
Key = tuple[
    str, str
]  # the image's path and the user's text: what ms-swift passes through with every backend

POLL_SECONDS = 1.0
LOG = "infer.log"
PROMPTS = ".prompts.jsonl"  # ending of the file with a call's questions
_NUMBER = re.compile(r"\d+(\.prompts)?\.jsonl").fullmatch


class InferenceFailed(RuntimeError):
    """`swift infer` did not answer everything; the message ends with the last lines of its log."""


def key_of(row: Mapping[str, Any]) -> Key:
    """What the row of a prompt and its answer have in common, whatever the order of the answers.

    Two questions with the same key are one question, and share its answer.
    """
    image = row["images"][0]
    texts = [message["content"] for message in row["messages"] if message["role"] == "user"]
    return image["path"] if isinstance(image, dict) else image, texts[-1]


def left_to_ask(rows: Iterable[Row], answers: Container[Key], parts: Path) -> list[Row]:
    """The rows without an answer, each question once. The first question that an earlier call left
    unanswered comes last.

    If that call wrote answer by answer, this question made it fail, and would do so again before
    the others are asked.
    """
    questions = {key_of(row): row for row in rows}
    asked = [[key for key, _ in _keyed(path)] for path in parts.glob(f"*{PROMPTS}")]
    suspects = {key for keys in asked for key in [key for key in keys if key not in answers][:1]}
    left = [key for key in questions if key not in answers]
    return [questions[key] for key in sorted(left, key=suspects.__contains__)]


def ask(
    rows: Sequence[Row],
    total: int,
    part: Path,
    arguments: Sequence[str],
    lock: int,
    allow_missing: bool = False,
) -> dict[Key, bytes]:
    """Have `swift infer` answer every row.

    Args:
        rows: rows from `left_to_ask`, each with "messages" and one path in "images".
        total: number of all questions, including those already answered.
        part: the file for the answers, from `next_part`.
        arguments: arguments of `swift infer`, without --val_dataset and --result_path.
        lock: the lock of the output folder.
        allow_missing: only report unanswered questions on stderr, unless nothing was answered.

    Returns:
        All answers, including those of earlier calls, as JSON lines of `swift infer` by key.

    Raises:
        InferenceFailed: `swift infer` failed or left questions unanswered; its answers are kept.
            With allow_missing, only if there is not a single answer.
    """
    prompts, log = part.with_suffix(PROMPTS), part.parent.parent / LOG
    _write(rows, prompts)
    files = ["--val_dataset", str(prompts), "--result_path", str(part)]
    progress = Progress(total, total - len(rows), sys.stderr, "answered")
    code = _infer([*arguments, *files], part, log, progress, lock)
    answers = read_answers(part.parent)
    left = sum(key_of(row) not in answers for row in rows)
    if code or left:
        failure = _failure(code, left, total, log)
        if not allow_missing or left == total:
            raise InferenceFailed(failure)
        warn(f"mmdet-eval: counting {left} questions as having empty answers: {failure}")
    return answers


def read_answers(parts: Path) -> dict[Key, bytes]:
    """The answers on disk, as lines by key; an incomplete line does not count."""
    answers: dict[Key, bytes] = {}
    for path in _answer_files(parts):
        for key, line in _keyed(path):
            answers.setdefault(key, line)
    return answers


def read_questions(part: Path) -> list[Key]:
    """What the call with this file of answers was asked; empty if its questions are gone."""
    prompts = part.with_suffix(PROMPTS)
    return [key for key, _ in _keyed(prompts)] if prompts.is_file() else []


def next_part(parts: Path) -> Path:
    """The file for the answers of the next call."""
    numbers = [int(path.name.split(".")[0]) for path in parts.glob("*.jsonl") if _NUMBER(path.name)]
    return parts / f"{max(numbers, default=-1) + 1:03}.jsonl"


def clear_parts(parts: Path) -> None:
    """Remove what calls without a single answer left behind: they may have asked another model."""
    for path in parts.glob("*.jsonl"):
        if _NUMBER(path.name):
            path.unlink()


def _answer_files(parts: Path) -> list[Path]:
    paths = [path for path in parts.glob("*.jsonl") if _NUMBER(path.name)]
    return sorted(path for path in paths if not path.name.endswith(PROMPTS))


def _keyed(path: Path) -> Iterator[tuple[Key, bytes]]:
    """Complete rows as text, which takes less memory than parsed ones. Reports on stderr how many
    lines are damaged, for example after a crash of the machine."""
    damaged = 0
    with path.open("rb") as file:
        for line in file:
            row = row_of(line)
            key = None if isinstance(row, str) or not line.endswith(b"\n") else _key_or_none(row)
            if key is not None:
                yield key, line
            damaged += key is None and bool(line.strip())
    if damaged:
        warn(f"note: {damaged} lines of {path} are incomplete and were skipped")


def _key_or_none(row: Mapping[str, Any]) -> Key | None:
    try:
        key = key_of(row)
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    return key if all(isinstance(part, str) for part in key) else None


def _write(rows: Sequence[Row], path: Path) -> None:
    """Only the columns that ms-swift reads: the transformers backend would pass others to
    generate()."""
    kept = [{name: row[name] for name in ("messages", "images")} for row in rows]
    write_file(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))


def _infer(arguments: Sequence[str], part: Path, log: Path, progress: Progress, lock: int) -> int:
    """Run `swift infer` with its output in `log`; returns its exit code."""
    before, written = progress.done, _lines(part)
    try:
        with swift(["infer", *arguments], log, lock) as process:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
                progress.show(before + next(written))
    finally:
        progress.close()
    return process.returncode


def _lines(path: Path) -> Iterator[int]:
    """Counts the lines of a growing file each time it is called."""
    count = offset = 0
    while True:
        if path.exists():
            with path.open("rb") as file:
                file.seek(offset)
                new = file.read()
            count, offset = count + new.count(b"\n"), offset + len(new)
        yield count


def _failure(code: int, left: int, total: int, log: Path) -> str:
    came = f"exit code {code} and {left} of {total} questions without an answer"
    return (
        f"expected `swift infer` to answer every question, got {came}; the answers so far are "
        "kept: fix the cause and run the same command again. If a single question makes it fail, "
        "run it with --write_batch_size 1, which finds this question and asks it last, and then "
        "with --allow-missing, which counts its answer as empty. The end of "
        f"{log}:\n{last_lines(log)}"
    )
