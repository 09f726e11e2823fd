"""`vision-r1 explain`: one completion's reward, term by term."""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..console import say
from ..data.ground_truth import GroundTruth, read_solution
from ..data.images import open_image
from ..data.logged_rows import Row, naming, published, read_line
from ..data.row_tasks import CountTruth, PointTruth, Target
from ..errors import ImageError, InputError
from ..files import decoded, read_text
from ..reward.schedule import Standard
from ..reward.scorer import Scorer
from ..runs.run_folder import logged_steps
from ..runs.trained import standard_in_training
from .reward_options import add_reward_options, add_stage_option, rules_of_run, stages_of

LONG_SIDE = 1600  # pixels of the image in a picture


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    sub = subparsers.add_parser(
        "explain", help="one completion: the match table, each equation's terms, a picture"
    )
    text = sub.add_mutually_exclusive_group()
    text.add_argument("--completion", metavar="TEXT", help="the completion; default: the row's own")
    text.add_argument("--file", metavar="FILE", help="read it from a file; - is standard input")
    truth = sub.add_mutually_exclusive_group(required=True)
    truth.add_argument(
        "--row",
        metavar="FILE.jsonl:LINE[:N]",
        help="a row with a solution: of a data set, of `swift infer`, or the N-th of a line of "
        "completions.jsonl",
    )
    truth.add_argument(
        "--solution", metavar="JSON", help="the annotation itself, as in a row's column `solution`"
    )
    add_reward_options(sub)
    add_stage_option(sub)
    sub.add_argument(
        "--out", type=Path, metavar="PNG", help="also draw the boxes into this picture"
    )
    sub.add_argument(
        "--image",
        type=Path,
        help="what to draw them on; default: the row's own image, else nothing",
    )
    sub.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the explanation, and draw it where asked.

    Raises:
        InputError: a file or an option cannot be used.
        SettingsError: the settings cannot be used.
        SolutionError: the annotation cannot be used.
    """
    from ..explain.explanation import explain
    from ..explain.report import report

    row, target, folder = _row_and_target(args)
    scorer, said = rules_of_run(args, folder)
    text = _text(args, row)
    if not isinstance(target, GroundTruth):
        say(
            "".join(f"{line}\n" for line in [said] if line)
            + _without_boxes(args, text, target, scorer)
        )
        return 0
    trained = _in_training(args, row, scorer)
    stages: list[str | Standard] = list(stages_of(args, scorer))
    if trained is not None:
        said = f"{said}\njudged in training at: {trained.title}".lstrip()
        stages += [] if trained.name else [trained]
    try:
        explanation = explain(text, target, scorer, stages)
    except ValueError as error:
        raise InputError(str(error)) from None
    say("".join(f"{line}\n" for line in [said] if line) + report(explanation), end="")
    if args.out:
        from ..explain.picture import write_picture

        image, why = _image(args.image or (row.image if row else None))
        write_picture(args.out, explanation, image)
        say(f"\nwrote {args.out}" + (f" (the boxes are on an empty canvas: {why})" if why else ""))
    return 0


def _without_boxes(
    args: argparse.Namespace, text: str, target: PointTruth | CountTruth, scorer: Scorer
) -> str:
    from ..explain.other_answers import describe

    if args.out:
        raise InputError("expected --out with a row that asks for boxes, got one that does not")
    try:
        return describe(text, target, scorer)
    except ValueError as error:
        raise InputError(str(error)) from None


def _row_and_target(args: argparse.Namespace) -> tuple[Row | None, Target, Path | None]:
    """The row with its annotation and its file's folder, which may be a run's."""
    if args.row is None:
        return None, read_solution(args.solution), None
    path, line, place = _place(args.row)
    row = read_line(path, line, place)
    with naming(row, path):
        target = published(row).target()
        if target is None:
            raise InputError(
                "expected a row that our rewards judge, got one of another task, which is left to "
                "other rewards"
            )
        return row, target, path.parent


def _in_training(args: argparse.Namespace, row: Row | None, scorer: Scorer) -> Standard | None:
    """The criteria that training judged the row's own completion by, if they are known."""
    if row is None or args.stage or args.completion is not None or args.file is not None:
        return None
    path = _place(args.row)[0]
    return standard_in_training(path, row, scorer, logged_steps(path.parent))


def _place(spec: str) -> tuple[Path, int, int | None]:
    """FILE:LINE or FILE:LINE:N; the file's own name may have colons."""
    parts = spec.split(":")
    numbers: list[int] = []
    while len(parts) > 1 and len(numbers) < 2 and parts[-1].isdigit():
        numbers.insert(0, int(parts.pop()))
    if not numbers:
        raise InputError(
            f"expected --row FILE.jsonl:LINE with the line's number from 1, got {spec!r}"
        )
    return Path(":".join(parts)), numbers[0], numbers[1] if len(numbers) > 1 else None


def _text(args: argparse.Namespace, row: Row | None) -> str:
    if args.completion is not None:
        return str(args.completion)
    if args.file == "-":
        return decoded(sys.stdin.buffer.read(), Path("standard input"))
    if args.file is not None:
        return read_text(Path(args.file))
    text = row.text if row else None
    if text is None:
        raise InputError(
            "expected a completion: --completion TEXT, --file FILE (- is standard input), or a "
            "--row that has a `response` or a `completion`"
        )
    return text


def _image(image: Any) -> tuple[Any, str]:
    """The image to draw on; None and the reason if it is missing or cannot be opened."""
    if image is None:
        return None, "no image file at hand"
    try:
        return open_image(image, LONG_SIDE), ""
    except ImageError as error:
        return None, str(error)
