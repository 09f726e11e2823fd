"""The arguments for how answers are read, in `evaluate` and `run`."""

import argparse
import os
from dataclasses import dataclass, replace
from typing import get_args

from swift_plugin_visionr1.commands.model_options import add_config_option, add_model_options
from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.errors import InputError, SettingsError
from swift_plugin_visionr1.formats import FORMATS, Reasoning
from swift_plugin_visionr1.geometry.frames import FRAMES
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.model_io import Limits, ModelIO, model_io
from swift_plugin_visionr1.reward.settings import Settings, load_settings
from swift_plugin_visionr1.runs.run_record import RunRecord

from ..asking.reading_record import ReadingRecord

LEAST_PIXELS = 28**2  # one visual token of the smallest kind
OVERRIDES = ("model_type", "format", "frame", "reasoning")


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Options for what the model writes, and in which frame."""
    add_model_options(parser)
    parser.add_argument(
        "--enable-thinking",
        choices=("true", "false"),
        help="ms-swift's --enable_thinking, as set at inference",
    )
    parser.add_argument(
        "--response-prefix",
        help="ms-swift's --response_prefix, as set at inference",
    )
    parser.add_argument(
        "--format",
        choices=sorted(FORMATS),
        help="how the model writes boxes; default: as its model type does",
    )
    parser.add_argument(
        "--frame",
        choices=sorted(FRAMES),
        help="what its coordinates mean; default: the format's own",
    )
    parser.add_argument(
        "--reasoning", choices=get_args(Reasoning), help="what it writes around the answer"
    )
    add_config_option(
        parser,
        "reward settings (a YAML file) to take model_type, format, frame, reasoning and json "
        "from; the options above override them",
    )


def io_of(
    arguments: argparse.Namespace,
    record: ReadingRecord | None = None,
    trained: RunRecord | None = None,
) -> ModelIO:
    """How answers are read: from the arguments, else from the record of the run, else from the
    environment.

    Args:
        arguments: parsed from `add_reading_arguments`.
        record: the record of the run that asked, if known.
        trained: the record of the run that trained the model, if known. Its settings say what the
            model writes; its limits count where training itself asked.

    Raises:
        InputError: the arguments cannot be used.
    """
    given = {name: value for name in OVERRIDES if (value := getattr(arguments, name)) is not None}
    asked = _asked(record, trained)
    settings = _settings(arguments, trained)
    chat = told(arguments).over(asked.chat)
    try:
        settings = replace(settings, **given)
        if settings.model_type and asked.model_type not in (None, settings.model_type):
            warn(
                f"note: answers are read as {settings.model_type}, as requested; the checkpoint "
                f"looks like {asked.model_type}"
            )
        limits = replace(asked.limits, max_pixels=_max_pixels(arguments, asked.limits))
        io = model_io(settings, settings.model_type or asked.model_type, limits, chat)
        if trained and trained.io.resize != io.resize:
            warn(f"note: {io.resize.describe()}; in training, {trained.io.resize.describe()}")
        return io
    except SettingsError as error:
        raise InputError(str(error)) from None


@dataclass(frozen=True)
class _Asked:
    """What is known about the model that answered."""

    limits: Limits
    model_type: str | None = None
    chat: ChatOptions = ChatOptions()


def _asked(record: ReadingRecord | None, trained: RunRecord | None) -> _Asked:
    if record is not None:
        checkpoint = record.checkpoint
        limits = Limits(record.environ, record.max_pixels, checkpoint.processor)
        return _Asked(limits, checkpoint.model_type or record.model_type, record.chat)
    if trained is not None:
        return _Asked(trained.limits, trained.model_type, trained.chat)
    return _Asked(Limits(os.environ))


def _settings(arguments: argparse.Namespace, trained: RunRecord | None) -> Settings:
    try:
        if arguments.config:
            return load_settings(arguments.config)
    except SettingsError as error:
        raise InputError(str(error)) from None
    if trained is None:
        return Settings()
    warn(f"note: answers are read as training recorded: {trained.describe()}")
    return trained.settings


def told(arguments: argparse.Namespace) -> ChatOptions:
    """What the arguments say about the text around an answer."""
    return ChatOptions.of(vars(arguments))


def _max_pixels(arguments: argparse.Namespace, known: Limits) -> int | None:
    pixels: int | None = arguments.max_pixels
    if pixels is not None and pixels < LEAST_PIXELS:
        raise InputError(
            f"expected --max-pixels of at least {LEAST_PIXELS}, the pixels of one visual token, "
            f"got {pixels}: "
            "pass a number of pixels, such as 1003520, or leave it out if inference had no limit"
        )
    return known.max_pixels if pixels is None else pixels
