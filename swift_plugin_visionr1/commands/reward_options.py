"""What the commands that show rewards are told: the settings, and how the model sees and writes."""

import argparse
import os
from collections.abc import Mapping
from typing import Any

from ..models.chat import ChatOptions
from ..models.model_io import Limits, model_io
from ..reward.schedule import STAGES, Stage
from ..reward.scorer import Scorer
from ..reward.settings import Settings, load_settings


def add_reward_options(sub: argparse.ArgumentParser) -> None:
    """The options that `reward_rules` reads."""
    sub.add_argument(
        "--config",
        help="a preset or a YAML file of settings; default: $VISION_R1_CONFIG, else paper",
    )
    sub.add_argument(
        "--model-type",
        help="ms-swift's name of the model's family; default: the settings', else Qwen's",
    )
    sub.add_argument(
        "--template", help="the run's --template, where the model type has several (mimo_vl, ...)"
    )
    sub.add_argument(
        "--max-pixels",
        type=int,
        help="the run's --max_pixels; MAX_PIXELS and its kin: as environment",
    )


def add_stage_option(sub: argparse.ArgumentParser) -> None:
    """`--stage`, which `stages_of` reads."""
    sub.add_argument(
        "--stage",
        choices=STAGES,
        help="whose criteria apply; default: each stage that the settings have",
    )


def stages_of(args: argparse.Namespace, settings: Settings) -> tuple[Stage, ...]:
    """The stage that `--stage` asks for, else all that a run with these settings goes through."""
    if args.stage:
        return (args.stage,)
    return STAGES if settings.schedule.has_two_stages else (settings.schedule.stage(0, 1),)


def reward_rules(args: argparse.Namespace, run: Mapping[str, Any] | None = None) -> Scorer:
    """The scorer with the settings and the model's ways that the options name.

    Args:
        args: parsed from `add_reward_options`.
        run: arguments of the training run that wrote the file, where they are known (its
            args.json); options win.

    Raises:
        SettingsError: the settings or the options cannot be used.
    """
    settings, known = load_settings(args.config), run or {}
    model_type = args.model_type or settings.model_type or known.get("model_type")
    given = (args.max_pixels, settings.max_pixels, known.get("max_pixels"))
    max_pixels = next((value for value in given if value is not None), None)
    chat = ChatOptions(args.template).over(ChatOptions.of(known))
    return Scorer(settings, model_io(settings, model_type, Limits(os.environ, max_pixels), chat))
