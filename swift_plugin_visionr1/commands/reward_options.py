"""What the commands that show rewards are told: the settings, and how the model sees and writes."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..geometry.resize import FRAME_VARIABLES
from ..models.chat import ChatOptions
from ..models.model_io import DEFAULT_MODEL_TYPE, Limits, model_io
from ..reward.scorer import Scorer
from ..reward.settings import ENVIRONMENT_VARIABLE, load_settings
from ..runs.run_folder import run_arguments
from ..runs.run_record import RunRecord, find_record
from ..text import did_you_mean
from .model_options import add_config_option, add_model_options


def add_reward_options(sub: argparse.ArgumentParser) -> None:
    """The options that `reward_rules` reads."""
    add_config_option(sub)
    add_model_options(sub)


def add_stage_option(sub: argparse.ArgumentParser) -> None:
    """`--stage`, which `stages_of` reads."""
    sub.add_argument(
        "--stage",
        help="whose criteria apply, beginner, advanced or another stage of the settings; default: "
        "each stage that they have",
    )


def stages_of(args: argparse.Namespace, scorer: Scorer) -> tuple[str, ...]:
    """The stage that `--stage` asks for, else all that a run with these settings goes through.

    Raises:
        InputError: the settings have no stage of that name.
    """
    if not args.stage:
        return scorer.schedule.names
    names = [standard.name for standard in scorer.schedule.standards]
    if args.stage not in names:
        raise InputError(
            f"expected --stage to be one of {', '.join(names)}, got {args.stage!r}"
            f"{did_you_mean(args.stage, names)}"
        )
    return (args.stage,)


def reward_rules(args: argparse.Namespace) -> Scorer:
    """The scorer for the settings and the model that the options name.

    Args:
        args: parsed from `add_reward_options`.

    Raises:
        SettingsError: the settings or the options cannot be used.
    """
    return _by_options(args, {})


def rules_of_run(args: argparse.Namespace, folder: Path | None) -> tuple[Scorer, str]:
    """The scorer for what a run wrote, and in a line whose settings these are; options win.

    Args:
        args: parsed from `add_reward_options`.
        folder: where the file lies, which may be the run's output folder; None for no file.

    Raises:
        SettingsError: the settings or the options cannot be used.
    """
    known = find_record(folder) if folder else None
    if known is None:
        scorer = _by_options(args, run_arguments(folder) if folder else {})
        return scorer, _assumed(args, scorer, folder)
    record, place = known
    settings = load_settings(args.config) if args.config else record.settings
    pixels = (args.max_pixels, settings.max_pixels, record.max_pixels)
    record = replace(
        record,
        settings=settings,
        model_type=args.model_type or settings.model_type or record.model_type,
        max_pixels=next((value for value in pixels if value is not None), None),
        chat=ChatOptions(args.template).over(record.chat),
    )
    return Scorer(settings, record.io), f"settings of {place}: {record.describe()}{_aside(record)}"


def _by_options(args: argparse.Namespace, known: Mapping[str, Any]) -> Scorer:
    """By the options, then by the arguments of a run (its args.json)."""
    settings = load_settings(args.config)
    model_type = args.model_type or settings.model_type or known.get("model_type")
    given = (args.max_pixels, settings.max_pixels, known.get("max_pixels"))
    max_pixels = next((value for value in given if value is not None), None)
    chat = ChatOptions(args.template).over(ChatOptions.of(known))
    return Scorer(settings, model_io(settings, model_type, Limits(os.environ, max_pixels), chat))


def _assumed(args: argparse.Namespace, scorer: Scorer, folder: Path | None) -> str:
    """What had to be assumed; "" if nothing."""
    settings = scorer.settings
    known = run_arguments(folder) if folder else {}
    assumed = [] if args.config or os.environ.get(ENVIRONMENT_VARIABLE) else [settings.source]
    if not (args.model_type or settings.model_type or known.get("model_type")):
        assumed.append(f"model type {DEFAULT_MODEL_TYPE}")
    return f"no record of a run here, so assumed: {', '.join(assumed)}" if assumed else ""


def _aside(record: RunRecord) -> str:
    """The shell's variables that are ignored in favour of the run's."""
    names = [
        f"{name}={os.environ[name]}"
        for name in FRAME_VARIABLES
        if os.environ.get(name) and os.environ[name] != record.environ.get(name)
    ]
    return f" (not the shell's {', '.join(names)})" if names else ""
