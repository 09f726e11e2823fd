"""Suites by name, from one's own YAML file, or from an mmdet config."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError

from . import named_files
from .mmdet_config import read_config
from .spec import DatasetSpec, Suite, check_captions, check_classes, check_names


def suite_names() -> tuple[str, ...]:
    """The suites that have a name."""
    return named_files.names("suites")


def load_suite(
    name: str, root: str | Path, allow_missing: bool = False
) -> tuple[Suite, tuple[str, ...]]:
    """A suite and the names of its data sets that were left out because their annotation file is
    missing.

    Args:
        name: of a suite, the path of a YAML file like those in `suites/`, or of an mmdet config
            (.py).
        root: the folder that the suite's paths are relative to.
        allow_missing: leave missing data sets out, unless all are missing.

    Raises:
        InputError: there is no such suite, it cannot be used, or an annotation file is missing.
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
            f"{root}, got no file "
            f"for {len(missing)} ({paths}): check --root{advice}"
        )
    left_out = tuple(spec.name for spec in missing)
    return replace(
        suite, datasets=tuple(spec for spec in suite.datasets if spec.name not in left_out)
    ), left_out


def read_suite(name: str, root: str | Path) -> Suite:
    """As `load_suite`, without looking at the annotation files."""
    suite = read_config(name, root) if name.endswith(".py") else _read_yaml(name, root)
    check_names([spec.name for spec in suite.datasets])
    return suite


def _read_yaml(name: str, root: str | Path) -> Suite:
    path = named_files.find("suites", name)
    data = named_files.read_mapping(path, ("protocol", "datasets"), ())
    datasets = data["datasets"]
    if not isinstance(datasets, dict) or not datasets:
        raise InputError(
            f"expected datasets in {path} to be a mapping of names to data sets, got {datasets!r}"
        )
    specs = tuple(
        _spec(str(key), value, Path(root), f"{key} of {path}") for key, value in datasets.items()
    )
    return Suite(path.stem, str(data["protocol"]), specs)


def _spec(name: str, data: Any, root: Path, where: str) -> DatasetSpec:
    data = named_files.check_keys(data, where, ("ann", "images"), ("folder", "classes", "captions"))
    for key in ("ann", "images", "folder"):
        if not isinstance(data.get(key, ""), str):
            raise InputError(f"expected {key} of {where} to be a path, got {data[key]!r}")
    folder = root / data.get("folder", "")
    return DatasetSpec(
        name=name,
        ann=folder / data["ann"],
        images=folder / data["images"],
        classes=check_classes(data.get("classes"), where),
        captions=check_captions(data.get("captions"), where),
    )
