"""COCO annotations for the metric: read with the shared reader, and repaired where COCOeval would
silently miscount."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.data.coco import Id, Image, read_coco

from .repairs import repaired
from .truths import Truths, to_truths

__all__ = ["Annotations", "Id", "Image", "read_annotations"]


@dataclass(frozen=True, eq=False)
class Annotations:
    """A COCO annotation file.

    Attributes:
        path: the file as given.
        sha256: hash of the file as given.
        images: in the file's order.
        categories: category id -> name, in the file's order, which may differ from the order of
            ids.
        data: the file's content after the repairs.
        repairs: what was changed for the metric, in words; empty if the file is used as it is.
    """

    path: Path
    sha256: str
    images: tuple[Image, ...]
    categories: dict[Id, str]
    data: dict[str, Any]
    repairs: tuple[str, ...]

    @contextmanager
    def metric_file(self) -> Iterator[Path]:
        """A file with `data`: the original if nothing was repaired, else a temporary copy.

        pycocotools reads files in the locale's encoding, so non-ASCII characters and byte order
        marks need a copy too.
        """
        if not self.repairs and self.path.read_bytes().isascii():
            yield self.path
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "annotations.json"
            copy.write_text(json.dumps(self.data), encoding="utf-8")
            yield copy

    @cached_property
    def image_ids(self) -> tuple[Id, ...]:
        """In the file's order."""
        return tuple(image.id for image in self.images)

    @cached_property
    def category_ids(self) -> tuple[Id, ...]:
        """In the file's order."""
        return tuple(self.categories)

    @cached_property
    def truths(self) -> Truths:
        """The annotations as columns."""
        return to_truths(self.data["annotations"], self.image_ids, self.category_ids)

    def present(self) -> dict[Id, tuple[Id, ...]]:
        """Image id -> the categories of its annotations other than crowds, in the file's order."""
        return {
            image: tuple(self.category_ids[k] for k in np.unique(self.truths.category[places]))
            for image, places in zip(self.image_ids, self.truths.by_image, strict=True)
        }

    def unannotated(self) -> tuple[str, ...]:
        """Names of the categories without any annotation, in the file's order; AP leaves them
        out."""
        annotated = set(self.truths.category.tolist())
        names = enumerate(self.categories.values())
        return tuple(name for place, name in names if place not in annotated)


def read_annotations(path: str | Path, classes: Sequence[str] | None = None) -> Annotations:
    """Read and check a COCO annotation file.

    Args:
        classes: names of the categories to keep, in any order, as in mmdet's metainfo; see
            `read_coco`. None keeps all.

    Raises:
        InputError: as `read_coco`.
    """
    file = read_coco(path, classes)
    repairs = list(file.changes)
    data = {**file.data, "annotations": repaired(file.annotations, repairs)}
    return Annotations(file.path, file.sha256, file.images, file.categories, data, tuple(repairs))
