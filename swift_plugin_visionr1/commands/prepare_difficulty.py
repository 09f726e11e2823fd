"""`vision-r1 prepare difficulty`: which rows a model can learn from, by its own sampled answers."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say, warn
from ..curate.model_difficulty import read_truths, sort_rows
from ..curate.sampled_answers import sample_answers
from ..curate.sampling import Sampling
from ..errors import InputError
from ..models.model_io import DEFAULT_MODEL_TYPE
from ..text import share
from ..writing import check_output
from .reward_options import add_reward_options, add_stage_option, reward_rules, stages_of

SAMPLES, SEED = 8, 42  # as many as num_generations of GRPO; the seed of ms-swift
WORDS = {
    "useful": "answers that earn different rewards: GRPO learns from them",
    "perfect": "all answers perfect",
    "zero": "all answers without any reward",
    "equal": "all answers with the same reward",
    "unknown": "no answers; they stay",
}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "difficulty",
        help="drop the rows whose sampled answers all earn the same",
        description="Has `swift infer` sample answers to rows, or reads its answers, scores them "
        "with the rewards of the run, writes their mean and spread into the rows, and leaves out "
        "those that would teach nothing. With --model, further options go to `swift infer`.",
        allow_abbrev=False,  # an option of `swift infer` is not the beginning of one of ours
    )
    sub.add_argument("--rows", type=Path, required=True, help="the JSONL that is answered")
    answers = sub.add_mutually_exclusive_group(required=True)
    answers.add_argument(
        "--answers",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="of `swift infer --temperature 1`, one for each time it sampled",
    )
    answers.add_argument(
        "--model", help="whose answers `swift infer` samples; they are kept in OUT.answers/"
    )
    sub.add_argument("--out", type=Path, required=True, help="JSONL to write")
    sub.add_argument(
        "--keep",
        type=float,
        nargs="?",
        const=1.0,
        default=0.0,
        metavar="SHARE",
        help="also write that share of the rows that teach nothing; without a number all of them",
    )
    sub.add_argument(
        "--answers-per-row", type=int, metavar="K", help="with --answers; default: all"
    )
    sub.add_argument("--samples", type=int, metavar="K", help=f"with --model; default: {SAMPLES}")
    sub.add_argument("--seed", type=int, help=f"with --model; default: {SEED}")
    add_reward_options(sub)
    add_stage_option(sub)
    sub.set_defaults(run=run, passed_on=())


def run(args: argparse.Namespace) -> int:
    """Sort the rows.

    Raises:
        InputError: a file or an option cannot be used.
        SettingsError: the settings cannot be used.
    """
    _check_options(args)
    scorer = reward_rules(args)
    stages = stages_of(args, scorer)
    most = args.answers_per_row
    if args.model:
        if not (args.model_type or scorer.settings.model_type):
            warn(f"note: no --model-type, so answers are read as those of {DEFAULT_MODEL_TYPE}")
        most = SAMPLES if args.samples is None else args.samples
        args.answers = _sample(args, most)
    done = sort_rows(args.rows, args.answers, args.out, scorer, stages[0], args.keep, most)
    total = done.verdicts.total()
    say(f"wrote {args.out}: {share(done.written, total)} rows, judged by stage {stages[0]}")
    for verdict, words in WORDS.items():
        if done.verdicts[verdict]:
            say(f"{done.verdicts[verdict]} {verdict}: {words}")
    if done.strangers:
        warn(f"note: answers to {done.strangers} questions belong to no row of {args.rows}")
    return 0


def _check_options(args: argparse.Namespace) -> None:
    beside = ("answers_per_row",) if args.model else ("samples", "seed")
    for name in beside:
        if getattr(args, name) is not None:
            other = "--answers" if args.model else "--model"
            raise InputError(f"expected --{name.replace('_', '-')} only with {other}")
    if args.passed_on and not args.model:
        raise InputError(f"expected no further options without --model, got {args.passed_on[0]}")
    if not 0 <= args.keep <= 1:
        raise InputError(f"expected --keep to be a share from 0 to 1, got {args.keep:g}")
    for name in ("answers_per_row", "samples"):
        value = getattr(args, name)
        if value is not None and value < 2:
            raise InputError(
                f"expected --{name.replace('_', '-')} of at least 2, got {value}: one answer has "
                "no spread"
            )


def _sample(args: argparse.Namespace, samples: int) -> list[Path]:
    """The files of the answers; rows and --out are checked before hours are spent."""
    check_output(args.out, [args.rows])
    read_truths(args.rows)
    options = list(args.passed_on)
    for name in ("model_type", "template", "max_pixels"):  # ours and those of `swift infer`
        if getattr(args, name) is not None:
            options += [f"--{name}", str(getattr(args, name))]
    seed = SEED if args.seed is None else args.seed
    folder = args.out.with_name(f"{args.out.name}.answers")
    return sample_answers(args.rows, folder, Sampling(args.model, samples, seed, tuple(options)))
