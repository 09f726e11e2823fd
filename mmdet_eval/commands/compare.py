"""`mmdet-eval compare`: several models evaluated on the same data, side by side."""

import argparse
from pathlib import Path
from typing import Any

from ..compare import compare, read_model
from ..compare_table import as_markdown, write_comparison
from ..errors import InputError


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    sub = subparsers.add_parser(
        "compare", help="put evaluations of several models side by side",
        description="The paper's kind of table: the first folder is the base, the others get their difference to it, "
        "with 95%% paired bootstrap intervals over the images.",
    )  # fmt: skip
    sub.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="output folders of evaluations, base first"
    )
    sub.add_argument(
        "--names", nargs="+", help='names of the rows, e.g. base "+ SFT" "+ Vision-R1"; default: the folders\''
    )
    sub.add_argument("--out", type=Path, help="folder for compare.md and compare.json")
    sub.add_argument("--samples", type=int, default=1000, help="number of bootstrap samples")
    sub.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    sub.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison, and write it where a folder is given; returns 0.

    Raises:
        InputError: the folders cannot be compared.
        OSError: a file cannot be written.
    """
    folders: list[Path] = arguments.folders
    names = arguments.names or [folder.resolve().name for folder in folders]
    if len(folders) < 2 or len(names) != len(folders) or arguments.samples < 1:
        raise InputError(
            f"expected at least two folders, one of --names for each, and at least one of --samples, got "
            f"{len(folders)} folders, {len(names)} names and {arguments.samples} samples"
        )
    models = [read_model(folder, name) for folder, name in zip(folders, names, strict=True)]
    comparison = compare(models, arguments.samples, arguments.seed)
    if arguments.out:
        write_comparison(arguments.out, comparison, folders)
    print(as_markdown(comparison), end="")
    return 0
