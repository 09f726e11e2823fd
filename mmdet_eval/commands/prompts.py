"""`mmdet-eval prompts`: writes a protocol's queries as a dataset for `swift infer
--val_dataset`."""

import argparse
import json
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.commands.model_options import add_model_type_option
from swift_plugin_visionr1.console import say, warn
from swift_plugin_visionr1.doctor.checks.prompts import asks_for_json
from swift_plugin_visionr1.errors import InputError, SettingsError
from swift_plugin_visionr1.formats import Format
from swift_plugin_visionr1.models.model_io import model_io
from swift_plugin_visionr1.reward.settings import Settings
from swift_plugin_visionr1.writing import check_output, write_file

from ..coco.annotations import Annotations
from ..suites.files import load_suite, suite_names
from ..suites.forms import read_dataset
from ..suites.prompt_rows import Row, check_images, path_note, prompt_rows, unannotated_note
from ..suites.protocols import EXPRESSIONS, Protocol, in_words_of, load_protocol, protocol_names
from ..suites.spec import DatasetSpec, Suite, check_names

DEFAULT_PROTOCOL = "vision_r1_coco"  # for --ann; a suite has its own


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    sub = subparsers.add_parser(
        "prompts",
        help="write the dataset for `swift infer`",
        description="Write one row per query of a protocol, as JSONL for `swift infer "
        "--val_dataset`.",
    )
    add_dataset_arguments(sub)
    add_model_type_option(
        sub,
        "ms-swift's name of the model's family; the question is then in the words of its authors. "
        "Default: none",
    )
    sub.add_argument("--out", required=True, type=Path, help="the JSONL file to write")
    sub.set_defaults(run=run)


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments for which data sets are asked about, and how; `read_datasets` reads them."""
    add_place_arguments(
        parser,
        f"the suite's, {DEFAULT_PROTOCOL} for --ann, in the words documented by the model's "
        "authors",
    )


def add_place_arguments(parser: argparse.ArgumentParser, protocol: str) -> None:
    """The arguments for where the data sets are and how they are asked about, shared by every
    command that reads them; `protocol` says which one is the default."""
    parser.add_argument(
        "--protocol",
        help="how the model is asked about the data sets: "
        f"{', '.join(protocol_names())}, or a YAML file; default: {protocol}",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--ann", type=Path, help="COCO annotation file")
    what.add_argument(
        "--suite", help=f"{', '.join(suite_names())}, a YAML file like theirs, or an mmdet config"
    )
    parser.add_argument(
        "--images", type=Path, help="image folder of --ann; the report shows the images"
    )
    parser.add_argument(
        "--classes",
        nargs="+",
        metavar="NAME",
        help="the categories of --ann to evaluate; default: all",
    )
    parser.add_argument(
        "--root", type=Path, default=Path("."), help="folder that the suite's paths are relative to"
    )
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="leave out data sets that are not under --root; an evaluation also counts missing "
        "answers as empty",
    )


def read_datasets(
    arguments: argparse.Namespace, format: Format | None = None
) -> tuple[Suite, Protocol, tuple[str, ...]]:
    """The data sets, the protocol, and the names of the data sets that were left out.

    Args:
        format: the model's format, whose own question is asked if no protocol is named; None if not
            known.

    Raises:
        InputError: the arguments contradict each other, or name something that cannot be used.
    """
    if arguments.suite:
        if arguments.classes:
            raise InputError(
                "expected --classes only with --ann, got --suite: name them in the suite's file"
            )
        suite, left_out = load_suite(arguments.suite, arguments.root, arguments.allow_missing)
        return suite, _protocol(arguments, suite, format), left_out
    if arguments.images is None:
        raise InputError(f"expected --images, the image folder of {arguments.ann}, got nothing")
    check_names([arguments.ann.stem])
    classes = tuple(arguments.classes) if arguments.classes else None
    spec = DatasetSpec(arguments.ann.stem, arguments.ann, arguments.images, classes)
    suite = Suite(arguments.ann.stem, DEFAULT_PROTOCOL, (spec,))
    return suite, _protocol(arguments, suite, format), ()


def _protocol(arguments: argparse.Namespace, suite: Suite, format: Format | None) -> Protocol:
    if arguments.protocol:
        return load_protocol(arguments.protocol)
    protocol = load_protocol(suite.protocol)
    if format is None:
        return protocol
    worded = in_words_of(format, protocol)
    if asks_for_json(worded.prompt, format.name):
        warn(f"note: {worded.name} asks for JSON, which {format.name} is not: change its prompt")
    return worded


def run(arguments: argparse.Namespace) -> int:
    """Write the file; returns 0.

    Raises:
        InputError: an input cannot be used, or image files are missing. Nothing is written then.
        OSError: the file cannot be written.
    """
    suite, protocol, left_out = read_datasets(arguments, _format_of(arguments.model_type))
    inputs = [arguments.suite, arguments.protocol, *(spec.ann for spec in suite.datasets)]
    check_output(arguments.out, inputs)
    datasets = {spec.name: read_dataset(spec) for spec in suite.datasets}
    rows = [row for spec in suite.datasets for row in _rows(spec, datasets[spec.name], protocol)]
    for warning in check_images(rows, datasets):
        warn(f"note: {warning}")
    images = {path for row in rows for path in row["images"]}
    check_output(arguments.out, images)
    write_file(arguments.out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    say(
        f"{len(rows)} queries about {len(images)} images of {len(suite.datasets)} data sets: "
        f"{arguments.out}"
    )
    say(f"protocol {protocol.name}: {protocol.description}")
    if protocol.label_aware:
        say("label-aware: the queries tell the model which categories are in the image")
    if left_out:
        say(f"left out because their annotation files are missing: {', '.join(left_out)}")
    return 0


def _format_of(model_type: str | None) -> Format | None:
    if model_type is None:
        return None
    try:
        return model_io(Settings(), model_type).format
    except SettingsError as error:
        raise InputError(str(error)) from None


def _rows(spec: DatasetSpec, annotations: Annotations, protocol: Protocol) -> list[Row]:
    rows = prompt_rows(spec, annotations, protocol)
    if not rows:
        raise InputError(
            f"expected protocol {protocol.name} to ask something about {spec.ann}, got no query: "
            f"no image has {'a caption' if protocol.queries in EXPRESSIONS else 'an annotation'}"
        )
    for repair in annotations.repairs:
        say(f"{spec.name}: {repair}")
    for note in (unannotated_note(spec, annotations, protocol), path_note(spec, annotations)):
        if note:
            say(note)
    return rows
