"""The command line: `python -m mmdet_eval`, also installed as `mmdet-eval`."""

import sys
from collections.abc import Sequence
from importlib.metadata import version

from swift_plugin_visionr1.console import Parser, exit_code
from swift_plugin_visionr1.errors import VisionR1Error

from .commands import compare, doctor, evaluate, general_qa, prompts, refcoco, run
from .metrics.measure import Disagreement
from .metrics.mmdet_backend import MissingBackend, without_transformers

FAILURES = (VisionR1Error, MissingBackend, Disagreement, OSError)


def parser() -> Parser:
    """The parser of all commands."""
    top = Parser(
        prog="mmdet-eval",
        description="MMDetection's metrics for a VLM's text answers. Without a command, it "
        "evaluates --ann ... --pred ...",
    )
    top.add_argument("--version", action="version", version=version("swift-plugin-visionr1"))
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in (evaluate, prompts, run, compare, refcoco, general_qa, doctor):
        command.add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    return exit_code("mmdet-eval", lambda: _run(given), FAILURES)


def _run(given: list[str]) -> int:
    if given and given[0].startswith("-") and given[0] not in ("-h", "--help", "--version"):
        given.insert(0, "evaluate")
    top = parser()
    arguments, unknown = top.parse_known_args(given)
    if hasattr(arguments, "infer_arguments"):
        arguments.infer_arguments = unknown
    elif unknown:
        top.error(f"unrecognized arguments: {' '.join(unknown)}")
    with without_transformers():
        return int(arguments.run(arguments))
