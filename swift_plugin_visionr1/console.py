"""What the commands print, and how they end. No escape sequence from a file reaches the terminal,
and neither an encoding nor a closed pipe ends in a traceback."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any

from .text import printable

BAD_INPUT, BUG, STOPPED, CLOSED_PIPE = 2, 3, 130, 141  # as shells have them


def say(text: str, end: str = "\n") -> None:
    """Print to stdout; characters that its encoding lacks are written as escapes."""
    _write(sys.stdout, text + end)


def warn(text: str) -> None:
    """Print to stderr."""
    _write(sys.stderr, text + "\n")


def _write(stream: IO[str] | None, text: str) -> None:
    if stream is None:  # it was closed before Python began
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(printable(text).encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def exit_code(
    program: str, command: Callable[[], int], failures: tuple[type[Exception], ...]
) -> int:
    """Run a command. Returns 2 with one message on stderr if an input cannot be used, 3 with a
    traceback for a bug of ours, 130 after Ctrl-C, 141 if nobody reads the output any more, as after
    `| head`."""
    try:
        return command()
    except BrokenPipeError:
        _drop_output()
        return CLOSED_PIPE
    except KeyboardInterrupt:
        warn(f"{program}: stopped")
        return STOPPED
    except failures as error:
        if isinstance(error, OSError):
            _drop_output()  # stdout itself may be full
        warn(f"{program}: {error}")
        return BAD_INPUT
    except Exception:  # Python's own exit code, 1, would say that doctor found a problem
        warn(f"{traceback.format_exc()}{program}: this is a bug: please report the lines above")
        return BUG


def _drop_output() -> None:
    """Leave nothing that fails when the interpreter ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    """Takes each option with underscores as well as with dashes, as ms-swift does."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """argparse's, with known options spelt its way."""
        words = sys.argv[1:] if args is None else args
        return super().parse_known_args([self._dashed(word) for word in words], namespace)

    def _dashed(self, word: str) -> str:
        name, equals, value = word.partition("=")
        dashed = name.replace("_", "-")
        return dashed + equals + value if dashed in self._option_string_actions else word

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            _write(file or sys.stderr, message)
