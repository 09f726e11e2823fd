"""`mmdet-eval refcoco`: turns referring expressions in JSON lines into the annotations that the
suite reads."""

import argparse
import json
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import say
from swift_plugin_visionr1.data.row_files import read_rows
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import check_output, write_file

from ..coco.refcoco import image_sizes, mdetr_annotations

NAMES = ("refcoco", "refcoco+", "refcocog")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "refcoco",
        help="convert referring expressions in JSON lines to MDETR's form of COCO annotations",
        description="Rows with file_name, image_id, bbox ([x, y, width, height]) and expression "
        "become annotations with one image entry per expression, as in finetune_refcoco_val.json.",
    )
    sub.add_argument("--rows", type=Path, required=True, help="JSONL, also .gz")
    sub.add_argument(
        "--images", type=Path, required=True, help="image folder, to read the image sizes"
    )
    sub.add_argument("--name", choices=NAMES, default=NAMES[0], help="which of the three data sets")
    sub.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    sub.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file; returns 0.

    Raises:
        InputError: a row or an image cannot be used.
        OSError: a file cannot be read or written.
    """
    check_output(arguments.out, [arguments.rows])
    rows = [row for _, row in read_rows(arguments.rows)]
    if not rows:
        raise InputError(f"expected rows in {arguments.rows}, got none")
    nameless = next((n for n, row in enumerate(rows, start=1) if not row.get("file_name")), None)
    if nameless is not None:
        raise InputError(f"expected a file_name in row {nameless} of {arguments.rows}, got none")
    sizes = image_sizes(arguments.images, (str(row["file_name"]) for row in rows))
    annotations = mdetr_annotations(rows, sizes, arguments.name)
    write_file(arguments.out, json.dumps(annotations) + "\n")
    say(f"{len(rows)} expressions about {len(sizes)} images: {arguments.out}")
    return 0
