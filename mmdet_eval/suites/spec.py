"""Suites: named lists of data sets, evaluated together."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.declared import check_value, read_declared
from swift_plugin_visionr1.errors import InputError

# What lies beside the folders of the data sets in an output folder.
RESERVED = frozenset(
    (
        "metrics.json",
        "summary.md",
        "report.html",
        "run.json",
        "contents.json",
        "infer.log",
        "lock",
        "answers",
        "parts",
    )
)
LONGEST_NAME = 200  # bytes; file systems take 255, and endings are added


@dataclass(frozen=True)
class Caption:
    """How a category is called in a query: prefix + name + suffix; None keeps the category's own
    name."""

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
    """A named list of data sets with the protocol that they are asked by, unless another is
    given."""

    name: str
    protocol: str
    datasets: tuple[DatasetSpec, ...]


def check_names(names: Sequence[str]) -> None:
    """See that the names of data sets can be those of folders beside each other, anywhere.

    Raises:
        InputError: one cannot, or two fall together where case makes no difference.
    """
    seen: dict[str, str] = {}
    for name in names:
        reason = _unfit(name)
        if reason:
            raise InputError(
                f"expected a data set's name that can be a folder's, got {name[:80]!r}, which "
                f"{reason}: rename it"
            )
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            came = f"{name!r} 2 times" if name == seen[key] else f"{seen[key]!r} and {name!r}"
            raise InputError(
                f"expected data sets with names that differ, whatever their case, got {came}: "
                "rename one"
            )
        seen[key] = name


def _unfit(name: str) -> str | None:
    if not name.strip():
        return "is empty"
    if set(name) & set("/\\") or not name.isprintable():
        return "has a slash or a character that cannot be printed"
    if name != name.strip() or name.startswith(".") or name.endswith("."):
        return "begins or ends with a dot or a space"
    if name.casefold() in RESERVED:
        return "is what another file of the output folder is called"
    if len(name.encode()) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} bytes"
    return None


def check_classes(value: Any, where: str) -> tuple[str, ...] | None:
    """Class names from a file; InputError unless they are None or a list of texts (YAML reads a
    bare 1 as a number)."""
    names: tuple[str, ...] | None = check_value(
        value, tuple[str, ...] | None, f"classes of {where}, names in quotes,"
    )
    if names == ():
        raise InputError(f"expected classes of {where} to be names, got an empty list")
    return names


def check_captions(value: Any, where: str) -> dict[str, Caption]:
    """Captions by category name from a file: a mapping to mappings of name, prefix and suffix, else
    InputError."""
    captions = check_value(value, dict[str, Any] | None, f"captions of {where}") or {}
    return {
        key: read_declared(Caption, parts, f"the caption of {key!r} in {where}")
        for key, parts in captions.items()
    }
