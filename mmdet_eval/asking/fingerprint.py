"""What the answers of `mmdet-eval run` depend on: model, options, environment, questions, and the
content of files."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES
from swift_plugin_visionr1.models.checkpoint import kept_arguments

from ..suites.prompt_rows import Row
from ..suites.protocols import Protocol
from .asked_model import AskedModel
from .contents import Contents, named_files
from .passed_options import adapters_in, pairs, places, recorded, without_user
from .record import changed_names
from .swift_infer import key_of

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


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def describe_difference(name: str, before: object, now: object) -> str:
    """In words, how a part of what the answers depend on differs from the recorded one."""
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
