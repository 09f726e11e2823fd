"""`mmdet-eval compare`: several models evaluated on the same data, side by side."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import say, warn
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import write_file

from ..comparison.compare import compare
from ..comparison.output_folders import read_model
from ..comparison.page import comparison_page
from ..comparison.table import as_markdown, write_comparison


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    sub = subparsers.add_parser(
        "compare",
        help="put evaluations of several models side by side",
        description="A table like the paper's. The first folder is the base; the others show their "
        "difference to it, with 95% paired bootstrap intervals over the images.",
    )
    sub.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="output folders of evaluations, base first",
    )
    sub.add_argument(
        "--names",
        nargs="+",
        help='names of the rows, e.g. base "+ SFT" "+ Vision-R1"; default: the shortest path '
        "endings that differ",
    )
    sub.add_argument(
        "--out", type=Path, help="folder for compare.html, compare.md and compare.json"
    )
    sub.add_argument("--samples", type=int, default=1000, help="number of bootstrap samples")
    sub.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    sub.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison, and write it if a folder is given; returns 0.

    Raises:
        InputError: the folders cannot be compared.
        OSError: a file cannot be written.
    """
    folders: list[Path] = arguments.folders
    names = _row_names(folders, arguments)
    models = [read_model(folder, name) for folder, name in zip(folders, names, strict=True)]
    comparison = compare(models, arguments.samples, arguments.seed)
    if arguments.out:
        write_comparison(arguments.out, comparison, folders)
        _write_page(arguments.out / "compare.html", comparison_page(comparison, models))
    say(as_markdown(comparison), end="")
    return 0


def _write_page(path: Path, page: str | None) -> None:
    if page is None:
        path.unlink(missing_ok=True)  # of an earlier comparison
        warn(
            "mmdet-eval: compare.html was not written: it needs the report.html of each folder as "
            "this version writes it; evaluate again to have it"
        )
    else:
        write_file(path, page)


def _row_names(folders: Sequence[Path], arguments: argparse.Namespace) -> list[str]:
    names: list[str] = arguments.names or folder_names(folders)
    if len(folders) < 2 or len(names) != len(folders) or arguments.samples < 1:
        raise InputError(
            "expected at least two folders, one of --names for each, and at least one of "
            f"--samples, got {len(folders)} folders, {len(names)} names and {arguments.samples} "
            "samples"
        )
    if len(set(names)) < len(names):
        raise InputError(
            f"expected different row names, got {', '.join(names)}: list each folder once, and "
            "give each a different one of --names"
        )
    return names


def folder_names(folders: Sequence[Path]) -> list[str]:
    """The shortest path endings that differ, all with the same number of parts; equal for equal
    folders."""
    parts = [folder.resolve().parts for folder in folders]
    longest = max(map(len, parts))
    endings = (["/".join(path[-count:]) for path in parts] for count in range(1, longest + 1))
    return next(
        (names for names in endings if len(set(names)) == len(folders)),
        [path[-1] for path in parts],
    )
