"""What `swift infer` wrote: the JSONL's rows, and each row joined to its image of the annotation file."""

import json
from collections.abc import Container, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..data.annotations import Image
from ..errors import InputError
from .answer import Answer
from .truncation import is_truncated

APPENDS = "`swift infer` appends to a --result_path that exists: delete the file and infer again"
KEEP_IDS = (
    'let each image path end in a file_name of the annotations, or keep an "image_id" column with '
    "`swift infer --remove_unused_columns false` (ms-swift 4.6 cannot with its transformers backend)"
)


def read_rows(path: str | Path) -> list[tuple[int, dict[str, Any]]]:
    """(line number, row) of each non-empty line of a JSONL file with a "response" in every row.

    Raises:
        InputError: the file is unreadable or empty, a line is no JSON object, or a row has no response.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")  # not splitlines: U+2028 may stand in an answer
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected the JSONL file that `swift infer` writes, got {path}: {error}") from None
    rows = [(number, _row(line, f"{path}, line {number}")) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise InputError(f"expected answers in {path}, got an empty file: did `swift infer` finish?")
    return rows


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(
            f"{where}: expected one JSON object per line, got {line[:80]!r}: is `swift infer` still writing?"
        ) from None
    if not isinstance(row, dict) or not isinstance(row.get("response"), str):
        came = f"the keys {sorted(row)}" if isinstance(row, dict) else f"a {type(row).__name__}"
        raise InputError(
            f'{where}: expected a row with the model\'s text in "response", got {came}: '
            "--pred is the file that `swift infer --result_path` writes, not the dataset"
        )
    return row


def join(rows: Sequence[tuple[int, dict[str, Any]]], images: Sequence[Image], allow_missing: bool) -> list[Answer]:
    """One answer per image, in ascending order of the image ids.

    A row is joined by its "image_id", else by the file name of its one image: the longest `file_name` of the
    annotations that ends the path, else the only one with the same base name.

    Args:
        rows: (line number, row), as from `read_rows`.
        images: of the annotation file.
        allow_missing: images without an answer are no error.

    Raises:
        InputError: a row's image is unknown or ambiguous, two rows are about one image, or an image has no row.
    """
    by_id = {str(image.id): image for image in images}
    by_name: dict[str, list[Image]] = {}
    for image in images:
        by_name.setdefault(PurePosixPath(image.file_name).name, []).append(image)
    answers: dict[Any, Answer] = {}
    for line, row in rows:
        image = _by_id(row, by_id, line) if row.get("image_id") is not None else _by_name(row, by_name, line)
        if image.id in answers:
            raise InputError(
                f"expected one answer per image, got two for image {image.id!r} ({image.file_name}), in lines "
                f"{answers[image.id].line} and {line}: {APPENDS}"
            )
        answers[image.id] = Answer(image, row["response"], is_truncated(row), line)
    if not allow_missing:
        _check_complete(images, answers)
    return [answers[key] for key in sorted(answers)]


def _check_complete(images: Sequence[Image], answers: Container[Any]) -> None:
    missing = [f"{image.id!r} ({image.file_name})" for image in images if image.id not in answers]
    if missing:
        raise InputError(
            f"expected an answer for each of {len(images)} images, got none for {len(missing)}: {_some(missing)}; "
            "infer the whole dataset, or evaluate them as images without detections with --allow-missing"
        )


def _by_id(row: dict[str, Any], by_id: dict[str, Image], line: int) -> Image:
    key = str(row["image_id"])
    if key not in by_id:
        raise InputError(
            f"line {line}: expected an image_id of the annotation file ({_some(list(by_id))}), got {key!r}: "
            "do --ann and --pred belong to the same dataset?"
        )
    return by_id[key]


def _by_name(row: dict[str, Any], by_name: dict[str, list[Image]], line: int) -> Image:
    path = _image_path(row, line)
    found = by_name.get(path.name, [])
    parts = {image.id: PurePosixPath(image.file_name).parts for image in found}
    longest = max((len(p) for p in parts.values() if path.parts[-len(p) :] == p), default=0)
    if longest:
        found = [image for image in found if path.parts[-longest:] == parts[image.id]]
    if len(found) != 1:
        came = f"{len(found)} ({_some([image.file_name for image in found])})" if found else "none"
        raise InputError(
            f"line {line}: expected one image of the annotation file to be called {path}, got {came}: {KEEP_IDS}, "
            "or check that --ann and --pred belong to the same dataset"
        )
    return found[0]


def _image_path(row: dict[str, Any], line: int) -> PurePosixPath:
    """The path of the row's one image; ms-swift writes it as a string or as {"bytes": ..., "path": ...}."""
    images = row.get("images")
    first = images[0] if isinstance(images, list) and len(images) == 1 else None
    path = first.get("path") if isinstance(first, dict) else first
    if not isinstance(path, str) or not path:
        came = str(images)[:120]
        raise InputError(f'line {line}: expected "image_id", or one path in "images", got {came}: {KEEP_IDS}')
    return PurePosixPath(path)


def _some(values: Sequence[object], limit: int = 5) -> str:
    return ", ".join(str(value) for value in values[:limit]) + (", ..." if len(values) > limit else "")
