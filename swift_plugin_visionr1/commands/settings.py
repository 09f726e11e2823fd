"""`vision-r1 settings`: what a settings file comes to."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say
from ..errors import InputError
from ..reward.settings import describe, load_settings_file
from ..shipped import shipped

RECOMMENDED = Path("configs/reward/recommended.yaml")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser("settings", help="print the effective reward settings as YAML")
    sub.add_argument(
        "config", nargs="?", help="a preset or a YAML file; default: $VISION_R1_CONFIG, else paper"
    )
    sub.add_argument(
        "--recommend",
        action="store_true",
        help="print the settings that docs/evidence.md supports, and the figures they rest on",
    )
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them; raises SettingsError if they cannot be used."""
    if not args.recommend:
        say(describe(*load_settings_file(args.config)), end="")
        return 0
    if args.config:
        raise InputError(f"expected --recommend without a file, got {args.config!r}")
    say(shipped(RECOMMENDED).read_text(), end="")
    return 0
