"""`mmdet-eval --ann ... --pred ...`: evaluate answers or boxes that are there."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from swift_plugin_visionr1.coords import QwenResize
from swift_plugin_visionr1.formats import FORMATS

from ..answers.by_dataset import by_dataset
from ..answers.coco_results import Converted
from ..answers.confidence import POLICIES
from ..answers.join import Duplicates
from ..answers.labels import read_synonyms
from ..answers.readers import read_predictions
from ..answers.rows import Row
from ..data.annotations import Annotations, read_annotations
from ..data.protocols import load_protocol, protocol_names
from ..data.suite_files import load_suite, suite_names
from ..data.suites import DatasetSpec, Suite
from ..errors import InputError
from ..evaluation import Evaluation, Options, evaluate_answers, evaluate_boxes
from ..garbage import garbage_collection_paused
from ..metrics.measure import Engine
from ..reports.outputs import write_outputs
from ..reports.table import table

Dataset = tuple[DatasetSpec, Annotations]
KINDS = (".jsonl", ".json", ".pkl")  # of prediction files, as they are looked for in a folder


def add_parser(subparsers: Any) -> None:
    """Add the command, which is also what `mmdet-eval` does when no command is named."""
    sub = subparsers.add_parser(
        "evaluate", help="evaluate a prediction file; `mmdet-eval --ann ...` is the same",
        description="mAP, AP50, AP75 and AR@100 by MMDetection's CocoMetric, of a VLM's answers or of boxes.",
    )  # fmt: skip
    what = sub.add_mutually_exclusive_group(required=True)
    what.add_argument("--ann", type=Path, help="COCO annotation file")
    what.add_argument("--suite", help=f"{', '.join(suite_names())}, a YAML file like theirs, or an mmdet config")
    sub.add_argument("--root", type=Path, default=Path("."), help="folder that the suite's paths are relative to")
    sub.add_argument("--images", type=Path, help="folder of the images of --ann, for pictures and the report")
    sub.add_argument(
        "--pred", type=Path, required=True,
        help="JSONL of `swift infer` or of an OpenAI-style server, COCO results, or mmdet's dump; for a suite also a "
        "folder with one file per data set",
    )  # fmt: skip
    sub.add_argument("--protocol", help=f"how the model was asked: {', '.join(protocol_names())}, or a YAML file")
    sub.add_argument("--out", type=Path, help="folder for metrics.json, summary.md, report.html and the rest")
    sub.add_argument(
        "--max-pixels", type=int,
        help="the --max_pixels that inference was run with; MAX_PIXELS, IMAGE_MAX_TOKEN_NUM and their MIN are read "
        "from the environment, as inference does",
    )  # fmt: skip
    sub.add_argument(
        "--allow-missing", action="store_true",
        help="evaluate images without an answer as empty, and leave data sets out that are not there",
    )  # fmt: skip
    sub.add_argument(
        "--duplicates", default="error", choices=get_args(Duplicates), help="which of two answers to a query counts"
    )
    add_options(sub)
    sub.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What decides the numbers, in this command and in `run`."""
    parser.add_argument("--format", default="qwen2_5_vl", choices=sorted(FORMATS), help="how the model writes boxes")
    parser.add_argument("--score", default="const", choices=sorted(POLICIES), help="where the scores come from")
    parser.add_argument("--synonyms", type=Path, help="YAML file, label: category name")
    parser.add_argument(
        "--engine", default="mmdet", choices=get_args(Engine),
        help="mmdet: MMDetection's numbers, recomputed by hotcoco; hotcoco: the same numbers faster, not recomputed",
    )  # fmt: skip
    parser.add_argument("--orders", type=int, default=20, help="image orders tried for the range of mAP; default 20")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print, and write the files where a folder is given; returns 0.

    Raises:
        InputError: an input cannot be used.
        MissingBackend: MMDetection cannot be imported.
        OSError: the folder cannot be written.
    """
    if arguments.out:  # before the work, not after it
        arguments.out.mkdir(parents=True, exist_ok=True)
    with garbage_collection_paused():
        evaluations, left_out = evaluate(arguments)
        finish(evaluations, left_out, arguments)
    return 0


def evaluate(arguments: argparse.Namespace) -> tuple[list[Evaluation], list[str]]:
    """The evaluations that the arguments ask for, and the names of the data sets that were left out."""
    options = options_of(arguments)
    suite, left_out = _datasets(arguments)
    if options.protocol is None and arguments.suite:
        options = replace(options, protocol=load_protocol(suite.protocol))
    datasets = [(spec, read_annotations(spec.ann, spec.classes)) for spec in suite.datasets]
    predictions, without = _predictions(arguments, datasets, options)
    _check_synonyms(options.synonyms, datasets)
    show = bool(arguments.suite or arguments.images)
    evaluations = [
        evaluate_dataset(spec, annotations, predictions[spec.name], options, show)
        for spec, annotations in datasets
        if spec.name in predictions
    ]
    return evaluations, [*left_out, *without]


def finish(evaluations: Sequence[Evaluation], left_out: Sequence[str], arguments: argparse.Namespace) -> None:
    """Write the folder, where one is given, and print the table."""
    given = {key: str(value) if isinstance(value, Path) else value for key, value in vars(arguments).items()}
    given = {key: value for key, value in given.items() if not callable(value)}
    for evaluation in evaluations:
        evaluation.conditions["arguments"] = given
    if arguments.out:
        write_outputs(arguments.out, evaluations, arguments.suite, left_out)
    print(table(evaluations, left_out))


def options_of(arguments: argparse.Namespace) -> Options:
    """The options that the arguments and the environment give.

    Raises:
        InputError: one cannot be used.
    """
    try:
        resize = QwenResize.from_environment(os.environ, max_pixels=arguments.max_pixels)
    except ValueError as error:
        raise InputError(str(error)) from None
    return Options(
        protocol=load_protocol(arguments.protocol) if arguments.protocol else None,
        format=arguments.format, resize=resize, score=arguments.score,
        synonyms=read_synonyms(arguments.synonyms) if arguments.synonyms else {},
        engine=arguments.engine, orders=arguments.orders,
        missing="empty" if arguments.allow_missing else "error",
        duplicates=getattr(arguments, "duplicates", "error"),
    )  # fmt: skip


def _datasets(arguments: argparse.Namespace) -> tuple[Suite, tuple[str, ...]]:
    if arguments.suite:
        return load_suite(arguments.suite, arguments.root, arguments.allow_missing)
    name = arguments.ann.stem
    spec = DatasetSpec(name, arguments.ann, arguments.images or arguments.ann.parent)
    return Suite(name, arguments.protocol or "", (spec,)), ()


def _predictions(
    arguments: argparse.Namespace, datasets: Sequence[Dataset], options: Options
) -> tuple[dict[str, list[Row] | Converted], list[str]]:
    """What --pred has for each data set, and the names of those without any."""
    found: dict[str, list[Row] | Converted] = {}
    if arguments.pred.is_dir():
        for spec, truth in datasets:
            files = [file for kind in KINDS if (file := arguments.pred / f"{spec.name}{kind}").is_file()]
            if len(files) > 1 or not (files or arguments.allow_missing):
                raise InputError(
                    f"expected one file called {spec.name} with {', '.join(KINDS)} in {arguments.pred}, got "
                    f"{len(files)}: name each prediction file by its data set"
                )
            if files:
                found[spec.name] = read_predictions(files[0], truth, options.missing)
    else:
        read = read_predictions(arguments.pred, datasets[0][1], options.missing)
        if len(datasets) == 1:
            found = {datasets[0][0].name: read}
        elif isinstance(read, Converted):
            raise InputError(f"expected a folder with one file of boxes per data set, got the file {arguments.pred}")
        else:
            found = {name: rows for name, rows in by_dataset(read, datasets).items() if rows}
            if len(found) < len(datasets) and not arguments.allow_missing:
                without = [spec.name for spec, _ in datasets if spec.name not in found]
                raise InputError(
                    f"expected answers about {len(datasets)} data sets in {arguments.pred}, got none about "
                    f"{', '.join(without)}: infer them too, or leave them out with --allow-missing"
                )
    if not found:
        raise InputError(
            f"expected predictions for {', '.join(s.name for s, _ in datasets)}, got none in {arguments.pred}"
        )
    return found, [spec.name for spec, _ in datasets if spec.name not in found]


def _check_synonyms(synonyms: Mapping[str, str], datasets: Sequence[Dataset]) -> None:
    known = {name for _, truth in datasets for name in truth.categories.values()}
    for label, name in synonyms.items():
        if name not in known:
            raise InputError(
                f"expected --synonyms to name categories of the data sets, got {name!r} for {label!r}: "
                f"the categories are {', '.join(sorted(known)[:20])}"
            )


def evaluate_dataset(
    spec: DatasetSpec, annotations: Annotations, predictions: list[Row] | Converted, options: Options, show: bool
) -> Evaluation:
    images = spec.images if show else None
    if isinstance(predictions, Converted):
        return evaluate_boxes(spec, annotations, predictions, options, images)
    names = set(annotations.categories.values())  # a suite's synonyms are for all of its sets
    synonyms = {label: name for label, name in options.synonyms.items() if name in names}
    return evaluate_answers(spec, annotations, predictions, replace(options, synonyms=synonyms), images)
