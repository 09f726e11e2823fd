"""`vision-r1 prepare difficulty`: which rows a model can learn from, by its own sampled answers."""

import argparse
from pathlib import Path
from typing import Any

from ..console import say, warn
from ..curate.model_difficulty import sort_rows
from ..errors import InputError
from ..text import share
from .reward_options import add_reward_options, add_stage_option, reward_rules, stages_of

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
        description="Scores the answers that `swift infer` sampled to rows with the rewards of "
        "the run, writes their mean and spread into the rows, and leaves out those that would "
        "teach nothing.",
    )
    sub.add_argument("--rows", type=Path, required=True, help="the JSONL that was answered")
    sub.add_argument(
        "--answers",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="of `swift infer --temperature 1`, one for each time it sampled",
    )
    sub.add_argument("--out", type=Path, required=True, help="JSONL to write")
    sub.add_argument("--keep", action="store_true", help="write all rows, with their numbers")
    sub.add_argument("--answers-per-row", type=int, metavar="K", help="default: all")
    add_reward_options(sub)
    add_stage_option(sub)
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Sort the rows.

    Raises:
        InputError: a file or an option cannot be used.
        SettingsError: the settings cannot be used.
    """
    scorer = reward_rules(args)
    stages = stages_of(args, scorer)
    if args.answers_per_row is not None and args.answers_per_row < 2:
        raise InputError(f"expected --answers-per-row of at least 2, got {args.answers_per_row}")
    done = sort_rows(
        args.rows, args.answers, args.out, scorer, stages[0], args.keep, args.answers_per_row
    )
    total = done.verdicts.total()
    say(f"wrote {args.out}: {share(done.written, total)} rows, judged by stage {stages[0]}")
    for verdict, words in WORDS.items():
        if done.verdicts[verdict]:
            say(f"{done.verdicts[verdict]} {verdict}: {words}")
    if done.strangers:
        warn(f"note: answers to {done.strangers} questions belong to no row of {args.rows}")
    return 0
