"""`vision-r1 prepare`: annotations to rows for swift's --dataset."""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..doctor.findings import clipped, listed
from ..doctor.prompts import asks_for_json, remedy
from ..formats import Questions
from ..models import DEFAULT_MODEL_TYPE, ModelIO
from ..prepare.coco import Written, convert_coco
from ..rows.prompts import DETECT, PAPER
from ..show.inputs import InputError, add_reward_options, reward_rules


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser("prepare", help="COCO annotations to rows for swift's --dataset")
    sub.add_argument("--ann", type=Path, required=True, help="COCO instances JSON")
    sub.add_argument("--images", type=Path, required=True, help="folder that file_name is relative to")
    sub.add_argument("--out", type=Path, required=True, help="JSONL to write")
    sub.add_argument("--classes", nargs="+", metavar="NAME",
                     help="the categories that count, in the order to ask for them; default: all")  # fmt: skip
    sub.add_argument("--prompt", metavar="TEXT",
                     help="the question; {} stands for the names of the categories, {:JOINT} for the names with JOINT "
                     "between them; default: what the authors of the model below document, else the paper's: "
                     f"{DETECT!r}")  # fmt: skip
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
    if args.max_pixels and not args.target:
        raise InputError("expected --target beside --max-pixels: only answers depend on it")
    io = _model(args) if args.target or args.config or args.model_type else None
    questions = PAPER if io is None else io.format.questions
    if args.prompt is not None:
        questions = Questions(args.prompt)
    answers = io if args.target else None
    written = convert_coco(args.ann, args.images, args.out, questions, answers, args.classes)
    print(f"wrote {args.out}: {_counts(written)}")
    if io is not None:
        _tell_of(io, written.question, args.target)
    if written.thin:
        print(f"{written.thin} boxes are in no answer: they are thinner than the format's grid")
    return 0


def _model(args: argparse.Namespace) -> ModelIO:
    """Of the model that is asked; says on stderr where nobody said which one is to learn the answers."""
    scorer = reward_rules(args)
    if args.target and not (args.model_type or scorer.settings.model_type):
        print(f"note: no --model-type, so the answers are for {DEFAULT_MODEL_TYPE}", file=sys.stderr)
    return scorer.io


def _tell_of(io: ModelIO, question: str, target: bool) -> None:
    """What is asked and answered, and on stderr whether that goes together."""
    print(f"question: {clipped(question)}")
    if target:
        print(f"answers: {io.format.name}, {io.format.frame.describe()}; {io.resize.describe()}")
    if asks_for_json(question, io.format.name):
        print(
            f"note: the prompt asks for JSON, which {io.format.name} is not: {remedy(io.format.name)}", file=sys.stderr
        )


def _counts(written: Written) -> str:
    text = f"{written.rows} rows, {written.boxes} boxes"
    text += f", {written.crowds} boxes of crowds left out" if written.crowds else ""
    if written.unused:
        text += f"; no box is of {listed(written.unused)}: --classes names those to ask for"
    return text
