"""`vision-r1`: the command line beside ms-swift's own."""

import sys
from importlib.metadata import version

from .commands import (
    convert,
    doctor,
    explain,
    plot,
    plugin_path,
    prepare,
    recipe,
    score,
    settings,
    upright,
)
from .console import Parser, exit_code
from .errors import VisionR1Error

COMMANDS = (
    doctor,
    explain,
    score,
    plot,
    prepare,
    upright,
    recipe,
    settings,
    convert,
    plugin_path,
)


def parser() -> Parser:
    """The command line's parser."""
    top = Parser(prog="vision-r1", description="Vision-R1 for ms-swift")
    top.add_argument("--version", action="version", version=version("swift-plugin-visionr1"))
    subparsers = top.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit code, see `exit_code`."""
    return exit_code("vision-r1", lambda: _run(argv), (VisionR1Error, OSError))


def _run(argv: list[str] | None) -> int:
    top = parser()
    args, unknown = top.parse_known_args(argv)
    if "passed_on" in args:
        args.passed_on = unknown  # options of `swift`
    elif unknown:
        top.error(f"unrecognized arguments: {' '.join(unknown)}")
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
