"""Runs `swift` as a child process: its output goes to a log without secrets, and it ends when we
do."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .passed_options import secrets

END_SECONDS = 20.0  # for `swift` to end when it is told to
LOG_LINES = 20  # of the log; shown on failure
FILTER = Path(__file__).with_name("log_filter.py")


@contextmanager
def swift(
    arguments: Sequence[str],
    log: Path,
    lock: int,
    environ: Mapping[str, str] | None = None,
    hidden: Sequence[str] = (),
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the `swift` on PATH with these arguments and append its output to `log`.

    It has ended when the block ends, and holds the lock of the output folder until then, so an
    orphan of a killed run does not get a second `swift` beside it.

    Args:
        arguments: of `swift`.
        log: the file.
        lock: descriptor of the lock.
        environ: the environment; default: ours.
        hidden: what must not appear in the log, beyond the secrets in arguments and environment.
    """
    command = [sys.executable, "-m", "swift.cli.main", *arguments]
    with _output(log, [*hidden, *secrets(arguments, environ or os.environ)]) as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
            start_new_session=True,
            pass_fds=(lock,),
        )
        try:
            yield process
        finally:
            end(process)


@contextmanager
def _output(log: Path, hidden: Sequence[str]) -> Iterator[int]:
    """Where to write log output; ms-swift prints all its arguments, including secrets."""
    if not hidden:
        with log.open("ab") as file:
            yield file.fileno()
        return
    command = [sys.executable, "-S", str(FILTER), str(log)]
    copier = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    assert copier.stdin is not None
    try:
        with copier.stdin as pipe:
            pipe.write(json.dumps(hidden).encode() + b"\n")
            pipe.flush()
            yield pipe.fileno()
    finally:
        with suppress(subprocess.TimeoutExpired):
            copier.wait(END_SECONDS)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a `swift` and everything in its session when we are terminated ourselves."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


def last_lines(log: Path) -> str:
    """The end of a log."""
    text = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n")
    return "\n".join(text.splitlines()[-LOG_LINES:])
