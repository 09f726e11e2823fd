"""`vision-r1 prepare`: annotations, or rows of any known form, to rows for swift's --dataset."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say, warn
from ..curate.coco import convert_coco
from ..curate.output import WrittenDataset
from ..curate.rows import convert_rows
from ..doctor.checks.prompts import asks_for_json, remedy
from ..errors import InputError
from ..formats import Questions
from ..formats.questions import DETECT, PAPER
from ..models.model_io import DEFAULT_MODEL_TYPE, ModelIO
from ..text import clipped, listed
from . import prepare_difficulty
from .prepare_sources import OF_BOTH, OF_ONE, add_source_options, run_sources
from .reward_options import add_reward_options, reward_rules


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "prepare", help="annotations of any known form, or rows, to rows for swift's --dataset"
    )
    verbs = sub.add_subparsers(metavar="", title="of rows that exist already")
    prepare_difficulty.add_parser(verbs)
    source = sub.add_mutually_exclusive_group()
    source.add_argument(
        "--ann", type=Path, help="COCO instances JSON; --images says where its images are"
    )
    source.add_argument(
        "--rows",
        type=Path,
        metavar="FILE",
        help="rows in any form that GRPO takes (ours, the "
        "authors', ms-swift's objects, VLM-R1's, Visual-RFT's), with questions of their own: "
        ".jsonl, .json, .parquet or .csv",
    )
    source.add_argument(
        "--source", type=Path, metavar="PATH", help="annotations of any known form: file or folder"
    )
    source.add_argument("--mix", type=Path, metavar="YAML", help="a mix of several sources")
    sub.add_argument(
        "--images", type=Path, help="folder that the annotations' file_name is relative to"
    )
    sub.add_argument(
        "--out",
        type=Path,
        help="JSONL to write; with --source and --mix also .parquet, or a folder",
    )
    sub.add_argument(
        "--classes",
        nargs="+",
        metavar="NAME",
        help="the categories that count, in the order to ask for them; default: all",
    )
    sub.add_argument(
        "--prompt",
        metavar="TEXT",
        help="the question; {} stands for the names of the categories, {:JOINT} for the names with "
        "JOINT between them; default: what the authors of the model below document, else the "
        "paper's: "
        f"{DETECT!r}",
    )
    sub.add_argument(
        "--target",
        action="store_true",
        help="also write the right answer, in the model's own format and "
        "frame, for `swift sft`; the options below say whose",
    )
    add_reward_options(sub)
    add_source_options(sub)
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write them.

    Raises:
        InputError: an option lacks the one it belongs to, or the file of rows cannot be used.
        SettingsError: the settings cannot be used.
        SolutionError: an annotation or a row cannot be used.
    """
    _check_options(args)
    io = _model(args) if args.target or args.config or args.model_type else None
    if args.source or args.mix:
        run_sources(args, io, io or reward_rules(args).io)
        return 0
    written = _rows(args, io) if args.rows else _annotations(args, io)
    say(f"wrote {args.out}: {_counts(written)}")
    of = "row" if args.rows else "annotation"
    for done, reasons in (("left out", written.left_out), ("clipped", written.clipped)):
        for reason, ids in reasons.items():
            say(f"{done}: {len(ids)} {reason}: {of} {listed(ids)}")
    for change in written.changes:
        say(change)
    for note in written.notes:
        warn(f"note: {note}")
    if io is not None:
        _tell_of(io, written.question, args)
    if written.thin:
        say(f"{written.thin} boxes are in no answer: they are thinner than the format's grid")
    return 0


def _check_options(args: argparse.Namespace) -> None:
    if not (args.source or args.mix or args.ann or args.rows):
        raise InputError("expected one of --source, --mix, --ann and --rows, got none")
    if not args.out:
        raise InputError("expected --out, the file to write, got none")
    if args.max_pixels and not args.target:
        raise InputError("expected --target with --max-pixels: only answers depend on it")
    if args.ann and not args.images:
        raise InputError("expected --images with --ann: the folder that file_name is relative to")
    if args.source or args.mix:
        if args.classes is not None:
            raise InputError("expected --classes only with --ann")
        return
    for name in (*OF_ONE, *OF_BOTH):
        if getattr(args, name) is not None:
            raise InputError(
                f"expected --{name.replace('_', '-')} only with --source or --mix: --ann and "
                "--rows write all rows"
            )
    if not args.rows:
        return
    for name in ("images", "classes", "prompt"):
        if getattr(args, name) is not None:
            raise InputError(
                f"expected --{name} only with --ann: --rows says its images and questions itself"
            )
    if not args.target and (args.model_type or args.config):
        raise InputError(
            "expected --target with --rows and --model-type or --config: rows keep their questions"
        )


def _rows(args: argparse.Namespace, io: ModelIO | None) -> WrittenDataset:
    return convert_rows(args.rows, args.out, io)


def _annotations(args: argparse.Namespace, io: ModelIO | None) -> WrittenDataset:
    questions = PAPER if io is None else io.format.questions
    if args.prompt is not None:
        questions = Questions(args.prompt)
    return convert_coco(
        args.ann, args.images, args.out, questions, io if args.target else None, args.classes
    )


def _model(args: argparse.Namespace) -> ModelIO:
    """Of the model that is asked; says on stderr where nobody said which one is to learn the
    answers."""
    scorer = reward_rules(args)
    if args.target and not (args.model_type or scorer.settings.model_type):
        warn(f"note: no --model-type, so the answers are for {DEFAULT_MODEL_TYPE}")
    return scorer.io


def _tell_of(io: ModelIO, question: str, args: argparse.Namespace) -> None:
    """What is asked and answered, and on stderr whether that goes together."""
    say(f"{'first ' if args.rows else ''}question: {clipped(question)}")
    if args.target:
        say(f"answers: {io.format.name}, {io.format.frame.describe()}; {io.resize.describe()}")
    if asks_for_json(question, io.format.name):
        warn(
            f"note: the prompt asks for JSON, which {io.format.name} is not: "
            f"{remedy(io.format.name)}"
        )


def _counts(written: WrittenDataset) -> str:
    text = f"{written.rows} rows, {written.boxes} boxes"
    if written.unused:
        text += f"; no box is of {listed(written.unused)}: --classes names those to ask for"
    return text
