"""COCO annotations for the metric: read with the shared reader, and repaired where COCOeval would
silently miscount."""

import json
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.data.coco import CocoFile, Id, Image, check_content, read_coco
from swift_plugin_visionr1.data.coco_check import CocoCheck, check_coco
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import short

from .repairs import repaired
from .truths import Truths, to_truths

__all__ = ["Annotations", "Id", "Image", "make_annotations", "read_annotations"]

ASKED = "asked_category_ids"  # of an image: what may be asked about it
COUNT = "annotated_count"  # of an image: how many there are, where boxes are not annotated
NEGATIVE = "neg_category_ids"  # of an image of LVIS: what is known not to be in it
PARTLY = "not_exhaustive_category_ids"  # of an image of LVIS: what may be in it more often


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
        is_coco: whether the file is COCO's; otherwise `data` was made from it.
    """

    path: Path
    sha256: str
    images: tuple[Image, ...]
    categories: dict[Id, str]
    data: dict[str, Any]
    repairs: tuple[str, ...]
    is_coco: bool = True

    @contextmanager
    def metric_file(self) -> Iterator[Path]:
        """A file with `data`: the original if nothing was repaired, else a temporary copy.

        pycocotools reads files in the locale's encoding, so non-ASCII characters and byte order
        marks need a copy too.
        """
        if self.is_coco and not self.repairs and self.path.read_bytes().isascii():
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

    @cached_property
    def check(self) -> CocoCheck:
        """What the annotations say about one another, without the files of the images."""
        return check_coco(self.images, self.data["annotations"])

    def present(self) -> dict[Id, tuple[Id, ...]]:
        """Image id -> the categories of its annotations other than crowds, in the file's order."""
        return {
            image: tuple(self.category_ids[k] for k in np.unique(self.truths.category[places]))
            for image, places in zip(self.image_ids, self.truths.by_image, strict=True)
        }

    @cached_property
    def counts(self) -> dict[Id, int]:
        """Image id -> how many there are of what its caption asks for, where the file says only
        that."""
        return {image["id"]: image[COUNT] for image in self.data["images"] if COUNT in image}

    @cached_property
    def federated(self) -> bool:
        """Whether only some categories were looked for in each image, as in LVIS."""
        return any(NEGATIVE in image for image in self.data["images"])

    def askable(self) -> dict[Id, tuple[Id, ...]] | None:
        """Image id -> the categories that may be asked about, in the file's order; None if all may.

        These are the image's `asked_category_ids`; in a federated file those that are annotated or
        known to be absent, because nobody knows about the others.
        """
        listed = {image["id"]: image.get(ASKED) for image in self.data["images"]}
        if not self.federated and not any(ids is not None for ids in listed.values()):
            return None
        if self.federated:
            present, absent = self.present(), self.absent()
            unlisted: dict[Id, Collection[Id]] = {
                image: {*present[image], *absent[image]} for image in self.image_ids
            }
        else:
            unlisted = dict.fromkeys(self.image_ids, self.category_ids)
        return {
            image: self._in_order(unlisted[image] if ids is None else ids)
            for image, ids in listed.items()
        }

    def absent(self) -> dict[Id, frozenset[Id]]:
        """Image id -> the categories that are known not to be in it.

        In a federated file they are the image's `neg_category_ids`; where the image lists what may
        be asked about it, they are among those; otherwise they are all that have no annotation,
        crowds included.
        """
        annotated: dict[Id, set[Id]] = {image: set() for image in self.image_ids}
        for record in self.data["annotations"]:
            annotated[record["image_id"]].add(record["category_id"])
        every = frozenset(self.category_ids)
        key = NEGATIVE if self.federated else ASKED
        return {
            image["id"]: every.intersection(image.get(key, () if self.federated else every))
            - annotated[image["id"]]
            for image in self.data["images"]
        }

    def _in_order(self, ids: Collection[Id]) -> tuple[Id, ...]:
        known = set(ids)
        return tuple(key for key in self.category_ids if key in known)

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
    return _annotations(read_coco(path, classes))


def make_annotations(
    content: dict[str, Any],
    path: Path,
    sha256: str,
    classes: Sequence[str] | None = None,
    notes: Sequence[str] = (),
) -> Annotations:
    """Annotations from COCO content that was made from a file of another form, checked alike.

    Args:
        content: changed in place.
        path: of that file.
        sha256: of that file, or of the files that belong together.
        notes: what was left out or changed, in words.

    Raises:
        InputError: as `read_coco`.
    """
    file = check_content(content, path, sha256, classes)
    made = _annotations(file)
    return replace(made, repairs=(*notes, *made.repairs), is_coco=False)


def _annotations(file: CocoFile) -> Annotations:
    for image in file.data["images"]:
        _check_image(image, file.path)
    repairs = list(file.changes)
    data = {**file.data, "annotations": repaired(file.annotations, repairs)}
    return Annotations(file.path, file.sha256, file.images, file.categories, data, tuple(repairs))


def _check_image(image: dict[str, Any], path: Path) -> None:
    """Raise InputError if what only some forms say about an image is of another kind."""
    for key in (ASKED, NEGATIVE, PARTLY):
        ids = image.get(key, ())
        if ids is None and key == PARTLY:  # as some write an empty list
            continue
        if not isinstance(ids, list | tuple) or not all(isinstance(i, int | str) for i in ids):
            raise InputError(
                f"expected {key} of image {image['id']} of {path} to be a list of category ids, "
                f"got {short(ids)}"
            )
    count = image.get(COUNT, 0)
    if type(count) is not int or count < 0:
        raise InputError(
            f"expected {COUNT} of image {image['id']} of {path} to be a whole number, got "
            f"{short(count)}"
        )
