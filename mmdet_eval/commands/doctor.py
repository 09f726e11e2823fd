"""`mmdet-eval doctor`: shows what is installed, and whether it works together."""

import argparse
from typing import Any

from swift_plugin_visionr1.console import say

from ..installation import report


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "doctor", help="show what is installed, in which flavour, and whether it works"
    )
    sub.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    text, works = report()
    say(text)
    return 0 if works else 1
