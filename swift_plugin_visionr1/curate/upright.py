"""Photographs whose EXIF header says how to turn them, as copies that are turned.

Viewers and annotation tools apply the tag, ms-swift does not: boxes that were drawn on what they
show lie elsewhere for the model. The copies have no tag, so everybody sees the same.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..data.image_check import UNREADABLE, Fault, require_usable
from ..data.image_headers import read_headers
from ..data.image_paths import find_images
from ..data.images import Header, image_name, save_upright
from ..data.published.base import Row, first_image
from ..data.row_files import read_rows
from ..errors import ImageError, InputError
from ..files import read_json

IMAGES = "upright"  # the folder of the copies


@dataclass(frozen=True)
class Turned:
    """What was written: the annotations or rows at `out`, and how many images were turned."""

    out: Path
    images: int
    turned: int


def upright_annotations(annotations: Path, images: Path, folder: Path) -> Turned:
    """Write the COCO file with upright images into `folder`.

    Boxes stay as they are: they belong to what viewers show. Paths of images become absolute.

    Args:
        annotations: COCO JSON.
        images: folder that `file_name` is relative to.
        folder: for the file, and for the copies, in `upright/`.

    Raises:
        InputError: the file cannot be used, or an image cannot be opened. Nothing is written.
    """
    data = read_json(annotations)
    entries = data.get("images") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not all(_has_name(entry) for entry in entries):
        raise InputError(f'expected images with a "file_name" each in {annotations}')
    names = [entry["file_name"] for entry in entries]
    files = find_images(images, names).by_name
    paths = [str(files.get(name, images / name).resolve()) for name in names]
    out = _target(folder, annotations)
    headers = _headers(paths, lambda index: f"image {entries[index].get('id')!r}")
    written = [
        entry
        | {"file_name": _upright(path, folder) if _is_turned(header) else path}
        | _turned_size(entry, header)
        for entry, path, header in zip(entries, paths, headers, strict=True)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(data | {"images": written}), encoding="utf-8")
    return Turned(out, len(paths), sum(map(_is_turned, headers)))


def upright_rows(file: Path, folder: Path) -> Turned:
    """Write the rows with upright images into `folder`; as `upright_annotations`.

    Args:
        file: JSON lines of any form whose boxes are in pixels of what viewers show.
        folder: for the file and the copies.

    Raises:
        InputError: as `upright_annotations`.
    """
    numbered = list(read_rows(file))
    rows = [row for _, row in numbered]
    images = [first_image(row) for row in rows]
    out = _target(folder, file)
    headers = _headers(images, lambda index: f"row {numbered[index][0]} of {file}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as lines:
        for row, image, header in zip(rows, images, headers, strict=True):
            lines.write(json.dumps(_upright_row(row, image, header, folder)) + "\n")
    return Turned(out, len(rows), sum(map(_is_turned, headers)))


def _has_name(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("file_name"), str)


def _target(folder: Path, source: Path) -> Path:
    out = folder / source.name
    if out.resolve() == source.resolve():
        raise InputError(
            f"expected --out to be another folder than the one that holds {source}, got {folder}"
        )
    return out


def _headers(images: Sequence[Any], place: Callable[[int], str]) -> list[Header | None]:
    """Each image's header, None for one that is not on this machine; an image that cannot be opened
    is an error before anything is written."""
    headers = list(read_headers(images, len(images)))
    faults = [
        Fault(index, header.code, str(header))
        for index, header in enumerate(headers)
        if isinstance(header, ImageError) and header.code in UNREADABLE
    ]
    require_usable(faults, len(headers), place)
    return [None if isinstance(header, ImageError) else header for header in headers]


def _is_turned(header: Header | None) -> bool:
    return header is not None and header.orientation != 1


def _upright(image: Any, folder: Path) -> str:
    """The path of the copy, which is written here."""
    name = image_name(image)
    copy = folder / IMAGES / f"{sha256(name.encode()).hexdigest()[:8]}_{Path(name).name}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    save_upright(image, copy)
    return str(copy.resolve())


def _upright_row(row: Row, image: Any, header: Header | None, folder: Path) -> dict[str, Any]:
    if header is None or header.orientation == 1:
        return dict(row)
    copy = _upright(image, folder)
    images = {"images": [copy]} if row.get("images") else {"image": copy}
    return {**row, **images, **_turned_size(row, header), **_turned_solution(row, header)}


def _turned_size(row: Mapping[str, Any], header: Header | None) -> dict[str, int]:
    """`width` and `height` of the upright image, where the row has those of the stored one."""
    if header is None or (row.get("width"), row.get("height")) != header.size:
        return {}
    return dict(zip(("width", "height"), header.shown_size, strict=True))


def _turned_solution(row: Row, header: Header) -> dict[str, str]:
    """Our solution, which has a size of its own."""
    try:
        solution = json.loads(row.get("solution") or "")
    except (TypeError, ValueError):
        return {}
    if not isinstance(solution, dict) or not _turned_size(solution, header):
        return {}
    return {"solution": json.dumps(solution | _turned_size(solution, header))}
