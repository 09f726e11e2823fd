"""Kills an evaluation at its writes: python killed_writer.py FOLDER STEP; FOLDER holds `old`.

For every STEP-th n a child process writes the new evaluation over a copy of the old one and is
killed with SIGKILL before its n-th change of the file system. Prints a JSON line for each: what the folder then
is, the exit code of `mmdet-eval compare` on it, and whether the next evaluation, the new one or a
third one, leaves nothing else there.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from mmdet_eval.cli import main
from mmdet_eval.reports.outputs import output_folder, write_outputs

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.eval.evaluations import CAT, boxes, evaluated

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir")


def kill_at(change: int, folder: Path) -> None:
    """End this process, as kill -9 does, before its n-th change inside `folder`."""
    left = [change]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if (event in CHANGES or writes) and str(arguments[0]).startswith(str(folder)):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def in_child(*actions: Callable[[], None]) -> int:
    """The signal that ended the child, 0 for none."""
    child = os.fork()
    if not child:
        with suppress(BaseException):
            for action in actions:
                action()
            os._exit(0)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status


def state(folder: Path) -> dict[str, str]:
    """The hash of each file, without what a killed run may leave."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path, name in names.items()
        if not name.startswith((".vision-r1-writing", "lock"))
    }


def compared(*folders: Path) -> int:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return main(["compare", *map(str, folders), "--samples", "2"])


def run(top: Path, step: int) -> None:
    made = top / "made"
    made.mkdir()
    zoo = evaluated(
        made,
        answers={"perfect": boxes((CAT, "cat"))}
        | dict.fromkeys(("loose", "missed", "extra", "prose", "cut", "strange"), "[]"),
        images=False,
    )

    def write(folder: Path, name: str = "zoo") -> None:
        with output_folder(folder):
            write_outputs(folder, [replace(zoo, name=name)], None, [], dump=False)

    write(top / "new")
    write(top / "third", "farm")
    old, new, third = (state(top / name) for name in ("old", "new", "third"))
    killed, change = 1, 1
    while killed:
        folder = top / "out"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(top / "old", folder)
        killed = in_child(partial(kill_at, change, folder), partial(write, folder))
        now = state(folder)
        what = "old" if now == old else "new" if now == new else "mixed"
        code = compared(top / "new", folder)
        same = change // step % 2
        write(folder, "zoo" if same else "farm")
        leftovers = [path.name for path in folder.iterdir() if path.name.startswith((".", "lock"))]
        again = state(folder) == (new if same else third) and not leftovers
        print(json.dumps({"state": what, "compare": code, "again": again}), flush=True)
        change += step


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
