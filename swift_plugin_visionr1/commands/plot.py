"""`vision-r1 plot`: a run's curves in one picture."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say
from .reward_options import add_reward_options, rules_of_run


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "plot", help="a run's rewards, issues, groups, lengths and stages in one picture"
    )
    sub.add_argument(
        "folder",
        type=Path,
        help="the run's output_dir, with logging.jsonl; training may still be running",
    )
    add_reward_options(sub)
    sub.add_argument("--out", type=Path, help="PNG to write; default: vision_r1.png in that folder")
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw the run, and say what is missing from its logs.

    Raises:
        InputError: the folder holds no log, or matplotlib is not installed.
        SettingsError: the settings cannot be used.
    """
    from ..runs.plots import plot_run

    scorer, said = rules_of_run(args, args.folder)
    out = args.out or args.folder / "vision_r1.png"
    for line in filter(None, [said, *plot_run(args.folder, out, scorer)]):
        say(line)
    say(f"wrote {out}")
    return 0
