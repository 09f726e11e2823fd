"""The arguments for how answers are read, in `evaluate` and `run`."""

import argparse
import os
from dataclasses import replace
from typing import get_args

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.errors import InputError, SettingsError
from swift_plugin_visionr1.formats import FORMATS, Reasoning
from swift_plugin_visionr1.geometry.frames import FRAMES
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.checkpoint import Checkpoint
from swift_plugin_visionr1.models.model_io import Limits, ModelIO, model_io
from swift_plugin_visionr1.reward.settings import Settings, load_settings

from ..asking.reading_record import ReadingRecord

LEAST_PIXELS = 28**2  # one visual token of the smallest kind
OVERRIDES = ("model_type", "format", "frame", "reasoning")


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Options for what the model writes, and in which frame."""
    parser.add_argument(
        "--model-type",
        help="ms-swift's model_type, from which format and frame follow; default: qwen2_5_vl",
    )
    parser.add_argument(
        "--template",
        help="ms-swift's --template, if the model type has several (mimo_vl, glm4_5v, ...)",
    )
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
    parser.add_argument(
        "--config",
        help="reward settings (a YAML file) to take model_type, format, frame, reasoning and json "
        "from; the options above override them",
    )


def io_of(arguments: argparse.Namespace, record: ReadingRecord | None = None) -> ModelIO:
    """How answers are read: from the arguments, else from the record of the run, else from the
    environment.

    Args:
        record: the record of the run that asked, if known.

    Raises:
        InputError: the arguments cannot be used.
    """
    pixels = _max_pixels(arguments, record)
    given = {name: value for name in OVERRIDES if (value := getattr(arguments, name)) is not None}
    checkpoint = record.checkpoint if record else Checkpoint(None, None, "nowhere")
    asked = record.model_type if record else None
    looks = checkpoint.model_type or asked
    try:
        settings = replace(
            load_settings(arguments.config) if arguments.config else Settings(), **given
        )
        if settings.model_type and looks not in (None, settings.model_type):
            warn(
                f"note: answers are read as {settings.model_type}, as requested; the checkpoint "
                f"looks like {looks}"
            )
        environ = os.environ if record is None else record.environ
        limits = Limits(environ, pixels, checkpoint.processor)
        chat = told(arguments).over(record.chat if record else ChatOptions())
        return model_io(settings, settings.model_type or asked or looks, limits, chat)
    except SettingsError as error:
        raise InputError(str(error)) from None


def told(arguments: argparse.Namespace) -> ChatOptions:
    """What the arguments say about the text around an answer."""
    return ChatOptions.of(vars(arguments))


def _max_pixels(arguments: argparse.Namespace, record: ReadingRecord | None) -> int | None:
    pixels: int | None = arguments.max_pixels
    if pixels is not None and pixels < LEAST_PIXELS:
        raise InputError(
            f"expected --max-pixels of at least {LEAST_PIXELS}, the pixels of one visual token, "
            f"got {pixels}: "
            "pass a number of pixels, such as 1003520, or leave it out if inference had no limit"
        )
    return record.max_pixels if pixels is None and record else pixels
