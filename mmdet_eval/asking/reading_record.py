"""Records how the answers of a run are to be read: `mmdet-eval run` writes it to run.json, and a
later evaluation of these answers finds it there."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.checkpoint import Checkpoint, find_checkpoint
from swift_plugin_visionr1.runs.run_record import RunRecord, find_record

from .passed_options import without_user

ANSWERS = "answers"  # the folder of a run's answers, beside its run.json
HELD_OUT = "vision_r1_eval"  # the folder of the answers during training, in the run's output_dir
RECORD = "run.json"


@dataclass(frozen=True)
class ReadingRecord:
    """What decides how answers are read.

    Attributes:
        model: folder or hub id of the checkpoint that was asked.
        model_type: ms-swift's name of its family; None if not given.
        max_pixels: the --max_pixels of `swift infer`.
        chat: template and thinking, as inference had them.
        environ: the variables that change a frame, as inference had them.
        adapters: folders or hub ids of the LoRA adapters on the model.
    """

    model: str
    model_type: str | None = None
    max_pixels: int | None = None
    chat: ChatOptions = ChatOptions()
    environ: Mapping[str, str] = field(default_factory=dict)
    adapters: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For run.json, under "reading"."""
        adapters = [_resolved(adapter) for adapter in self.adapters]
        return asdict(self) | {"model": _resolved(self.model), "adapters": adapters}

    @property
    def checkpoint(self) -> Checkpoint:
        """What the checkpoint says about itself now."""
        return find_checkpoint(self.model, self.adapters)


def _resolved(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else without_user(name)


def find_reading_record(predictions: Path) -> ReadingRecord | None:
    """What run.json says about a run's answer folder or a file in it; None for other files."""
    folder = predictions if predictions.name == ANSWERS else predictions.parent
    if folder.name != ANSWERS:
        return None
    try:
        written = json.loads((folder.parent / RECORD).read_text(encoding="utf-8"))["reading"]
        adapters = tuple(written.get("adapters", ()))
        chat = ChatOptions(**written["chat"])
        return ReadingRecord(**(written | {"chat": chat, "adapters": adapters}))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not from a run, or from an older version


def find_training_record(predictions: Path, record: ReadingRecord | None) -> RunRecord | None:
    """What training recorded in vision_r1.json, for the answers that `vision_r1_eval` wrote and
    those of the run's checkpoints, whole models or adapters; None for others.

    Raises:
        InputError: the file was written by something else.
    """
    if record is None:
        folder = predictions if predictions.is_dir() else predictions.parent
        return _recorded(folder) if folder.name == HELD_OUT else None
    folders = [Path(name) for name in (*record.adapters, record.model) if Path(name).is_dir()]
    known = (_recorded(folder) for folder in folders)
    return next((one for one in known if one is not None), None)


def _recorded(folder: Path) -> RunRecord | None:
    known = find_record(folder)
    return known[0] if known else None
