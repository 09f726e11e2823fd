"""`mmdet-eval --ann ... --pred ...`: evaluates existing answers or boxes."""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from swift_plugin_visionr1.console import say, warn
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import Format
from swift_plugin_visionr1.models.model_io import ModelIO

from ..answers.coco_results import Converted
from ..answers.confidence import POLICIES, VERIFIED
from ..answers.join import Duplicates
from ..answers.labels import read_synonyms
from ..answers.recorded_protocol import recorded_protocol
from ..answers.scorers import BoxScorer, find_scorer
from ..answers.suite_predictions import Dataset, Predictions, read_all
from ..asking.passed_options import recorded, without_user
from ..asking.reading_record import find_reading_record, find_training_record
from ..coco.soundness import require_sound, require_sound_files
from ..evaluation import Evaluation, Options, evaluate_dataset
from ..gc_pause import garbage_collection_paused
from ..metrics.matching import LIMIT
from ..metrics.measure import Engine
from ..reports.console import table
from ..reports.outputs import output_folder, write_outputs
from ..suites.files import load_suite
from ..suites.forms import read_dataset
from ..suites.protocols import EXPRESSIONS, Protocol, in_words_of, load_protocol
from ..suites.spec import DatasetSpec, Suite, check_names
from .prompts import add_place_arguments
from .reading import add_reading_arguments, io_of
from .verifying import stored_scorer

# Arguments that do not apply to boxes.
ABOUT_TEXT = (
    "model_type",
    "template",
    "enable_thinking",
    "response_prefix",
    "format",
    "frame",
    "reasoning",
    "config",
    "score",
    "synonyms",
    "max_pixels",
    "duplicates",
)


def add_parser(subparsers: Any) -> None:
    """Add the command, which is also the default of `mmdet-eval`."""
    sub = subparsers.add_parser(
        "evaluate",
        help="evaluate a prediction file; `mmdet-eval --ann ...` is the same",
        description="mAP, AP50, AP75 and AR@100 of a VLM's answers or of boxes, by MMDetection's "
        "CocoMetric.",
    )
    add_place_arguments(sub, "what the rows record, else the suite's")
    sub.add_argument(
        "--out", type=Path, help="folder for metrics.json, summary.md, report.html and the rest"
    )
    _add_prediction_arguments(sub)
    add_options(sub)
    sub.set_defaults(run=run)


