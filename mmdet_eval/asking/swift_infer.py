"""Questions answered by `swift infer`, in one call, so that an interruption loses next to nothing.

In the folder: `parts/NNN.jsonl`, what each call of `swift infer` wrote (it appends to a file that
exists, so each has its own), `parts/NNN.prompts.jsonl`, what it was asked, and `infer.log`.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.data.row_files import read_lines, row_of
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.progress import Progress

Row = dict[str, Any]
Key = tuple[
    str, str
]  # the path of the image, what the user says: what ms-swift hands through with every backend

POLL_SECONDS = 1.0
END_SECONDS = 20.0  # for `swift` to end when it is told to
LOG_LINES = 20  # of the log, shown on failure


class InferenceFailed(RuntimeError):
    """`swift infer` did not answer everything; the message ends with its log's last lines."""


def key_of(row: Mapping[str, Any]) -> Key:
    """What a prompt's row and its answer have in common, whatever the order of the answers.

    Two questions with the same key are one question: its answer is the answer of both.
    """
    image = row["images"][0]
    texts = [message["content"] for message in row["messages"] if message["role"] == "user"]
    return image["path"] if isinstance(image, dict) else image, texts[-1]


def ask(
    rows: Iterable[Row], folder: Path, arguments: Sequence[str], allow_missing: bool = False
) -> tuple[dict[Key, bytes], int]:
    """Have `swift infer` answer every row whose answer is not in `folder` yet.

    Args:
        rows: each with "messages" and one path in "images".
        arguments: of `swift infer`, without --val_dataset and --result_path.
        allow_missing: tell on stderr what `swift infer` left without an answer, unless that is
            everything.

    Returns:
        The answers as JSON lines of `swift infer` by their key, and the number of questions asked
        now: 0 where all were answered before, and no model was started.

    Raises:
        InferenceFailed: `swift infer` failed or left questions without an answer; what it answered
            is kept. With allow_missing only where there is no answer at all.
        InputError: another process is asking for the same folder.
    """
    questions = {key_of(row): row for row in rows}
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    with locked(folder) as lock:
        answers = read_answers(parts)
        pending = _pending(questions, answers, parts)
        if not pending:
            return answers, 0
        part = parts / f"{len(list(parts.glob('*.prompts.jsonl'))):03}.jsonl"
        _write(pending, part.with_suffix(".prompts.jsonl"))
        files = [
            "--val_dataset",
            str(part.with_suffix(".prompts.jsonl")),
            "--result_path",
            str(part),
        ]
        progress = Progress(len(questions), len(questions) - len(pending), sys.stderr, "answered")
        code = _infer([*arguments, *files], part, folder / "infer.log", progress, lock)
        answers = read_answers(parts)
    left = sum(key not in answers for key in questions)
    if code or left:
        failure = _failure(code, left, len(questions), folder / "infer.log")
        if not allow_missing or left == len(questions):
            raise InferenceFailed(failure)
        warn(f"mmdet-eval: evaluating {left} questions as answered with nothing: {failure}")
    return answers, len(pending)


def read_answers(parts: Path) -> dict[Key, bytes]:
    """The answers on disk, as lines by key; a line that was not written to its end is no answer."""
    answers: dict[Key, bytes] = {}
    for path in sorted(parts.glob("[0-9][0-9][0-9].jsonl")):
        for key, line in _keyed(path):
            answers.setdefault(key, line)
    return answers


def _keyed(path: Path) -> Iterator[tuple[Key, bytes]]:
    """Whole rows as written, which takes less memory than what is in them."""
    for _, line in read_lines(path):
        row = row_of(line)
        if not isinstance(row, str):
            yield key_of(row), line


def _pending(questions: Mapping[Key, Row], answers: Container[Key], parts: Path) -> list[Row]:
    """What has no answer yet; last the first question that each earlier call left without one.

    If that call wrote answer by answer, this question ended it, and would keep those after it from
    being asked.
    """
    asked = [[key for key, _ in _keyed(path)] for path in parts.glob("*.prompts.jsonl")]
    suspects = {key for keys in asked for key in [key for key in keys if key not in answers][:1]}
    left = [key for key in questions if key not in answers]
    return [questions[key] for key in sorted(left, key=suspects.__contains__)]


def _write(rows: Sequence[Row], path: Path) -> None:
    """Only what ms-swift itself reads: other columns would go to the transformers backend's
    generate()."""
    kept = [{name: row[name] for name in ("messages", "images")} for row in rows]
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), encoding="utf-8"
    )


def _infer(arguments: Sequence[str], part: Path, log: Path, progress: Progress, lock: int) -> int:
    """Run `swift infer` with its output in `log`; returns its exit code."""
    command = [
        sys.executable,
        "-m",
        "swift.cli.main",
        "infer",
        *arguments,
    ]  # `swift infer`, wherever PATH points
    before, written = progress.done, _lines(part)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(lock,),
        )
        try:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
                progress.show(before + next(written))
        finally:
            end(process)
            progress.close()
    return process.returncode


def _lines(path: Path) -> Iterator[int]:
    """How many lines a growing file has, each time it is asked."""
    count = offset = 0
    while True:
        if path.exists():
            with path.open("rb") as file:
                file.seek(offset)
                new = file.read()
            count, offset = count + new.count(b"\n"), offset + len(new)
        yield count


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a `swift` and all that it started, which are in its session, when we are ended
    ourselves."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """The open file that holds the folder's lock; a `swift` that inherits it holds the lock as
    well.

    So an orphan, left by a killed run, is not started a second time beside itself.

    Raises:
        InputError: another process holds it.
    """
    import fcntl  # not on Windows, where the rest of the package works

    with (folder / "lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"expected that nobody else writes into {folder}, got a run that is still asking, "
                "or the `swift` "
                "that a killed one left behind: wait for it or end it, then run the same command "
                "again"
            ) from None
        yield file.fileno()


def _failure(code: int, left: int, total: int, log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    came = f"exit code {code} and {left} of {total} questions without an answer"
    return (
        f"expected `swift infer` to answer every question, got {came}; what is answered is kept: "
        "put the cause right "
        "and run the same command again; or, where a single question ends it, run it with "
        "--write_batch_size 1, by "
        "which it is found and asked last, and then with --allow-missing, which evaluates it as "
        "answered with nothing. "
        f"The end of {log}:\n" + "\n".join(lines[-LOG_LINES:])
    )
