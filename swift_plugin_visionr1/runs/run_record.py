"""What decided a run's rewards, kept in its output folder: `explain`, `score` and `plot` find it
there.

A run that is resumed with other settings adds a record; the last one counts. Its warnings are kept
beside the records, so that a resumed run does not repeat them.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..geometry.resize import FRAME_VARIABLES
from ..models.chat import ChatOptions
from ..models.model_io import Limits, ModelIO, model_io
from ..reward.settings import Settings, plain_settings, settings_from

NAME = "vision_r1.json"
# What the families read of an image processor.
PROCESSOR = (
    "size",
    "patch_size",
    "pooling_kernel_size",
    "max_soft_tokens",
    "max_patches",
    "min_patches",
    "max_slice_nums",
    "scale_resolution",
    "candidate_resolutions",
)


@dataclass(frozen=True)
class RunRecord:
    """What decided the rewards of one run.

    Attributes:
        settings: all of them, whatever file or preset they came from.
        model_type: ms-swift's name of the model's family; None if only the settings tell how it
            answers.
        chat: its template, and what that puts before every response.
        max_pixels: ms-swift's --max_pixels.
        environ: the variables that change a frame.
        processor: the fields of the image processor that decide sizes.
    """

    settings: Settings
    model_type: str | None = None
    chat: ChatOptions = ChatOptions()
    max_pixels: int | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    processor: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """The limits of image sizes; the shell's own variables are ignored."""
        return Limits(self.environ, self.max_pixels, self.processor)

    @property
    def io(self) -> ModelIO:
        """How the run's model sees images and writes boxes."""
        return model_io(self.settings, self.model_type, self.limits, self.chat, default=None)

    def describe(self) -> str:
        """In a few words."""
        sizes = [f"{name}={value}" for name, value in self.environ.items()]
        if self.max_pixels is not None:
            sizes.append(f"--max_pixels {self.max_pixels}")
        kind = f"model type {self.model_type or 'not known'}"
        return ", ".join([self.settings.source, kind, *sizes])


def record_of(
    settings: Settings, model_type: str | None, chat: ChatOptions, limits: Limits
) -> RunRecord:
    """The record of a run with these."""
    environ = {name: limits.environ[name] for name in FRAME_VARIABLES if limits.environ.get(name)}
    processor = {
        name: dict(value) if isinstance(value, Mapping) else value
        for name in PROCESSOR
        if (value := limits.processor.get(name)) is not None
    }
    return RunRecord(settings, model_type, chat, limits.max_pixels, environ, processor)


def keep_record(folder: Path, record: RunRecord) -> bool:
    """Write a run's record, after the earlier ones if it differs from the last.

    Returns:
        Whether there is an earlier record that it differs from.
    """
    kept, written = _read(folder), _written(record)
    records = kept["records"]
    if records and _without_answers(records[-1]) == _without_answers(written):
        return False
    _write(folder, {**kept, "records": [*records, written]})
    return bool(records)


def find_record(folder: Path) -> tuple[RunRecord, Path] | None:
    """The last record of the run whose output folder this is, or is below it, with that folder.

    Raises:
        InputError: the file was written by something else.
        SettingsError: its settings were written by something else.
    """
    for place in (folder, folder.resolve().parent):
        records = _read(place)["records"]
        if not records:
            continue
        try:
            return _record(records[-1]), place
        except (KeyError, TypeError) as error:
            raise InputError(
                f"expected {place / NAME} as training writes it, got one without {error}: move it "
                "away, and give --config and --model-type"
            ) from None
    return None


def past_alarms(folder: Path) -> dict[str, int]:
    """The causes of the run's warnings -> the step of the last one."""
    return {str(cause): int(step) for cause, step in _read(folder)["alarms"].items()}


def keep_alarm(folder: Path, cause: str, step: int) -> None:
    """Remember a warning."""
    kept = _read(folder)
    _write(folder, {**kept, "alarms": {**kept["alarms"], cause: step}})


def _written(record: RunRecord) -> dict[str, Any]:
    io = record.io
    answers = {
        "format": io.format.name,
        "frame": io.format.frame.describe(),
        "reasoning": getattr(io.format, "reasoning", "none"),
        "resize": io.resize.describe(),
    }
    plain = {
        "settings": plain_settings(record.settings),
        "source": record.settings.source,
        "model_type": record.model_type,
        "chat": asdict(record.chat),
        "max_pixels": record.max_pixels,
        "environ": dict(record.environ),
        "processor": dict(record.processor),
        "answers": answers,
    }
    return dict(json.loads(json.dumps(plain)))


def _without_answers(written: Mapping[str, Any]) -> dict[str, Any]:
    """What was recorded, without its description in words. Earlier versions recorded how often a
    picture was logged, too, which decides no reward."""
    settings = {name: value for name, value in written["settings"].items() if name != "pictures"}
    return {
        name: value
        for name, value in {**written, "settings": settings}.items()
        if name != "answers"
    }


def _record(written: Mapping[str, Any]) -> RunRecord:
    settings = replace(settings_from(written["settings"]), source=written["source"])
    names = ("model_type", "max_pixels", "environ", "processor")
    values = {name: written[name] for name in names}
    return RunRecord(settings, chat=ChatOptions(**written["chat"]), **values)


def _read(folder: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {"records": [], "alarms": {}}
    try:
        data = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return empty
    return {**empty, **data} if isinstance(data, dict) else empty


def _write(folder: Path, data: Mapping[str, Any]) -> None:
    """Write it in one piece, since a run may be killed at any time."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{NAME}.part"
    part.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, folder / NAME)
