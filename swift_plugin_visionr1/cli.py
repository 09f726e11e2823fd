"""`vision-r1`: the command line beside ms-swift's own."""

import sys
import traceback

from .commands import (
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
from .console import Parser, warn
from .errors import VisionR1Error

COMMANDS = (doctor, explain, score, plot, prepare, upright, recipe, settings, plugin_path)


def parser() -> Parser:
    """The command line's parser."""
    top = Parser(prog="vision-r1", description="Vision-R1 for ms-swift")
    subparsers = top.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit code: 2 for bad input, with one line on stderr; 3 for a
    mistake of our own, with a traceback; 141 for a closed pipe."""
    args = parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except (
        BrokenPipeError
    ):  # `| head`; the shell's code for it, and nothing left to fail when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (VisionR1Error, OSError) as error:
        warn(f"vision-r1: {error}")
        return 2
    except Exception:  # Python's own exit code, 1, would say that doctor found a problem
        traceback.print_exc()
        warn("vision-r1: this is a bug in vision-r1: please report the lines above")
        return 3
    return code


if __name__ == "__main__":
    sys.exit(main())