def _add_prediction_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--pred",
        type=Path,
        required=True,
        help="JSONL of `swift infer` or of an OpenAI-style server, COCO results, or mmdet's dump; "
        "for a suite also a folder with one file per data set",
    )
    sub.add_argument(
        "--duplicates",
        default="error",
        choices=get_args(Duplicates),
        help="which of two answers to a query counts",
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options that affect the numbers, in this command and in `run`."""
    add_reading_arguments(parser)
    parser.add_argument(
        "--score",
        default="const",
        help=f"where the scores come from: {', '.join(sorted(POLICIES))}, or module:function, your "
        "own scorer",
    )
    parser.add_argument("--synonyms", type=Path, help="YAML file, label: category name")
    parser.add_argument(
        "--engine",
        default="mmdet",
        choices=get_args(Engine),
        help="mmdet: MMDetection's numbers, recomputed by hotcoco; hotcoco: the same numbers, "
        "faster, not recomputed",
    )
    parser.add_argument(
        "--mmdet-dump",
        action=argparse.BooleanOptionalAction,
        help="write predictions.pkl for MMDetection's offline tools, which imports torch; default: "
        "with --engine mmdet only",
    )
    parser.add_argument(
        "--show-outside",
        action="store_true",
        help="let the report show images whose file_name leads outside the image folder",
    )
    parser.add_argument(
        "--orders",
        type=int,
        default=20,
        help="number of image orders tried for the range of mAP; default 20",
    )
    parser.add_argument(
        "--max-dets",
        type=int,
        default=LIMIT,
        metavar="N",
        help="boxes of an image and category that AP and AR see, the first by score; default "
        f"{LIMIT}, as on COCO",
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print, and write the files if a folder is given; returns 0.

    Raises:
        InputError: an input cannot be used.
        MissingBackend: MMDetection cannot be imported.
        OSError: the folder cannot be written.
    """
    place = output_folder(arguments.out, _inputs(arguments)) if arguments.out else nullcontext()
    with place, garbage_collection_paused():
        evaluations, left_out = evaluate(arguments)
        finish(evaluations, left_out, arguments)
    return 0


def _inputs(arguments: argparse.Namespace) -> list[Path | str | None]:
    """The files and folders named by the arguments."""
    suite, _ = _datasets(arguments)
    places = [place for spec in suite.datasets for place in (spec.ann, spec.images)]
    options = arguments.pred, arguments.synonyms, arguments.config, arguments.protocol
    # Without --images, the folder of --ann stands in for the image folder, and may hold --out.
    given = [place for place in places if arguments.suite or place != arguments.ann.parent]
    return [arguments.suite, *options, *given]


def evaluate(arguments: argparse.Namespace) -> tuple[list[Evaluation], list[str]]:
    """The evaluations requested by the arguments, and the names of the data sets left out."""
    options = options_of(arguments)
    suite, left_out = _datasets(arguments)
    datasets = [(spec, read_dataset(spec)) for spec in suite.datasets]
    show = bool(arguments.suite or arguments.images)
    _check_annotations(datasets, show)
    predictions = read_all(arguments.pred, datasets, options.missing)
    _check_synonyms(options.synonyms, datasets)
    protocol = options.protocol or _protocol(suite, list(predictions.values()), options.io.format)
    options = replace(options, protocol=protocol)
    evaluations = [
        evaluate_dataset(
            spec, annotations, predictions[spec.name], options, spec.images if show else None
        )
        for spec, annotations in datasets
    ]
    return evaluations, list(left_out)


def _check_annotations(datasets: Sequence[Dataset], with_images: bool) -> None:
    """Raise InputError if annotations do not fit their images, which are checked if they are known
    to exist."""
    for spec, annotations in datasets:
        if not with_images or not spec.images.is_dir():
            require_sound(annotations)
            continue
        for warning in require_sound_files(annotations, spec.images):
            warn(f"note: {spec.name}: {warning}")


def _protocol(suite: Suite, predictions: Sequence[Predictions], format: Format) -> Protocol | None:
    """The protocol that the rows record, else the suite's in the format's words."""
    recorded = recorded_protocol(
        [row for one in predictions if not isinstance(one, Converted) for row in one]
    )
    if recorded or not suite.protocol:
        return recorded
    default = load_protocol(suite.protocol)
    # Boxes may come from a detector, which is not asked anything, but a referring expression is
    # always a question.
    boxes = any(isinstance(one, Converted) for one in predictions)
    if boxes:
        return default if default.queries in EXPRESSIONS else None
    return in_words_of(format, default)


def finish(
    evaluations: Sequence[Evaluation], left_out: Sequence[str], arguments: argparse.Namespace
) -> None:
    """Write the folder, if one is given, and print the table."""
    given = {key: value for key, value in vars(arguments).items() if not callable(value)}
    given = {key: _recordable(key, value) for key, value in given.items()}
    for evaluation in evaluations:
        unused = () if evaluation.converted.of_text else ABOUT_TEXT
        evaluation.conditions["arguments"] = {
            key: value for key, value in given.items() if key not in unused
        }
    if arguments.out:
        wanted = arguments.mmdet_dump
        dump = arguments.engine == "mmdet" if wanted is None else wanted
        write_outputs(arguments.out, evaluations, arguments.suite, left_out, dump)
        warn(f"written: {arguments.out / 'report.html'} and the files beside it")
    say(table(evaluations, left_out))


def _recordable(name: str, value: Any) -> Any:
    """An argument in a form that anybody may read, JSON-ready."""
    if name == "infer_arguments":
        return recorded(value)
    return without_user(str(value)) if isinstance(value, str | Path) else value


def options_of(arguments: argparse.Namespace, io: ModelIO | None = None) -> Options:
    """The options from the arguments and the environment.

    Args:
        io: how answers are read, if the arguments alone do not decide it.

    Raises:
        InputError: an option cannot be used.
    """
    return Options(
        protocol=load_protocol(arguments.protocol) if arguments.protocol else None,
        io=io or _recorded_io(arguments),
        score=arguments.score,
        scorer=_scorer(arguments),
        synonyms=read_synonyms(arguments.synonyms) if arguments.synonyms else {},
        engine=arguments.engine,
        orders=arguments.orders,
        missing="empty" if arguments.allow_missing else "error",
        duplicates=getattr(arguments, "duplicates", "error"),
        show_outside=arguments.show_outside,
        max_dets=arguments.max_dets,
    )


def _scorer(arguments: argparse.Namespace) -> BoxScorer | None:
    """What scores all answers at once; `run` sets its own, as it has no file of predictions."""
    if arguments.score not in VERIFIED:
        return find_scorer(arguments.score)
    predictions = getattr(arguments, "pred", None)
    return stored_scorer(arguments.score, predictions) if predictions else None


def _recorded_io(arguments: argparse.Namespace) -> ModelIO:
    record = find_reading_record(arguments.pred)
    return io_of(arguments, record, find_training_record(arguments.pred, record))


def _datasets(arguments: argparse.Namespace) -> tuple[Suite, tuple[str, ...]]:
    if arguments.suite:
        if arguments.classes:
            raise InputError(
                "expected --classes only with --ann, got --suite: name them in the suite's file"
            )
        return load_suite(arguments.suite, arguments.root, arguments.allow_missing)
    if arguments.images and not arguments.images.is_dir():
        raise InputError(
            f"expected --images to be the image folder, got {arguments.images}, which is not a "
            "folder"
        )
    name = arguments.ann.stem
    check_names([name])
    classes = tuple(arguments.classes) if arguments.classes else None
    spec = DatasetSpec(name, arguments.ann, arguments.images or arguments.ann.parent, classes)
    return Suite(name, "", (spec,)), ()


def _check_synonyms(synonyms: Mapping[str, str], datasets: Sequence[Dataset]) -> None:
    known = {name for _, truth in datasets for name in truth.categories.values()}
    for label, name in synonyms.items():
        if name not in known:
            raise InputError(
                f"expected --synonyms to name categories of the data sets, got {name!r} for "
                f"{label!r}: "
                f"the categories are {', '.join(sorted(known)[:20])}"
            )
