"""Suites: named lists of data sets, evaluated together."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.declared import check_value, read_declared
from swift_plugin_visionr1.errors import InputError

# Other entries of an output folder, beside the data sets' folders.
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
        "verify",
        "verify-drawn",
    )
)
METRICS = (
    "grec",
    "humanref",
    "ref_l4",
    "d3",
    "by_sample",
)  # that a suite may name: see metrics/named.py
LONGEST_NAME = 200  # bytes; file systems allow 255, and endings are added


@dataclass(frozen=True)
class Caption:
    """What a category is called in a query: prefix + name + suffix; None keeps the category's
    name."""

    name: str | None = None
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class DatasetSpec:
    """Where a data set is and what it is about.

    Attributes:
        name: the prefix of its numbers.
        ann: its annotation file.
        images: the folder that file_name is relative to.
        classes: the categories to evaluate; None for all of the file.
        captions: by category name.
        form: what kind of file `ann` is: a key of `forms.FORMS`.
        split: which part of the file, where it has several.
        metrics: what is measured beside AP: some of `METRICS`.
        domain: of several sets in a suite, for the averages by domain.
        needs: other files that must be there.
    """

    name: str
    ann: Path
    images: Path
    classes: tuple[str, ...] | None = None
    captions: Mapping[str, Caption] = field(default_factory=dict)
    form: str = "coco"
    split: str = ""
    metrics: tuple[str, ...] = ()
    domain: str = ""
    needs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Suite:
    """A named list of data sets with their default protocol.

    Attributes:
        download: where to get them, in words; "" if not known.
    """

    name: str
    protocol: str
    datasets: tuple[DatasetSpec, ...]
    download: str = ""


def check_names(names: Sequence[str]) -> None:
    """Check that the names of data sets can be used as folder names on any file system.

    Raises:
        InputError: a name cannot, or two names differ only in case.
    """
    seen: dict[str, str] = {}
    for name in names:
        reason = _unfit(name)
        if reason:
            raise InputError(
                f"expected a data set name that can be a folder name, got {name[:80]!r}, which "
                f"{reason}: rename it"
            )
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            came = f"{name!r} 2 times" if name == seen[key] else f"{seen[key]!r} and {name!r}"
            raise InputError(
                f"expected data set names that differ in more than case, got {came}: rename one"
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
    """Class names from a file; raises InputError unless they are None or a list of texts (YAML
    reads an unquoted 1 as a number)."""
    names: tuple[str, ...] | None = check_value(
        value, tuple[str, ...] | None, f"classes of {where}, names in quotes,"
    )
    if names == ():
        raise InputError(f"expected classes of {where} to be names, got an empty list")
    return names


def check_captions(value: Any, where: str) -> dict[str, Caption]:
    """Captions by category name from a file: a mapping to mappings of name, prefix and suffix;
    raises InputError otherwise."""
    captions = check_value(value, dict[str, Any] | None, f"captions of {where}") or {}
    return {
        key: read_declared(Caption, parts, f"the caption of {key!r} in {where}")
        for key, parts in captions.items()
    }
