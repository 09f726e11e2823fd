"""`vision-r1 prepare --source` and `--mix`: any annotated source, or a mix of several, to rows."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from ..console import say, warn
from ..cpus import usable_cpus
from ..curate.dataset import Made, Making
from ..curate.lengths import lengths_of
from ..curate.mix import Caps, Mix, Part, SourcePlan, check_mix, read_mix
from ..curate.prompts import Prompts
from ..curate.registry import FORMATS
from ..curate.rendering import Asking
from ..curate.sample import BOX_CHOICES, TASKS
from ..errors import InputError
from ..formats import Questions
from ..formats.questions import PAPER
from ..models.model_io import ModelIO
from ..text import listed

OF_ONE = (
    "source_format",
    "task",
    "split",
    "boxes",
    "exif",
    "sizes",
    "negatives",
    "max_boxes",
    "shots",
)
OF_BOTH = ("seed", "exclude", "root", "tokenizer", "workers", "parquet")


def add_source_options(sub: argparse.ArgumentParser) -> None:
    """The options that only `--source` and `--mix` read."""
    of_one = sub.add_argument_group("one source (--source)")
    of_one.add_argument("--source-format", choices=FORMATS, help="default: told by its files")
    of_one.add_argument("--task", choices=TASKS, help="default: what the source is best for")
    of_one.add_argument("--split", help="of the source; default: train where there is one")
    of_one.add_argument(
        "--negatives",
        type=float,
        metavar="SHARE",
        help="share of the rows in which nothing that is asked for is there; default: images "
        "without boxes",
    )
    of_one.add_argument("--shots", type=int, metavar="K", help="K instances of each category")
    of_one.add_argument("--max-boxes", type=int, help="leave out rows with more boxes")
    of_one.add_argument(
        "--boxes", choices=BOX_CHOICES, metavar="LAYOUT", help=f"one of {', '.join(BOX_CHOICES)}"
    )
    of_one.add_argument(
        "--exif",
        choices=("rotate", "ignore"),
        help="rotate: boxes were drawn on what viewers show, so write turned copies of such "
        "images; ignore: boxes are of the pixels as stored",
    )
    of_one.add_argument(
        "--sizes",
        choices=("file", "scale"),
        help="of images whose file has another size than annotated: take the boxes as pixels of "
        "the file, or scale them",
    )
    both = sub.add_argument_group("one source or a mix (--source, --mix)")
    both.add_argument("--seed", type=int, help="default: 0, or the mix's")
    both.add_argument(
        "--exclude",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="COCO files and folders of images that are evaluated on: none of these gets in",
    )
    both.add_argument("--root", type=Path, help="folder that the paths of the mix start in")
    both.add_argument("--tokenizer", help="a model's folder, to count tokens")
    both.add_argument(
        "--workers", type=int, help="processes; default: one for each CPU that this one may use"
    )
    both.add_argument(
        "--parquet", action="store_const", const=True, help="with a folder as --out: .parquet"
    )


def run_sources(args: argparse.Namespace, io: ModelIO | None, default_io: ModelIO) -> Made:
    """Make the rows of `--source` or `--mix`, and say what was made.

    Args:
        args: parsed.
        io: of the model that is asked; None if the user named none.
        default_io: of the model whose answers are counted.

    Raises:
        InputError: an option or a source cannot be used. Nothing is written.
    """
    mix = _changed(_mix(args) if args.mix else _of_source(args), args)
    if mix.caps.answer_tokens is not None and args.tokenizer is None:
        raise InputError(
            "expected --tokenizer, the folder of the model, to cap answers by their tokens"
        )
    try:
        made = _making(args, mix, io, default_io).make()
    except KeyboardInterrupt:
        warn(f"nothing was written at {args.out}: run the same command again")
        raise
    _tell(made, args.out)
    return made


def _making(args: argparse.Namespace, mix: Mix, io: ModelIO | None, default_io: ModelIO) -> Making:
    questions = PAPER if io is None else io.format.questions
    if args.prompt is not None:
        questions = Questions(args.prompt, args.prompt)
    asking = Asking(
        Prompts(questions, mix.paraphrased),
        io if args.target else None,
        mix.longest_list,
        mix.drawn,
        mix.seed,
    )
    return Making(
        mix,
        asking,
        lengths_of(args.tokenizer, default_io),
        args.out,
        root=args.root or (args.mix.parent if args.mix else Path()),
        ending=".parquet" if args.parquet else ".jsonl",
        workers=args.workers or usable_cpus(),
        ordered=args.source is not None,
        command=f"vision-r1 {shlex.join(sys.argv[1:])}",
        keep_splits=args.source is not None and not args.out.suffix and args.split is None,
    )


def _mix(args: argparse.Namespace) -> Mix:
    for name in ("images", *OF_ONE):
        if getattr(args, name) is not None:
            raise InputError(
                f"expected --{name.replace('_', '-')} only with --source: the mix says it itself"
            )
    return read_mix(args.mix)


def _of_source(args: argparse.Namespace) -> Mix:
    """The mix that a single source is."""
    if args.root:
        raise InputError("expected --root only with --mix")
    plan = SourcePlan(
        str(args.source.absolute()),
        args.source_format,
        str(args.images.absolute()) if args.images else None,
        args.split,
        args.boxes,
        args.exif or "as format",
        args.sizes or "as written",
    )
    name = args.source.resolve().stem
    part = Part((name,), args.task, negatives=args.negatives, shots=args.shots)
    mix = Mix({name: plan}, (part,), caps=Caps(boxes=args.max_boxes))
    check_mix(mix, "the options")
    return mix


def _changed(mix: Mix, args: argparse.Namespace) -> Mix:
    if args.seed is not None:
        mix = replace(mix, seed=args.seed)
    if args.exclude:
        paths = tuple(str(path.absolute()) for path in args.exclude)
        mix = replace(mix, exclude=mix.exclude + paths)
    return mix


def _tell(made: Made, out: Path) -> None:
    card = made.card
    for name, source in card["sources"].items():
        say(f"{name}: {source['samples']} images, read as {source['format']}")
    for split, file in made.files.items():
        count = sum(each["rows"] for each in card["counts"]["rows"] if each["split"] == split)
        say(f"wrote {file}: {count} rows")
    say(card["summary"])
    for record in card["records"]:
        example = listed(record["examples"], 1)
        say(f"{record['what']}: {record['count']} {record['reason']}: {example}")
    for reason, count in card["passed_over"].items():
        say(f"passed over: {count} {reason}")
    folder = out if not out.suffix else out.parent
    say(f"what is in it: {folder / 'card.md'}, card.html, card.json")
    for note in made.notes:
        warn(f"note: {note}")
