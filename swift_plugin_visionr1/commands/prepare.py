"""`vision-r1 prepare`: annotations to rows for swift's --dataset."""

import argparse
from pathlib import Path
from typing import Any

from ..prepare.coco import convert_coco


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser("prepare", help="COCO annotations to rows for swift's --dataset")
    sub.add_argument("--ann", type=Path, required=True, help="COCO instances JSON")
    sub.add_argument("--images", type=Path, required=True, help="folder that file_name is relative to")
    sub.add_argument("--out", type=Path, required=True, help="JSONL to write")
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write them.

    Raises:
        SolutionError: an annotation cannot be used.
    """
    count = convert_coco(args.ann, args.images, args.out)
    print(f"wrote {count} rows to {args.out}")
    return 0
