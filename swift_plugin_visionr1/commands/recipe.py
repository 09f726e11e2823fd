"""`vision-r1 recipe`: a recipe with overlays laid over it, as one file for ms-swift."""

import argparse
from pathlib import Path
from typing import Any

import yaml

from ..console import say
from ..recipes.overlays import merged
from ..writing import check_output, write_file


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "recipe", help="lay overlays over a recipe, into one YAML for swift"
    )
    sub.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="YAML",
        help="the recipe, then its overlays in order: a value replaces, null removes the option",
    )
    sub.add_argument("--out", type=Path, help="the YAML to write; default: print it")
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write or print it.

    Raises:
        SettingsError: a file cannot be used.
    """
    text = yaml.safe_dump(merged(args.files), sort_keys=False, allow_unicode=True)
    text = f"# vision-r1 recipe {' '.join(map(str, args.files))}\n{text}"
    if args.out is None:
        say(text, end="")
        return 0
    check_output(args.out, args.files)
    write_file(args.out, text)
    say(f"wrote {args.out}")
    return 0
