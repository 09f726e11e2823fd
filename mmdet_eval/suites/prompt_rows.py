"""Turns a protocol's queries into the rows of a dataset for `swift infer`."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swift_plugin_visionr1.data.image_check import UNREADABLE, fault_of, require_usable
from swift_plugin_visionr1.data.image_headers import read_headers
from swift_plugin_visionr1.data.image_paths import find_images
from swift_plugin_visionr1.data.images import Header
from swift_plugin_visionr1.errors import ImageError, InputError
from swift_plugin_visionr1.progress import show_progress

from ..coco.annotations import Annotations, Image
from ..coco.soundness import require_sound
from .protocols import Protocol
from .queries import Query, queries
from .spec import DatasetSpec

Row = dict[str, Any]
NAMES_SHOWN = 10


def prompt_rows(spec: DatasetSpec, annotations: Annotations, protocol: Protocol) -> list[Row]:
    """One row per query, in the file's order of images and categories.

    A row has what ms-swift reads ("messages" with one user turn, "images" with one absolute path),
    and what is needed to join and evaluate its answer: "dataset", "image_id", "width" and "height"
    of the original image in pixels, "query" (the user turn's text without the image), "category"
    and "category_id" (None for all at once), "protocol" (its name). An image may also be found by
    the last parts of its file_name. Whether the file exists is not checked here: see
    `check_images`.

    Args:
        annotations: of `spec`, as from `read_annotations(spec.ann, spec.classes)`.

    Raises:
        InputError: an image has no file_name.
    """
    asked = queries(protocol, annotations, spec.captions)
    folder = spec.images.resolve()
    files = find_images(folder, (image.file_name for image in annotations.images)).by_name
    for image in annotations.images:
        if not image.file_name:
            raise InputError(
                f'expected image {image.id!r} of {annotations.path} to have a "file_name", got '
                "none: "
                "without it nobody can be asked about the image"
            )
    return [
        {
            **_row(image, query, annotations),
            "images": [str(files.get(image.file_name, folder / image.file_name))],
            "dataset": spec.name,
            "protocol": protocol.name,
        }
        for image in annotations.images
        for query in asked[image.id]
    ]


def _row(image: Image, query: Query, annotations: Annotations) -> Row:
    return {
        "messages": [{"role": "user", "content": f"<image>{query.text}"}],
        "image_id": image.id,
        "width": image.size[0],
        "height": image.size[1],
        "query": query.text,
        "category_id": query.category,
        "category": None if query.category is None else annotations.categories[query.category],
    }


def unannotated_note(spec: DatasetSpec, annotations: Annotations, protocol: Protocol) -> str | None:
    """A warning about categories that are asked about but never annotated, such as Roboflow's
    supercategories.

    None if every category is annotated, or if only annotated ones are asked about.
    """
    names = annotations.unannotated()
    if not names or protocol.queries not in ("all", "each") or annotations.askable() is not None:
        return None
    shown = ", ".join(map(repr, names[:NAMES_SHOWN])) + (
        ", ..." if len(names) > NAMES_SHOWN else ""
    )
    return (
        f"{spec.name}: {len(names)} of {len(annotations.categories)} categories are asked about "
        f"but never annotated ({shown}): exclude names that are not classes with --classes or the "
        "suite's classes"
    )


def check_images(
    rows: Sequence[Mapping[str, Any]], datasets: Mapping[str, Annotations]
) -> list[str]:
    """Check the header of every image; returns warnings.

    Args:
        rows: as `prompt_rows` writes them.
        datasets: the annotations that the rows ask about, by data set name.

    Raises:
        ImageError: images cannot be opened; gives their number and the first of them.
        InputError: the annotations of a data set do not fit its images.
    """
    asked: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        asked.setdefault(row["images"][0], row)
    headers = dict(zip(asked, _headers(list(asked)), strict=True))
    faults = [
        fault
        for index, (path, row) in enumerate(asked.items())
        if (fault := fault_of(index, headers[path], (row["width"], row["height"])))
    ]

    def place(index: int) -> str:
        row = asked[list(asked)[index]]
        return f"image {row['image_id']!r} of {row['dataset']}"

    warnings = require_usable(faults, len(asked), place, UNREADABLE)
    for name, annotations in datasets.items():
        known = {
            row["image_id"]: header
            for row in rows
            if row["dataset"] == name and isinstance(header := headers[row["images"][0]], Header)
        }
        require_sound(annotations, known)
    return warnings


def _headers(paths: Sequence[str]) -> Iterable[Header | ImageError]:
    return show_progress(
        read_headers(paths), len(paths), sys.stderr, verb="read", noun="image headers"
    )


def path_note(spec: DatasetSpec, annotations: Annotations) -> str | None:
    """A note if images were found by the last parts of their file_name."""
    names = (image.file_name for image in annotations.images)
    note = find_images(spec.images.resolve(), names).describe()
    return f"{spec.name}: {note}" if note else None
