"""A protocol's queries as the rows of a dataset that `swift infer` answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from .annotations import Annotations
from .protocols import Protocol
from .queries import queries
from .suites import DatasetSpec

Row = dict[str, Any]


def prompt_rows(spec: DatasetSpec, annotations: Annotations, protocol: Protocol) -> list[Row]:
    """One row per query, in the file's order of images and categories.

    A row has what ms-swift reads ("messages" with one user turn, "images" with one absolute path), and what its
    answer is joined and evaluated by: "dataset", "image_id", "width" and "height" of the original image in pixels,
    "query" (the user turn's text without the image), "category" and "category_id" (None for all at once),
    "protocol" (its name). Whether the image files exist is not looked at: see `check_images`.

    Args:
        annotations: of `spec`, as from `read_annotations(spec.ann, spec.classes)`.

    Raises:
        InputError: an image has no file_name.
    """
    asked = queries(protocol, annotations, spec.captions)
    folder = spec.images.resolve()
    rows: list[Row] = []
    for image in annotations.images:
        if not image.file_name:
            raise InputError(
                f'expected image {image.id!r} of {annotations.path} to have a "file_name", got none: '
                "without it nobody can be asked about the image"
            )
        for query in asked[image.id]:
            category = None if query.category is None else annotations.categories[query.category]
            rows.append(
                {
                    "messages": [{"role": "user", "content": f"<image>{query.text}"}],
                    "images": [str(folder / image.file_name)],
                    "dataset": spec.name,
                    "image_id": image.id,
                    "width": image.size[0],
                    "height": image.size[1],
                    "query": query.text,
                    "category": category,
                    "category_id": query.category,
                    "protocol": protocol.name,
                }
            )
    return rows


def check_images(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise InputError with count and examples unless every row's image file exists."""
    paths = {path: None for row in rows for path in row["images"]}
    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        examples = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise InputError(
            f"expected {len(paths)} image files, got {len(missing)} that do not exist: {examples}; "
            "check --images or --root, or download the data set again"
        )
