"""`swift`, in a process group of its own that ends in time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checkpoints import ROOT

OFFLINE = {"USE_HF": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
OUT_OF_MEMORY = ("OutOfMemoryError", "CUDA out of memory")


@dataclass
class Launched:
    """A running command and its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, seconds: float) -> int | None:
        """The exit code; None if it had to be ended after so many seconds."""
        try:
            return self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.end()

    def end(self) -> None:
        """Ends it with all that it started."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                break
            time.sleep(0.2)
        self.process.wait()

    @property
    def text(self) -> str:
        """The log."""
        return self.log.read_text(errors="replace")

    @property
    def out_of_memory(self) -> bool:
        """Whether the GPU's memory, or the limit on it, was not enough."""
        return any(words in self.text for words in OUT_OF_MEMORY)


def swift(words: list[str], log: Path, **environ: str) -> Launched:
    """Start `swift WORDS...` from the repository's root, with this repository's packages."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings: Mapping[str, str] = {"OMP_NUM_THREADS": "4"} | os.environ | OFFLINE | environ
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "swift.cli.main", *words],
            cwd=ROOT,
            env=settings | {"PYTHONPATH": os.pathsep.join(paths)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Launched(process, log)
