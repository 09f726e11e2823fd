"""The command line: `python -m mmdet_eval`, also installed as `mmdet-eval`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from swift_plugin_visionr1.coords import QwenResize
from swift_plugin_visionr1.formats import FORMATS, get_format

from .answers.coco_results import to_coco_results
from .answers.confidence import POLICIES
from .answers.predictions import join, read_rows
from .data.annotations import read_annotations
from .errors import InputError
from .metrics.mmdet_backend import MissingBackend, evaluate
from .reports.report import Report


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    result = argparse.ArgumentParser(
        prog="mmdet-eval", description="mAP, AP50, AP75 and AR@100 of a VLM's answers, by MMDetection's CocoMetric."
    )
    result.add_argument("--ann", required=True, help="COCO annotation file")
    result.add_argument("--pred", required=True, help="JSONL file written by `swift infer --result_path`")
    result.add_argument("--format", default="qwen2_5_vl", choices=sorted(FORMATS), help="how the model writes boxes")
    result.add_argument("--out", type=Path, help="folder for metrics.json and coco_results.json")
    result.add_argument(
        "--max-pixels", type=int,
        help="the --max_pixels that inference was run with; MAX_PIXELS, IMAGE_MAX_TOKEN_NUM and their MIN are read "
        "from the environment, as inference does",
    )  # fmt: skip
    result.add_argument("--score", default="const", choices=sorted(POLICIES), help="where the scores come from")
    result.add_argument("--allow-missing", action="store_true", help="evaluate images without an answer as empty")
    return result


def run(arguments: argparse.Namespace) -> Report:
    """Evaluate, and write the files where a folder is given.

    Raises:
        InputError: an input cannot be used.
        MissingBackend: MMDetection cannot be imported.
        OSError: the folder cannot be written.
    """
    try:
        resize = QwenResize.from_environment(os.environ, max_pixels=arguments.max_pixels)
    except ValueError as error:
        raise InputError(str(error)) from None
    if arguments.out:  # before the work, not after it
        arguments.out.mkdir(parents=True, exist_ok=True)
    annotations = read_annotations(arguments.ann)
    answers = join(read_rows(arguments.pred), annotations.images, arguments.allow_missing)
    converted = to_coco_results(
        answers, get_format(arguments.format), resize, annotations.categories, len(annotations.images), arguments.score
    )
    metrics = evaluate(annotations, converted.results)
    given = {key: str(value) if isinstance(value, Path) else value for key, value in vars(arguments).items()}
    report = Report(annotations, converted, metrics, arguments.format, resize, arguments.score, given)
    if arguments.out:
        report.write(arguments.out)
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, or 2 with one message on stderr where an input cannot be used."""
    arguments = parser().parse_args(argv)
    try:
        report = run(arguments)
    except (InputError, MissingBackend, OSError) as error:
        print(f"mmdet-eval: {error}", file=sys.stderr)
        return 2
    print(report.table())
    return 0
