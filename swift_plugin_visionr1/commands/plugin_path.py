"""`vision-r1 plugin-path`: the file for swift's --external_plugins."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say

PLUGIN = Path(__file__).parents[1] / "plugin.py"


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser("plugin-path", help="print the file for swift's --external_plugins")
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    say(str(PLUGIN))
    return 0
