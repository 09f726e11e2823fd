"""Ties the files of an evaluation together: metrics.json has the hash of each."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import sha256

METRICS = "metrics.json"
FILES = "files"  # its key in metrics.json: path in the folder -> sha256
NUMBERS = "numbers_sha256"  # its key for the hash of its own numbers
NUMBERED = ("metrics", "beside", "spread", "counts", "left_out_by_limit")  # of each data set
NEEDED = ("per_class.csv", "matches.npz")  # of each data set, by `compare`
READ_BY_PROGRAMS = (".csv", ".json", ".jsonl", ".npz", ".pkl")
OLD_PICTURES = "pictures/*/[1-4]_*.png"
AGAIN = "run the evaluation again"


def hash_files(folder: Path) -> dict[str, str]:
    """The path in the folder and the sha256 of every file. The files are flushed to disk.

    Files for programs come first.
    """
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    paths.sort(key=lambda path: path.suffix not in READ_BY_PROGRAMS)
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in paths}


def hash_numbers(content: Mapping[str, Any]) -> str:
    """The sha256 of the numbers in the content of a metrics.json."""
    numbers = [
        {name: entry.get(name) for name in NUMBERED}
        for _, entry in sorted(content["datasets"].items())
    ]
    text = json.dumps([content.get("metrics"), numbers], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_metrics(folder: Path) -> dict[str, Any] | None:
    """The content of metrics.json; None if it does not come from an evaluation."""
    try:
        content = json.loads((folder / METRICS).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    usual = isinstance(content, dict) and isinstance(content.get("datasets"), dict)
    return content if usual else None


def files_of(content: Mapping[str, Any] | None) -> dict[str, str]:
    """The files that a metrics.json names, without paths that lead out of its folder."""
    files = (content or {}).get(FILES)
    if not isinstance(files, dict):
        return {}
    return {
        name: str(digest)
        for name, digest in files.items()
        if not Path(name).is_absolute() and ".." not in Path(name).parts
    }


def check_whole(folder: Path, content: Mapping[str, Any]) -> None:
    """Check that the files for programs are those that metrics.json was written with, and that its
    own numbers are.

    Raises:
        InputError: a required file is missing, or its content differs.
    """
    if content.get(NUMBERS, now := hash_numbers(content)) != now:
        raise InputError(
            f"expected the numbers of an evaluation in {folder / METRICS}, got some that were "
            f"changed since: {AGAIN}"
        )
    files = files_of(content)
    needed = [f"{name}/{file}" for name in content["datasets"] for file in NEEDED]
    for name in [*files, *(name for name in needed if name not in files)]:
        path = folder / name
        if name not in needed and (path.suffix not in READ_BY_PROGRAMS or not path.exists()):
            continue
        try:
            came = sha256(path)
        except OSError as error:
            raise InputError(
                f"expected the files of one evaluation in {folder}, got no usable {name} "
                f"({error.strerror}): {AGAIN}"
            ) from None
        if came != files.get(name):
            raise InputError(
                f"expected the files of one evaluation in {folder}, got a {name} that does not "
                f"belong to its {METRICS}: a run was interrupted, or files were copied or changed; "
                f"{AGAIN}"
            )


def put_in_place(scratch: Path, folder: Path, files: Mapping[str, str]) -> None:
    """Move a complete evaluation from `scratch` over the one in `folder`, metrics.json last.

    Until metrics.json is moved, the files do not match the one in `folder`. Files of the earlier
    evaluation that this one lacks are removed, unless somebody changed them. If that is
    interrupted, the files that were moved are removed: see `clear_unfinished`.

    Args:
        files: from `hash_files`, without metrics.json.
    """
    try:
        _move(scratch, folder, files)
    finally:
        clear_unfinished(folder, scratch)


def clear_unfinished(folder: Path, scratch: Path) -> None:
    """Remove what an evaluation that was killed had moved from `scratch` to `folder`.

    Its metrics.json, which would have been moved last, names these files; the one in `folder` does
    not, so nothing would ever remove them.
    """
    kept = files_of(read_metrics(folder))
    for name, digest in files_of(read_metrics(scratch)).items():
        path = folder / name
        if kept.get(name) != digest and not through_link(path, folder) and _is(path, digest):
            path.unlink()
            _remove_empty(path.parent, folder)


def _move(scratch: Path, folder: Path, files: Mapping[str, str]) -> None:
    before = read_metrics(folder)
    earlier = _earlier_files(folder, before, files)
    if FILES not in (before or {}):  # written by an earlier version: nothing would reveal a mixture
        (folder / METRICS).unlink(missing_ok=True)
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(scratch / name, folder / name)
    for path in earlier:
        path.unlink()
        _remove_empty(path.parent, folder)
    os.replace(scratch / METRICS, folder / METRICS)


def _earlier_files(
    folder: Path, before: Mapping[str, Any] | None, files: Mapping[str, str]
) -> list[Path]:
    """Files that an earlier evaluation wrote, unchanged since, and that this one does not write
    again."""
    if FILES in (before or {}):
        named = files_of(before).items()
        paths = [folder / name for name, digest in named if _is(folder / name, digest)]
    else:  # an earlier version wrote no hashes; its pictures would pass for new ones
        sets = {Path(name).parts[0] for name in files}
        paths = [path for name in sets for path in (folder / name).glob(OLD_PICTURES)]
    return [
        path
        for path in paths
        if path.relative_to(folder).as_posix() not in files and not through_link(path, folder)
    ]


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def through_link(path: Path, folder: Path) -> bool:
    """Whether the path, or a folder on the way to it from `folder`, is a link."""
    inside = [path, *path.parents]
    return any(part.is_symlink() for part in inside[: inside.index(folder)])


def _remove_empty(path: Path, top: Path) -> None:
    while path != top and not any(path.iterdir()):
        path.rmdir()
        path = path.parent
