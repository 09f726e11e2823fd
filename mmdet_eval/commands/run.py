"""`mmdet-eval run`: asks a model and evaluates its answers, in one command."""

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.models.checkpoint import find_checkpoint
from swift_plugin_visionr1.models.model_io import DEFAULT_MODEL_TYPE

from ..answers.coco_results import Converted
from ..answers.confidence import FROM_TOKENS, VERIFIED
from ..answers.readers import read_predictions
from ..answers.rows import AnswerRow
from ..asking.adapters import on_its_base
from ..asking.asked_model import AskedModel
from ..asking.fingerprint import frame_variables
from ..asking.passed_options import adapters_in
from ..asking.reading_record import ReadingRecord, find_training_record
from ..asking.session import Answered, Session, run
from ..asking.speed import Speed
from ..asking.swift_infer import InferenceFailed
from ..asking.verification import FOLDERS, Claim, verify
from ..evaluation import Evaluation, Options, convert_answers, evaluate_dataset
from ..reports.outputs import output_folder
from .evaluate import add_options, finish, options_of
from .prompts import add_dataset_arguments, read_datasets
from .reading import io_of, told
from .verifying import VIEWS, claims_of, scorer_from

STOPPED = 130  # the exit code after Ctrl-C
NO_MODEL_TYPE = (
    "note: the model type of {} is unknown, so its answers are read as "
    f"{DEFAULT_MODEL_TYPE}: pass --model-type, or --format and --frame"
)


def add_parser(subparsers: Any) -> None:
    """Add the command. Unknown arguments go to `swift infer`: the caller sets `infer_arguments`."""
    sub = subparsers.add_parser(
        "run",
        allow_abbrev=False,
        help="ask a model with `swift infer` and evaluate its answers; resumes",
        description="Prepare a protocol's prompts, ask the model with one `swift infer`, evaluate. "
        "If interrupted, run the same command again to continue. Options not listed here go to "
        "`swift infer`.",
    )
    sub.add_argument("--model", required=True, help="folder or hub id, also of a LoRA adapter")
    sub.add_argument("--infer-backend", default="transformers", help="transformers, vllm, ...")
    sub.add_argument(
        "--out", type=Path, required=True, help="folder for the answers and the results"
    )
    add_dataset_arguments(sub)
    add_options(sub)
    sub.set_defaults(run=run_command, infer_arguments=())


def run_command(arguments: argparse.Namespace) -> int:
    """Ask and evaluate; returns the exit code: 1 if `swift infer` failed.

    Raises:
        InputError: an input cannot be used, or --out holds answers to something else.
        MissingBackend: MMDetection cannot be imported.
    """
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that `swift infer` is terminated too
    base, passed = on_its_base(arguments.model, arguments.infer_arguments)
    arguments.model, arguments.infer_arguments = base, passed
    record = _reading_of(arguments)
    io = io_of(arguments, record, find_training_record(arguments.out, record))
    suite, protocol, left_out = read_datasets(arguments, io.format)
    options = replace(options_of(arguments, io), protocol=protocol)
    places = [place for spec in suite.datasets for place in (spec.ann, spec.images)]
    named = (
        arguments.model,
        *record.adapters,
        arguments.suite,
        arguments.protocol,
        arguments.synonyms,
    )
    inputs = [*named, arguments.config, *places]
    with output_folder(arguments.out, inputs):
        pass  # what would refuse the results is told before a model is asked
    model = _model_of(arguments, record)
    try:
        session = run(model, suite.datasets, protocol, arguments.out, arguments.allow_missing)
        if arguments.score in VERIFIED:
            options = _verified(model, session, options, arguments)
    except KeyboardInterrupt:
        warn("\nmmdet-eval: stopped; run the same command again to continue")
        return STOPPED
    except InferenceFailed as error:
        warn(f"mmdet-eval: {error}")
        return 1
    warn(f"{session.asked} questions asked now; all answers are in {arguments.out / 'answers'}")
    with output_folder(arguments.out, inputs):
        _evaluate_all(session, left_out, options, arguments)
    return 0


def _reading_of(arguments: argparse.Namespace) -> ReadingRecord:
    """How the answers will have to be read, as far as checkpoint and arguments tell."""
    adapters = tuple(adapters_in(arguments.infer_arguments))
    checkpoint = find_checkpoint(arguments.model, adapters)
    if not (checkpoint.model_type or arguments.model_type or arguments.format or arguments.config):
        warn(NO_MODEL_TYPE.format(arguments.model))
    return ReadingRecord(
        arguments.model,
        arguments.model_type or checkpoint.model_type,
        arguments.max_pixels,
        told(arguments).over(checkpoint.chat),
        frame_variables(),
        adapters,
    )


def _model_of(arguments: argparse.Namespace, record: ReadingRecord) -> AskedModel:
    return AskedModel(
        arguments.model,
        arguments.infer_backend,
        arguments.max_pixels,
        tuple(arguments.infer_arguments),
        logprobs=arguments.score in FROM_TOKENS,
        model_type=arguments.model_type,
        chat=told(arguments),
        reading=record,
    )


def _verified(
    model: AskedModel, session: Session, options: Options, arguments: argparse.Namespace
) -> Options:
    """The options with a scorer by what the model says about its boxes, which it is asked now, once
    for all data sets."""
    claims: dict[Claim, None] = {}
    for one in session.answered:
        rows = _rows(one, options)
        converted = convert_answers(one.spec, one.annotations, rows, options)
        for some in claims_of(converted.answers, one.spec.images):
            claims |= dict.fromkeys(claim for claim in some if claim)
    view = VIEWS[arguments.score]
    known = verify(model, list(claims), arguments.out, view, arguments.allow_missing)
    warn(f"{len(known)} of {len(claims)} boxes have an answer in {arguments.out / FOLDERS[view]}")
    return replace(options, scorer=scorer_from(lambda _: known))


def _evaluate_all(
    session: Session,
    left_out: Sequence[str],
    options: Options,
    arguments: argparse.Namespace,
) -> None:
    evaluations = []
    for one in session.answered:
        rows = _rows(one, options)
        evaluations.append(
            evaluate_dataset(one.spec, one.annotations, rows, options, one.spec.images)
        )
    speed = _speed(session, evaluations)
    finish([replace(one, speed=speed) for one in evaluations], left_out, arguments)


def _rows(one: Answered, options: Options) -> list[AnswerRow]:
    """The answers about a data set; if some may be missing, all of them may be."""
    if not one.answers.stat().st_size:
        return []
    rows = read_predictions(one.answers, one.annotations, options.missing)
    assert not isinstance(rows, Converted), "a run asks for text"
    return rows


def _speed(session: Session, evaluations: Sequence[Evaluation]) -> Speed | None:
    """How fast all data sets were answered; None if no call of `swift infer` told its time."""
    if session.time is None:
        return None
    read = [one.converted.answers for one in evaluations]
    boxes = sum(
        len(answer.boxes)
        for answered, answers in zip(session.answered, read, strict=True)
        for answer in answers
        if answer.answer.line in answered.timed
    )
    timed = sum(len(one.timed) for one in session.answered)
    time = session.time
    return Speed(timed, sum(map(len, read)), boxes, time.tokens, time.seconds)
