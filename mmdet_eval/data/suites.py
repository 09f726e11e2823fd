"""Suites: named lists of data sets, evaluated together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Caption:
    """How a category is called in a query: prefix + name + suffix; None keeps the category's own name."""

    name: str | None = None
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class DatasetSpec:
    """Where a data set is and what it is about.

    Attributes:
        name: the prefix of its numbers.
        ann: its COCO annotation file.
        images: the folder that file_name is relative to.
        classes: the categories to evaluate; None for all of the file.
        captions: by category name.
    """

    name: str
    ann: Path
    images: Path
    classes: tuple[str, ...] | None = None
    captions: Mapping[str, Caption] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """A named list of data sets with the protocol that they are asked by, unless another is given."""

    name: str
    protocol: str
    datasets: tuple[DatasetSpec, ...]
