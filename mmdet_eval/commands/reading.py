"""The arguments that say how answers are read, in `evaluate` and `run`."""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from swift_plugin_visionr1.errors import InputError, SettingsError
from swift_plugin_visionr1.formats import FORMATS, Reasoning
from swift_plugin_visionr1.geometry.frames import FRAMES
from swift_plugin_visionr1.models.model_io import Limits, ModelIO, model_io
from swift_plugin_visionr1.reward.settings import Settings, load_settings

LEAST_PIXELS = 28**2  # of one visual token of the smallest kind
OVERRIDES = ("model_type", "format", "frame", "reasoning")


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """What the model writes, and in which frame."""
    parser.add_argument(
        "--model-type",
        "--model_type",
        help="ms-swift's model_type, from which format and frame follow; default: qwen2_5_vl",
    )
    parser.add_argument(
        "--format",
        choices=sorted(FORMATS),
        help="how the model writes boxes; default: its type's way",
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
        "from; the options "
        "above win",
    )


def io_of(
    arguments: argparse.Namespace,
    model_type: str | None = None,
    processor: Mapping[str, Any] | None = None,
) -> ModelIO:
    """How answers are read, by the arguments and the environment.

    Args:
        model_type: of the checkpoint that is asked, where it is known.
        processor: the fields of its image processor.

    Raises:
        InputError: what the arguments say cannot be used.
    """
    pixels = arguments.max_pixels
    if pixels is not None and pixels < LEAST_PIXELS:
        raise InputError(
            f"expected --max-pixels of at least {LEAST_PIXELS}, the pixels of one visual token, "
            f"got {pixels}: "
            "give a number of pixels, such as 1003520, or leave it out where inference had no limit"
        )
    given = {name: value for name in OVERRIDES if (value := getattr(arguments, name)) is not None}
    try:
        settings = replace(
            load_settings(arguments.config) if arguments.config else Settings(), **given
        )
        if settings.model_type and model_type not in (None, settings.model_type):
            print(
                f"note: answers are read as those of {settings.model_type}, as you say; the "
                "checkpoint looks like "
                f"{model_type}",
                file=sys.stderr,
            )
        known = settings.model_type or model_type
        return model_io(settings, known, Limits(os.environ, pixels, processor or {}))
    except SettingsError as error:
        raise InputError(str(error)) from None
