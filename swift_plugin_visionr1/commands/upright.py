"""`vision-r1 upright`: copies of photographs, turned as their EXIF header says."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say
from ..curate.upright import upright_annotations, upright_rows
from ..errors import InputError


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "upright",
        help="turn photographs as their EXIF header says, which models do not see",
        description="Viewers and annotation tools turn photographs as their EXIF header says, "
        "ms-swift does not. If boxes were drawn on what a viewer shows, this writes "
        "turned copies, and the annotations or rows that point to them.",
    )
    source = sub.add_mutually_exclusive_group(required=True)
    source.add_argument("--ann", type=Path, help="COCO JSON; --images says where its images are")
    source.add_argument("--rows", type=Path, metavar="FILE.jsonl", help="rows of a data set")
    sub.add_argument("--images", type=Path, help="folder that file_name is relative to")
    sub.add_argument(
        "--out", type=Path, required=True, help="folder for the file and the turned copies"
    )
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write them.

    Raises:
        InputError: the options do not go together, or the file or an image cannot be used.
        OSError: the folder cannot be written.
    """
    if (args.ann is None) != (args.images is None):
        raise InputError("expected --images with --ann, and not with --rows")
    if args.ann:
        done = upright_annotations(args.ann, args.images, args.out)
    else:
        done = upright_rows(args.rows, args.out)
    say(f"wrote {done.out}: {done.turned} of {done.images} images were turned")
    return 0
