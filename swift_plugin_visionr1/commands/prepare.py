"""`vision-r1 prepare`: annotations to rows for swift's --dataset."""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..doctor.findings import listed
from ..doctor.prompts import OTHER_WORDS, asks_for_json
from ..models import DEFAULT_MODEL_TYPE, ModelIO
from ..prepare.coco import Written, convert_coco
from ..rows.prompts import DETECT
from ..show.inputs import InputError, add_reward_options, reward_rules


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser("prepare", help="COCO annotations to rows for swift's --dataset")
    sub.add_argument("--ann", type=Path, required=True, help="COCO instances JSON")
    sub.add_argument("--images", type=Path, required=True, help="folder that file_name is relative to")
    sub.add_argument("--out", type=Path, required=True, help="JSONL to write")
    sub.add_argument("--classes", nargs="+", metavar="NAME",
                     help="the categories that count, in the order to ask for them; default: all")  # fmt: skip
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
    io = _model(args) if args.target else None
    written = convert_coco(args.ann, args.images, args.out, args.prompt, io, args.classes)
    print(f"wrote {args.out}: {_counts(written)}")
    if io is not None:
        print(f"answers: {io.format.name}, {io.format.frame.describe()}; {io.resize.describe()}")
    if written.thin:
        print(f"{written.thin} boxes are in no answer: they are thinner than the format's grid")
    return 0


def _model(args: argparse.Namespace) -> ModelIO:
    """Of the model that is to learn the answers; says on stderr what nobody said about it."""
    scorer = reward_rules(args)
    if not (args.model_type or scorer.settings.model_type):
        print(f"note: no --model-type, so the answers are for {DEFAULT_MODEL_TYPE}", file=sys.stderr)
    if asks_for_json(args.prompt, scorer.io.format.name):
        print(f"note: the prompt asks for JSON, which {scorer.io.format.name} is not: {OTHER_WORDS}", file=sys.stderr)
    return scorer.io


def _counts(written: Written) -> str:
    text = f"{written.rows} rows, {written.boxes} boxes"
    text += f", {written.crowds} boxes of crowds left out" if written.crowds else ""
    if written.unused:
        text += f"; no box is of {listed(written.unused)}: --classes names those to ask for"
    return text
