"""Results: one JSON file for each card, a part's figures written as it ends."""

import json
import platform
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from checkpoints import HERE

from swift_plugin_visionr1.writing import write_file

RESULTS = HERE / "results"
PACKAGES = ("ms-swift", "torch", "transformers", "peft", "trl", "accelerate", "numpy")
DONE = ("measured", "out of memory")


@dataclass(frozen=True)
class Machine:
    """Where it is measured.

    Attributes:
        card: the GPU's name; None if there is no GPU.
        card_gib: its memory.
    """

    card: str | None
    card_gib: float

    @property
    def file(self) -> str:
        """Name of the results' file."""
        return re.sub(r"[^a-z0-9]+", "_", (self.card or "cpu").lower()).strip("_") + ".json"

    def described(self) -> dict[str, Any]:
        """For the results."""
        import torch

        return {
            "card": self.card,
            "card_gib": round(self.card_gib, 1),
            "cuda": torch.version.cuda if self.card else None,
            "python": platform.python_version(),
            "versions": {name: _version(name) for name in PACKAGES},
        }


def this_machine() -> Machine:
    """The first GPU, or the CPU."""
    import torch

    if not torch.cuda.is_available():
        return Machine(None, 0.0)
    card = torch.cuda.get_device_properties(0)
    return Machine(card.name, card.total_memory / 2**30)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def this_commit() -> str | None:
    """Of the repository; None in a copy without its history, which is told by --commit."""
    git = ["git", "-C", str(HERE), "rev-parse", "HEAD"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


class Results:
    """The results of one card: those of earlier runs in `folders`, and new ones in the first.

    `beside` says what else the machine was busy with, which makes times longer.
    """

    def __init__(
        self, machine: Machine, commit: str | None, folders: list[Path], beside: str | None = None
    ) -> None:
        self.path = folders[0] / machine.file
        self.facts = {
            "commit": commit or this_commit(),
            "command": shlex.join(["python", *sys.argv]),
            **machine.described(),
            **({"beside": beside} if beside else {}),
        }
        self.parts: dict[str, Any] = {}
        for folder in reversed(folders):
            self.parts |= read_parts(folder / machine.file)

    def is_done(self, name: str) -> bool:
        """Whether a part needs no second run."""
        return self.parts.get(name, {}).get("status") in DONE

    def keep(self, name: str, figures: dict[str, Any]) -> None:
        """Write a part's figures at once, beside what others have written meanwhile."""
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.parts |= read_parts(self.path) | {name: figures | {"when": when} | self.facts}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self.path, json.dumps({"parts": self.parts}, indent=1) + "\n")


def read_parts(path: Path) -> dict[str, Any]:
    """The parts of a file of results; none if there is no such file."""
    return dict(json.loads(path.read_text())["parts"]) if path.exists() else {}
