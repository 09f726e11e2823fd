"""A protocol's queries as the rows of a dataset that `swift infer` answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from swift_plugin_visionr1.data.image_check import UNREADABLE, image_faults, require_usable
from swift_plugin_visionr1.data.image_paths import find_images
from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Annotations, Image
from .protocols import Protocol
from .queries import Query, queries
from .spec import DatasetSpec

Row = dict[str, Any]
NAMES_SHOWN = 10


def prompt_rows(spec: DatasetSpec, annotations: Annotations, protocol: Protocol) -> list[Row]:
    """One row per query, in the file's order of images and categories.

    A row has what ms-swift reads ("messages" with one user turn, "images" with one absolute path),
    and what its answer is joined and evaluated by: "dataset", "image_id", "width" and "height" of
    the original image in pixels, "query" (the user turn's text without the image), "category" and
    "category_id" (None for all at once), "protocol" (its name). Whether the image files exist is
    not looked at: see `check_images`.

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
    """What to say about categories that are asked about and never annotated, such as Roboflow's
    supercategories.

    None where there are none, or where only what is annotated is asked about.
    """
    names = annotations.unannotated()
    if not names or protocol.queries in ("present", "expression"):
        return None
    shown = ", ".join(map(repr, names[:NAMES_SHOWN])) + (
        ", ..." if len(names) > NAMES_SHOWN else ""
    )
    return (
        f"{spec.name}: {len(names)} of {len(annotations.categories)} categories are asked about "
        "but never annotated "
        f"({shown}): leave out what is no class, by --classes or the suite's classes"
    )


def check_images(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Look at the header of every image; returns what to warn of.

    Args:
        rows: as `prompt_rows` writes them.

    Raises:
        ImageError: an image cannot be opened; counts all such, names the first of them.
    """
    asked: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        asked.setdefault(row["images"][0], row)
    paths = list(asked)
    sizes = [(asked[path]["width"], asked[path]["height"]) for path in paths]

    def place(index: int) -> str:
        row = asked[paths[index]]
        return f"image {row['image_id']!r} of {row['dataset']}"

    return require_usable(image_faults(paths, sizes), len(paths), place, UNREADABLE)
