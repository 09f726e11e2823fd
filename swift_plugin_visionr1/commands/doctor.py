"""`vision-r1 doctor RECIPE.yaml [options of swift rlhf]`: whether training would be wasted, before
it starts."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..console import Parser
from ..doctor.report import Effort, examine
from ..recipes.training_command import read_recipe
from ..reward.settings import ENVIRONMENT_VARIABLE
from .model_options import add_config_option

EPILOG = """The recipe and all other options are those of `swift rlhf` (or `swift sft`)
and mean what they mean there.
Exit code: 0 nothing found, 1 training would be wasted, 2 the arguments cannot be used."""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    # Every word is taken as is, since most are ms-swift's options: argparse sees no prefix and no
    # --help of its own.
    sub = subparsers.add_parser(
        "doctor",
        help="tell before training whether it would be wasted, and why",
        prefix_chars="\0",
        add_help=False,
    )
    sub.add_argument("words", nargs="*")
    sub.set_defaults(run=_run)


def count(text: str) -> int:
    """A number of things, from 0; argparse makes a ValueError its own one-line error."""
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def options() -> Parser:
    """The doctor's own options."""
    parser = Parser(
        prog="vision-r1 doctor",
        usage="vision-r1 doctor [RECIPE.yaml] [options of swift rlhf] [options]",
        description=__doc__,
        epilog=EPILOG,
        allow_abbrev=False,
    )
    add_config_option(parser)
    parser.add_argument(
        "--rows", type=count, help="open the images of this many rows only; default: all"
    )
    parser.add_argument("--out", type=Path, help="folder for ground_truth.png and doctor.json")
    parser.add_argument(
        "--sample",
        action=argparse.BooleanOptionalAction,
        help="ask the model; default: if its weights are local and it is small or there is a GPU",
    )
    parser.add_argument(
        "--prompts",
        type=count,
        default=Effort.prompts,
        help="number of prompts to ask it (%(default)s)",
    )
    parser.add_argument(
        "--samples", type=count, help="completions per prompt (default: num_generations)"
    )
    parser.add_argument(
        "--engine",
        help="what writes the completions in training, to be compared with the trainer: "
        "transformers, vllm or the address of a server (default: the recipe's)",
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    given, words = options().parse_known_args(args.words)
    shell = dict(os.environ)
    recipe = read_recipe(words, shell)
    if given.config is not None:
        recipe = replace(recipe, environ={**recipe.environ, ENVIRONMENT_VARIABLE: given.config})
    os.environ.update(recipe.environ)  # as `swift` does: image paths and templates depend on it
    effort = {name: value for name, value in vars(given).items() if name != "config"}
    report = examine(recipe, shell, Effort(**effort))
    return 1 if report.is_wasted else 0
