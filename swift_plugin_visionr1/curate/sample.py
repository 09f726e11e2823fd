"""What every source becomes: samples, each one image with all that is known about it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from ..geometry.boxes import LAYOUTS, Boxes, as_boxes
from ..geometry.frames import Size
from .tally import Tally

Task = Literal["detection", "grounding", "referring"]
TASKS: tuple[Task, ...] = ("detection", "grounding", "referring")
Id = int | str
MOST_FOLDERS = 60  # that are looked through for images
UNITS = {"": 0.0, "-norm1": 1.0, "-percent": 100.0, "-norm1000": 1000.0}
BOX_CHOICES = tuple(layout + unit for unit in UNITS for layout in LAYOUTS)


class Phrase(msgspec.Struct, frozen=True, array_like=True):
    """Words that describe some boxes of an image.

    Attributes:
        text: the words.
        boxes: which of the sample's boxes they mean; empty if nothing in the image.
        task: "referring" for an expression that means just these, "grounding" for a phrase.
    """

    text: str
    boxes: tuple[int, ...]
    task: Task = "referring"


class Sample(msgspec.Struct, frozen=True, eq=False, array_like=True):
    """One image. A millionfold, so it is a Struct, which is made and stored in a microsecond.

    Attributes:
        id: of the image, as in the source.
        image: its file as the source writes it; or a mapping of `bytes` and `path`.
        size: (width, height) in pixels as the source says; None if it does not say.
        boxes_xyxy: (n, 4) in pixels of the original image, as annotated.
        labels: n categories; empty if only phrases are known.
        phrases: of the image.
        absent: categories that somebody looked for and did not see.
        not_exhaustive: categories that are there, but of which not all instances have a box.
        unsure: categories with a record whose box cannot be used: they are not absent.
        split: "train", "val", ...; "" if the source has no splits.
        unit: 0 for pixels. Until its image is read, the boxes of a source that writes fractions are
            in units of a side of this length: 1, 100 or 1000.
        asked: whether the phrase is the whole question of a row that exists already.
        same_as: what the image is called in another data set, such as "coco:42".
        turned: whether its EXIF rotation has to be applied, so that the boxes fit.
    """

    id: Id
    image: Any
    size: Size | None
    boxes_xyxy: Boxes
    labels: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    absent: tuple[str, ...] = ()
    not_exhaustive: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    split: str = ""
    unit: float = 0.0
    asked: bool = False
    same_as: str = ""
    turned: bool = False

    def in_pixels(self, size: Size) -> "Sample":
        """The sample with its boxes in pixels of an image of `size` (width, height)."""
        if not self.unit:
            return self if self.size == size else replace(self, size=size)
        boxes = self.boxes_xyxy / self.unit * np.array([*size, *size], dtype=np.float64)
        return replace(self, boxes_xyxy=boxes, size=size, unit=0.0)


@dataclass(frozen=True, eq=False)
class Source:
    """An annotated set of images.

    Attributes:
        name: in rows and cards.
        format: which reader it has.
        files: what was read, for hashes.
        images: folders in which its images may be.
        categories: all names that boxes may have; empty if only phrases are known.
        exhaustive: whether a category without a box in an image is absent from it.
        tasks: what its samples can be used for.
        read: its samples, in the order of the source; counts what it leaves out.
        layout: how the source writes boxes, for messages.
        upright: whether boxes belong to the image as viewers show it, with its EXIF rotation.
        relatives: category -> those that may be there wherever it is, such as its parents.
        notes: what else a user should know, in words.
        count: of its images; 0 if it is not known before they are read.
        groups: whether its boxes of one label in an image can be asked for together.
        any_task: whether its phrases are used whatever task is asked for.
    """

    name: str
    format: str
    files: tuple[Path, ...]
    images: tuple[Path, ...]
    categories: tuple[str, ...]
    exhaustive: bool
    tasks: tuple[Task, ...]
    read: Callable[[Tally], Iterator[Sample]]
    layout: Literal["xyxy", "xywh"] = "xyxy"
    upright: bool = False
    relatives: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    count: int = 0
    groups: bool = False
    any_task: bool = False

    @cached_property
    def plain_names(self) -> dict[str, str]:
        """Category -> its name as it is compared."""
        return {name: plain(name) for name in self.categories}

    def plain(self, name: str) -> str:
        """A name as it is compared; those of categories are known already."""
        return self.plain_names.get(name) or plain(name)


@dataclass(frozen=True)
class Request:
    """What a user says about a source.

    Attributes:
        path: a file or a folder.
        images: the folder of its images; None for where the format puts them.
        boxes: how its boxes are written, one of `BOX_CHOICES`; None for the format's way.
    """

    path: Path
    images: Path | None = None
    boxes: str | None = None

    def box_form(self, usual: str) -> tuple[str, float]:
        """Layout and unit of the boxes; `usual` is the format's."""
        layout, dash, unit = (self.boxes or usual).partition("-")
        return layout, UNITS[dash + unit]

    def folders(self, *usual: Path) -> tuple[Path, ...]:
        """Where to look for images: in the folder that the user names and the few folders in it,
        else in the `usual` ones."""
        if self.images is None:
            return tuple(dict.fromkeys(usual))
        inner = sorted(place for place in self.images.glob("*") if place.is_dir())
        return (self.images, *(inner if len(inner) <= MOST_FOLDERS else ()))


def is_id(value: Any) -> bool:
    """Whether a value can be the id of a record."""
    return type(value) is str or (type(value) is int and -(2**63) <= value < 2**63)


def is_whole(text: str) -> bool:
    """Whether a text has whole characters only, so that UTF-8 can hold it."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def plain(name: str) -> str:
    """A name as it is compared: "Traffic_light" and "traffic light" are one.

    >>> plain("Traffic_light") == plain("traffic light")
    True
    """
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def to_xyxy(numbers: Any, layout: str) -> Boxes:
    """(n, 4) boxes of a layout as corners [x1, y1, x2, y2], in the same unit."""
    boxes = as_boxes(numbers)
    if layout == "xyxy":
        return boxes
    if layout == "xywh":
        boxes[:, 2:] += boxes[:, :2]
        return boxes
    half = boxes[:, 2:] / 2
    return np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])
