"""Hashes the files that answers depend on; a file is read again only if it changed."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from swift_plugin_visionr1.writing import sha256, write_file

from .local_imports import local_imports

CACHE = "contents.json"
THREADS = 4  # hashlib releases the GIL, and one reader does not saturate a fast disk
# Endings of the files in a model's folder that inference reads.
MODEL_FILES = frozenset(
    (
        ".safetensors",
        ".bin",
        ".pt",
        ".pth",
        ".gguf",
        ".json",
        ".jinja",
        ".txt",
        ".model",
        ".py",
        ".tiktoken",
        ".yaml",
        ".yml",
    )
)
# Files that training leaves beside them.
OF_TRAINING = ("optimizer", "scheduler", "rng_state", "trainer_state", "training_args", "scaler")
SUBFOLDERS = ("additional_chat_templates",)


@dataclass(frozen=True)
class Contents:
    """The hashes of files, with what shows whether a file has changed since.

    Attributes:
        known: path -> size, mtime, ctime, inode, sha256. Unlike mtime, ctime cannot be set back by
            `touch` or rsync.
    """

    known: dict[str, list[int | str]] = field(default_factory=dict)

    @classmethod
    def of_run(cls, folder: Path) -> "Contents":
        """What an earlier run stored in this output folder; empty if nothing usable is there."""
        try:
            known = json.loads((folder / CACHE).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return cls()
        entries = known.items() if isinstance(known, dict) else ()
        return cls({key: entry for key, entry in entries if _is_entry(entry)})

    def hashes(self, paths: Iterable[Path]) -> dict[Path, str]:
        """The sha256 of each file.

        Raises:
            OSError: a file cannot be read.
        """
        wanted = list(dict.fromkeys(paths))
        with ThreadPoolExecutor(THREADS) as pool:
            return dict(zip(wanted, pool.map(self._hash, wanted), strict=True))

    def save(self, folder: Path) -> None:
        """Keep them for the next run."""
        write_file(folder / CACHE, json.dumps(self.known))

    def _hash(self, path: Path) -> str:
        stat = path.stat()
        marks = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        entry = self.known.get(str(path))
        if entry is None or entry[:-1] != marks:
            entry = self.known[str(path)] = [*marks, sha256(path)]
        return str(entry[-1])


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) == 5 and isinstance(entry[-1], str)


def model_files(folder: Path) -> list[Path]:
    """The files of a folder that inference reads: weights, configurations, tokenizer, templates and
    code, but not what training leaves beside them."""
    inside = [*folder.iterdir(), *(p for name in SUBFOLDERS for p in (folder / name).glob("*"))]
    return sorted(
        path
        for path in inside
        if path.suffix in MODEL_FILES and not path.name.startswith(OF_TRAINING) and path.is_file()
    )


def named_files(places: Mapping[str, Path]) -> dict[str, Path]:
    """The files at the given places (files or model folders), and the modules that Python files
    import from their folder; names begin with the place."""
    files: dict[str, Path] = {}
    for name, place in places.items():
        if place.is_dir():
            inside = model_files(place)
            files |= {f"{name} {path.relative_to(place).as_posix()}": path for path in inside}
        elif place.is_file():
            files[name] = place
            modules = local_imports(place) if place.suffix == ".py" else ()
            files |= {f"{name} {path.relative_to(place.parent)}": path for path in modules}
    return files
