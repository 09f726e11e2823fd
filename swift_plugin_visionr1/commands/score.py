"""`vision-r1 score`: the rewards of all completions in a file."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..console import say, warn
from ..data.logged_rows import Row, naming, published, read_lines, without_repeats
from ..data.row_tasks import Target
from ..errors import InputError
from ..reward.schedule import Standard
from ..reward.scorer import Scorer
from ..runs.join import DatasetRows
from ..runs.run_folder import logged_steps
from ..runs.scores import RowScores
from ..runs.trained import JudgedCompletion, standards_in_training
from ..writing import check_output, write_file
from .presets import columns_of, refuse_stage, rows_of, scorers_of, table
from .reward_options import add_reward_options, add_stage_option, rules_of_run, stages_of


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "score", help="a JSONL of completions: reward parts per row, and a summary"
    )
    sub.add_argument(
        "file",
        type=Path,
        help="of `swift infer`, or completions.jsonl of a run (--log_completions true)",
    )
    sub.add_argument(
        "--dataset", type=Path, help="JSONL with the solutions, where the completions have none"
    )
    add_reward_options(sub)
    add_stage_option(sub)
    sub.add_argument(
        "--presets",
        metavar="all|NAME,...",
        help="instead, what each of these presets or settings files pays, side by side",
    )
    sub.add_argument("--out", type=Path, help="JSONL to write, with a row per completion")
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score every row, print the summary, write the rows where asked.

    Raises:
        InputError: the file, a row or an option cannot be used.
        SettingsError: the settings cannot be used.
        SolutionError: a row's annotation cannot be used.
    """
    if args.out:
        check_output(args.out, [args.file, args.dataset, args.config])
    scorer, said = rules_of_run(args, args.file.parent)
    if args.presets:
        return _side_by_side(args, scorer, said)
    settings, io = scorer.settings, scorer.io
    lines = list(read_lines(args.file))
    kept = without_repeats(lines)
    scores = RowScores(scorer, stages_of(args, scorer), _targets(args))
    judged = _judged(scores, [row for line in kept for row in line], args.file)
    rows = _scored(scores, judged, 0 if args.stage else logged_steps(args.file.parent))
    summary = {
        "file": str(args.file),
        "settings": settings.source,
        "settings_from": said,
        "format": io.format.name,
        "frame": io.format.frame.describe(),
        "resize": io.resize.describe(),
        "repeated_lines": len(lines) - len(kept),
        **scores.summary(),
    }
    if said:
        warn(said)
    if args.out:
        write_file(args.out, "".join(json.dumps(row) + "\n" for row in rows))
    say(json.dumps(summary, indent=2))
    return 0


def _side_by_side(args: argparse.Namespace, scorer: Scorer, said: str) -> int:
    """Print what each preset pays for the same completions."""
    refuse_stage(args.stage)
    scorers, notes = scorers_of(args.presets.split(","), scorer)
    kept = without_repeats(list(read_lines(args.file)))
    target, columns, rows = _targets(args), [], []
    for name, each in scorers.items():
        scores = RowScores(each, each.schedule.names, target)
        judged = _judged(scores, [row for line in kept for row in line], args.file)
        rows = [scores.add(one) for one in judged]
        columns += columns_of(name, scores, rows)
    for note in [said, *notes]:
        if note:
            warn(note)
    if args.out:
        lines = (json.dumps(row) + "\n" for row in rows_of(rows, columns))
        write_file(args.out, "".join(lines))
    say(f"{len(rows)} completions of {args.file}\n" + table(columns), end="")
    return 0


def _targets(args: argparse.Namespace) -> Callable[[Row], Target | None]:
    return DatasetRows(args.dataset).target if args.dataset else _own_target


def _own_target(row: Row) -> Target | None:
    return published(row).target()


def _judged(scores: RowScores, rows: Sequence[Row], path: Path) -> list[JudgedCompletion]:
    judged = []
    for row in rows:
        with naming(row, path):
            if (one := scores.read(row)) is not None:
                judged.append(one)
    if not judged:
        others = f", only {scores.left} that are left to other rewards" if scores.left else ""
        raise InputError(f"expected completions in {path} that can be scored, got none{others}")
    return judged


def _scored(
    scores: RowScores, judged: Sequence[JudgedCompletion], max_steps: int
) -> list[dict[str, Any]]:
    trained = standards_in_training(judged, scores.scorer, max_steps)
    standards: Sequence[Standard | None] = trained or [None] * len(judged)
    return [scores.add(*each) for each in zip(judged, standards, strict=True)]
