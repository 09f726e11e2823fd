"""Rows of a JSONL file: completions, as `swift infer` and as ms-swift's GRPO write them, and
dataset rows.

GRPO's completions.jsonl (`--log_completions true`) has one line per logging, a dictionary of
columns: `step`, `prompt`, `completion`, a column per reward class, `advantages`, and `solution`
where the dataset has one. The last line repeats the one before. The Megatron trainer calls the step
`gen_step` and leaves `solution` out; the Ray trainer writes a row per completion. `swift infer`
writes a row per completion with `response`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InputError, SolutionError
from .images import image_size
from .published import form_of
from .published.base import first_image
from .row_files import read_jsonl
from .row_tasks import Target, target_of

COMPLETION_KEYS = ("response", "completion")


@dataclass(frozen=True, eq=False)
class Row:
    """One row, or one completion of a line that holds several.

    Attributes:
        columns: the row's own values.
        line: of the file, from 1.
        place: in that line, from 1; None where the line is one row.
    """

    columns: Mapping[str, Any]
    line: int
    place: int | None = None

    @property
    def where(self) -> str:
        """The row's place in its file, for messages."""
        return f"line {self.line}" + (f", completion {self.place}" if self.place else "")

    @property
    def text(self) -> str | None:
        """The completion: `response`, `completion`, or the assistant's last message; None without
        one."""
        for key in COMPLETION_KEYS:
            if isinstance(self.columns.get(key), str):
                return str(self.columns[key])
        last = (_messages(self.columns) or [{}])[-1]
        return str(last["content"]) if last.get("role") == "assistant" else None

    @property
    def prompt(self) -> str:
        """What was asked: the log's whole prompt, else the user's last message; "" if unknown."""
        if isinstance(self.columns.get("prompt"), str):
            return str(self.columns["prompt"])
        asked = [
            message["content"]
            for message in _messages(self.columns)
            if message.get("role") == "user"
        ]
        return str(asked[-1]) if asked else ""

    @property
    def image(self) -> Any:
        """The row's first image as written: a path, or a mapping of path and bytes; None if the row
        has no image."""
        return first_image(self.columns)

    @property
    def image_path(self) -> str | None:
        """That image's path as written; None if the row does not give it."""
        path = self.image.get("path") if isinstance(self.image, dict) else self.image
        return path if isinstance(path, str) else None

    @property
    def step(self) -> int | None:
        """The trainer's step at which the completion was logged."""
        step = self.columns.get("step", self.columns.get("gen_step"))
        if isinstance(step, str) and step.isdecimal() and len(step) < 19:
            return int(step)
        return step if isinstance(step, int) else None

    def target(self) -> Target | None:
        """What the row's answers are judged against; None if that is left to other rewards.

        Raises:
            InputError: the row has no annotations, and no task.
            SolutionError: they cannot be used.
        """
        if "solution" not in self.columns and not self.columns.get("task"):
            raise InputError(
                "expected a column solution, got none: name the data set with --dataset (with "
                "vLLM, `swift infer --remove_unused_columns false` keeps the column)"
            )
        return target_of(self.columns, mixed=True)


def _messages(columns: Mapping[str, Any]) -> list[Any]:
    messages = columns.get("messages")
    return (
        [m for m in messages if isinstance(m, dict) and isinstance(m.get("content"), str)]
        if isinstance(messages, list)
        else []
    )


def read_line(path: Path, number: int, place: int | None = None) -> Row:
    """Line `number` of a JSONL file, both from 1; `place` chooses a completion in a line of
    columns.

    Raises:
        InputError: there is no such line or completion.
    """
    for row in (row for rows in read_lines(path) for row in rows):
        if row.line == number and row.place in (None, place or 1):
            return row
    raise InputError(
        f"expected line {number}{f', completion {place}' if place else ''} in {path}, got none "
        "there"
    )


def read_lines(path: Path, skip_broken: bool = False) -> Iterator[list[Row]]:
    """Each line's rows: one, or as many as its columns are long.

    Args:
        path: the JSONL file.
        skip_broken: whether invalid lines are passed over: a run that is still training, or was
            killed, leaves one.

    Raises:
        InputError: the file cannot be read, or a line is not a JSON object.
    """
    for number, data in read_jsonl(path):
        if not isinstance(data, str):
            yield _rows(data, number)
        elif not skip_broken:
            raise InputError(f"line {number} of {path}: {data}")


def _rows(data: Mapping[str, Any], number: int) -> list[Row]:
    completions = data.get("completion")
    if not isinstance(completions, list):
        return [Row(data, number)]
    # A column of another length belongs to other completions: the trainer cut it differently.
    count = len(completions)
    columns = {
        name: values
        for name, values in data.items()
        if isinstance(values, list) and len(values) == count
    }
    return [
        Row({name: values[i] for name, values in columns.items()}, number, i + 1)
        for i in range(count)
    ]


def without_repeats(lines: Sequence[list[Row]]) -> list[list[Row]]:
    """A log's lines without what the trainer wrote again.

    A line at the step of the line before repeats it, after an evaluation or at the end of training.
    Where the step falls back the run was resumed: what was logged from there on counts, not what
    was logged before.
    """
    kept: list[list[Row]] = []
    for rows in lines:
        step = rows[0].step if rows[0].place else None
        if step is None:
            kept.append(rows)
            continue
        last = kept[-1][0].step if kept else None
        if step == last:
            continue
        while kept and (kept[-1][0].step or 0) >= step:
            kept.pop()
        kept.append(rows)
    return kept


def published(row: Row) -> Row:
    """The row as training reads it: one in a data set's published form becomes messages, images and
    our solution.

    Raises:
        SolutionError: it cannot be read.
    """
    form = form_of(row.columns)
    if form is None:
        return row
    return replace(row, columns=form.convert(row.columns, image_size))


@contextmanager
def naming(row: Row, path: Path) -> Iterator[None]:
    """While open, errors name the row's place in its file."""
    try:
        yield
    except SolutionError as error:
        raise SolutionError(f"{row.where} of {path}: {error}") from None
    except InputError as error:
        raise InputError(f"{row.where} of {path}: {error}") from None
