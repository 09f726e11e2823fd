"""`vision-r1 convert`: checkpoints of Griffon-G, as published and as ms-swift loads them."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say
from ..errors import InputError


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "convert",
        help="turn a published Griffon-G into a model for ms-swift, or back",
        description="Griffon-G is published in a layout of its own authors. This turns such a "
        "folder into a model that transformers and ms-swift load, and such a model back. It reads "
        "one shard of the weights at a time, and writes nothing unless all names and shapes fit.",
    )
    sub.add_argument("model", choices=("griffon-g",), help="which model it is")
    sub.add_argument("source", type=Path, metavar="SRC", help="folder of the checkpoint")
    sub.add_argument("out", type=Path, metavar="DST", help="folder to write; new or empty")
    sub.add_argument(
        "--vision-tower",
        type=Path,
        metavar="FOLDER",
        help="folder of the vision tower; default: where config.json says, or a folder of that "
        "name beside SRC",
    )
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert.

    Raises:
        InputError: the checkpoint cannot be used, or transformers is missing.
        OSError: a folder cannot be read or written.
    """
    try:
        from ..griffon_g.conversion import convert
    except ModuleNotFoundError as error:
        raise InputError(
            f"this needs transformers and torch ({error}): pip install the extra `swift`"
        ) from None
    done = convert(args.source, args.out, args.vision_tower)
    say(
        f"wrote {args.out} in the {done.layout} layout: {done.weights} weights, "
        f"{done.bytes / 1e9:.1f} GB in {done.shards} file{'s' * (done.shards > 1)}"
    )
    if done.counting:
        say(f"left out {done.counting} weights of the counting branch, which this model lacks")
    return 0
