"""What `swift infer` is asked to sample, and the record of it that lies beside its answers."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import read_json
from ..geometry.resize import FRAME_VARIABLES
from ..text import listed
from ..writing import sha256, write_file

RECORD = "record.json"
# A checkpoint's own values may make all answers the same (top_k 1, top_p 0.001).
DEFAULTS = {"temperature": "1", "top_k": "50", "top_p": "1", "repetition_penalty": "1"}
OURS = ("model", "dataset", "val_dataset", "result_path", "seed")
SPEED = (  # options that may change between two calls: they do not say what is sampled
    "max_batch_size",
    "write_batch_size",
    "vllm_gpu_memory_utilization",
    "vllm_max_num_seqs",
    "vllm_tensor_parallel_size",
)


@dataclass(frozen=True)
class Sampling:
    """What `swift infer` is asked for.

    Attributes:
        model: folder or hub id.
        samples: answers per row.
        seed: of the first call. Each further call has the next one, or it would draw the same.
        options: further words of its command line.
    """

    model: str
    samples: int
    seed: int
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise InputError for options that we set, and for a word that belongs to no option."""
        given = values_of(self.options)
        if "" in given:
            raise InputError(f"expected options of `swift infer`, got {given[''][0]!r}")
        if refused := [f"--{name}" for name in OURS if name in given]:
            raise InputError(f"expected options that are not set here, got {listed(refused)}")

    def words(self) -> list[str]:
        """The command line, without files and seed."""
        given = values_of(self.options)
        defaults = [(f"--{name}", value) for name, value in DEFAULTS.items() if name not in given]
        words = [word for pair in defaults for word in pair]
        return ["--model", self.model, *words, *self.options]


def values_of(words: Sequence[str]) -> dict[str, list[str]]:
    """The values of each option, its name with underscores; "" has what precedes the first."""
    values: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, given, value = word[2:].partition("=")
            name = name.replace("-", "_")
            values[name] = [value] if given else []
        else:
            values.setdefault(name, []).append(word)
    return values


def check_record(folder: Path, rows: Path, sampling: Sampling) -> None:
    """Make sure that a folder of answers belongs to these rows, this model and these options; one
    without answers gets a new record.

    Raises:
        InputError: it belongs to others.
    """
    options = {
        name: value for name, value in values_of(sampling.words()).items() if name not in SPEED
    }
    limits = {name: os.environ[name] for name in FRAME_VARIABLES if name in os.environ}
    hashes = {f"--{name}": _hash(values) for name, values in options.items()}
    record = {"rows": sha256(rows), **limits, **hashes}
    file = folder / RECORD
    if not any(answers.stat().st_size for answers in folder.glob("answers_*.jsonl")):
        write_file(file, json.dumps(record, indent=2) + "\n")
        return
    if not file.exists():
        raise InputError(f"expected {RECORD} beside the answers in {folder}, got none")
    before = read_json(file)
    differ = [name for name in {**before, **record} if before.get(name) != record.get(name)]
    if differ:
        raise InputError(
            f"expected answers of the same run in {folder}, got answers with other "
            f"{listed(differ)}: give another --out, or remove that folder"
        )


def _hash(values: Sequence[str]) -> str:
    """A hash of an option's values, which may be secret, and of the sizes and times of the files
    that they name: a model that was trained further in its folder is another one."""
    states = []
    for value in values:
        inside = sorted(Path(value).iterdir()) if os.path.isdir(value) else [Path(value)]
        for file in filter(os.path.isfile, inside):
            state = file.stat()
            states.append((file.name, state.st_size, state.st_mtime_ns))
    return hashlib.sha256(json.dumps([list(values), states]).encode()).hexdigest()[:16]
