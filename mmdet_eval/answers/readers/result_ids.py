"""Detects COCO results with ids of another data set or with differently numbered categories."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.image_paths import name_parts
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import listed, share

from ...coco.annotations import Annotations
from ..query_table import SAME_SET


def check_ids(results: Sequence[Any], path: Path, annotations: Annotations) -> None:
    """Check that all ids are in the annotation file; if not, report how many are not and why.

    Raises:
        InputError: some ids are unknown.
    """
    images = {image.id for image in annotations.images}
    _check(results, path, "image_id", images, lambda given: SAME_SET)
    ids = list(annotations.categories)
    _check(results, path, "category_id", ids, lambda given: _numbering(given, ids))


def check_names(results: Sequence[Any], path: Path, annotations: Annotations) -> None:
    """Check that a file name beside an image_id, which some tools write, belongs to that image.

    Raises:
        InputError: it belongs to another image.
    """
    if not results or "file_name" not in results[0]:
        return
    names = {image.id: image.file_name for image in annotations.images}
    for number, result in enumerate(results):
        name, annotated = str(result.get("file_name") or ""), names[result["image_id"]]
        if names_differ(name, annotated):
            raise InputError(
                f"expected result {number} of {path} to have the image_id of {name}, got "
                f"{result['image_id']!r}, the id of {annotated}: {SAME_SET}"
            )


def names_differ(name: str, annotated: str) -> bool:
    """Whether two paths cannot be those of one image; "" says nothing."""
    return bool(name and annotated) and name_parts(name)[-1:] != name_parts(annotated)[-1:]


def _check(
    results: Sequence[Any],
    path: Path,
    name: str,
    known: Collection[Any],
    why: Callable[[set[int]], str],
) -> None:
    given = [result.get(name) if isinstance(result, dict) else None for result in results]
    lost = [
        number for number, value in enumerate(given) if type(value) is int and value not in known
    ]
    if not lost or not all(type(key) is int for key in known):
        return
    ids = {value for value in given if type(value) is int}
    many = share(len(lost), len(given))
    raise InputError(
        f"expected result {lost[0]} of {path} to have a {name} that the annotation file lists "
        f"({listed(sorted(known), 3)}), got {given[lost[0]]}; {many} results have another: "
        f"{why(ids)}"
    )


def _numbering(given: set[int], ids: Sequence[Any]) -> str:
    """How the given ids may number the categories."""
    for first in (0, 1):
        places = set(range(first, first + len(ids)))
        if given <= places and places != set(ids):
            return (
                f"they seem to count its {len(ids)} categories from {first}; write the id of the "
                "category at that position"
            )
    return "write the ids as the annotation file does"
