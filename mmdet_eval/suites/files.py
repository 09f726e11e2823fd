"""Loads suites by name, from the user's YAML file, or from an mmdet config."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.declared import read_declared
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import load_yaml

from . import named_files
from .mmdet_config import read_config
from .spec import DatasetSpec, Suite, check_captions, check_classes, check_names


@dataclass(frozen=True)
class SuiteFile:
    """A suite's YAML file."""

    protocol: str
    datasets: dict[Any, Any]


@dataclass(frozen=True)
class DatasetEntry:
    """A data set in it; paths are below `folder`."""

    ann: str
    images: str
    folder: str = ""
    classes: Any = None
    captions: Any = None


def suite_names() -> tuple[str, ...]:
    """The names of the built-in suites."""
    return named_files.names("suites")


def load_suite(
    name: str, root: str | Path, allow_missing: bool = False
) -> tuple[Suite, tuple[str, ...]]:
    """A suite, and the names of its data sets that were left out because their annotation file is
    missing.

    Args:
        name: a suite's name, or the path of a YAML file like those in `suites/` or of an mmdet
            config (.py).
        root: the folder that the suite's paths are relative to.
        allow_missing: leave missing data sets out, unless all are missing.

    Raises:
        InputError: the suite does not exist or cannot be used, or an annotation file is missing.
    """
    suite = read_suite(name, root)
    missing = [spec for spec in suite.datasets if not spec.ann.is_file()]
    if missing and (not allow_missing or len(missing) == len(suite.datasets)):
        paths = "; ".join(f"{spec.name}: {spec.ann}" for spec in missing)
        advice = (
            ""
            if len(missing) == len(suite.datasets)
            else ", or leave them out with --allow-missing"
        )
        if any(spec.ann.name.startswith("new_annotations") for spec in missing):
            advice += (
                "; mmdet's configs/mm_grounding_dino/odinw/override_category.py makes the "
                "new_annotations_... files"
            )
        raise InputError(
            f"expected the annotations of {len(suite.datasets)} data sets of {suite.name} under "
            f"{root}, got no file for {len(missing)} ({paths}): check --root{advice}"
        )
    left_out = tuple(spec.name for spec in missing)
    return replace(
        suite, datasets=tuple(spec for spec in suite.datasets if spec.name not in left_out)
    ), left_out


def read_suite(name: str, root: str | Path) -> Suite:
    """Like `load_suite`, without looking at the annotation files."""
    suite = read_config(name, root) if name.endswith(".py") else _read_yaml(name, root)
    check_names([spec.name for spec in suite.datasets])
    return suite


def _read_yaml(name: str, root: str | Path) -> Suite:
    path = named_files.find("suites", name)
    file = read_declared(SuiteFile, load_yaml(path), str(path))
    if not file.datasets:
        raise InputError(f"expected datasets in {path}, got none")
    specs = tuple(
        _spec(str(key), value, Path(root), f"{key} of {path}")
        for key, value in file.datasets.items()
    )
    return Suite(path.stem, file.protocol, specs)


def _spec(name: str, data: Any, root: Path, where: str) -> DatasetSpec:
    entry = read_declared(DatasetEntry, data, where)
    folder = root / entry.folder
    return DatasetSpec(
        name=name,
        ann=folder / entry.ann,
        images=folder / entry.images,
        classes=check_classes(entry.classes, where),
        captions=check_captions(entry.captions, where),
    )
