"""Many `swift` commands without a start each: one process imports ms-swift, and every command is a
fork of it.

A fork does what `swift COMMAND ...` does after its imports: ms-swift reads the YAML and its ENV
block, and the file of the command runs as the main program. The process reads a line of JSON for
each command, the arguments of `_command`, and answers its exit code.
"""

import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PRELOAD = (
    "swift.pipelines.train.rlhf",
    "swift.rlhf_trainers.grpo_trainer",
    "swift.trainers.seq2seq_trainer",
    "deepspeed",
    "torch.utils.tensorboard",
    "tensorboard.backend.event_processing.event_accumulator",
    "transformers.models.auto.video_processing_auto",
)
PATIENCE = 900  # seconds for one command


class ForkServer:
    """The process, from outside."""

    def __init__(self, environ: dict[str, str]) -> None:
        """Start it; commands wait until it has imported everything."""
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environ,
        )

    def run(
        self, argv: list[str], cwd: Path, log: Path, environ: dict[str, str] | None = None
    ) -> int:
        """Run `swift *argv` in the folder `cwd`; its output goes to the file `log`.

        Args:
            environ: all variables that the command sees; None for those of the server.

        Returns:
            The exit code.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({"argv": argv, "cwd": str(cwd), "log": str(log), "environ": environ}),
            file=self._process.stdin,
            flush=True,
        )
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print
    sys.path.pop(0)  # this folder, where a module could hide another's
    for name in PRELOAD:
        importlib.import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_command(**json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=answers, flush=True)


def _command(argv: list[str], cwd: str, log: str, environ: dict[str, str] | None) -> int:
    signal.alarm(PATIENCE)
    if environ is not None:
        os.environ.clear()
        os.environ.update(environ)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.chdir(cwd)
    code: Any = 0
    try:
        _swift(*argv)
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def _swift(command: str, *options: str) -> None:
    """As `swift.cli.main.cli_main`, which starts another process for the last line."""
    from swift.cli.main import ROUTE_MAPPING, parse_yaml_args

    argv = list(options)
    parse_yaml_args(argv)
    file = find_spec(ROUTE_MAPPING[command]).origin  # type: ignore[union-attr]
    sys.argv = [str(file), *argv]
    runpy.run_path(str(file), run_name="__main__")


if __name__ == "__main__":
    main()
