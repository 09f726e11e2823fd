"""`vision-r1 settings`: what a settings file comes to."""

import argparse
from typing import Any

from ..console import say
from ..reward.settings import describe, load_settings_file


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser("settings", help="print the effective reward settings as YAML")
    sub.add_argument(
        "config", nargs="?", help="a preset or a YAML file; default: $VISION_R1_CONFIG, else paper"
    )
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them; raises SettingsError if they cannot be used."""
    say(describe(*load_settings_file(args.config)), end="")
    return 0
