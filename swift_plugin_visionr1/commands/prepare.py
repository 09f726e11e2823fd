"""`vision-r1 prepare`: annotations to rows for swift's --dataset."""

import argparse
from pathlib import Path
from typing import Any

from ..prepare.coco import convert_coco
from ..rows.prompts import DETECT
from ..show.inputs import InputError, add_reward_options, reward_rules


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser("prepare", help="COCO annotations to rows for swift's --dataset")
    sub.add_argument("--ann", type=Path, required=True, help="COCO instances JSON")
    sub.add_argument("--images", type=Path, required=True, help="folder that file_name is relative to")
    sub.add_argument("--out", type=Path, required=True, help="JSONL to write")
    sub.add_argument("--prompt", default=DETECT, metavar="TEXT",
                     help="the question; {} stands for the names of the categories; default: %(default)r")  # fmt: skip
    sub.add_argument("--target", action="store_true", help="also write the right answer, in the model's own format and "
                     "frame, for `swift sft`; the options below say whose")  # fmt: skip
    add_reward_options(sub)
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write them.

    Raises:
        InputError: an option is there that only --target reads.
        SettingsError: the settings cannot be used.
        SolutionError: an annotation cannot be used.
    """
    if not args.target and (args.config or args.model_type or args.max_pixels):
        raise InputError("expected --target beside --config, --model-type and --max-pixels: rows without answers are "
                         "the same for all models")  # fmt: skip
    io = reward_rules(args).io if args.target else None
    written = convert_coco(args.ann, args.images, args.out, args.prompt, io)
    print(f"wrote {written.rows} rows to {args.out}")
    if io is not None:
        print(f"answers: {io.format.name}, {io.format.frame.describe()}; {io.resize.describe()}")
    if written.thin:
        print(f"{written.thin} boxes are in no answer: they are thinner than the format's grid")
    return 0
