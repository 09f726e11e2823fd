"""Loads suites by name, from the user's YAML file, or from an mmdet config."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from swift_plugin_visionr1.declared import check_value, read_declared
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import load_yaml

from . import named_files
from .forms import FORMS
from .mmdet_config import read_config
from .spec import METRICS, DatasetSpec, Suite, check_captions, check_classes, check_names


@dataclass(frozen=True)
class SuiteFile:
    """A suite's YAML file.

    Attributes:
        protocol: how the model is asked by default.
        datasets: by name, each as `DatasetEntry`.
        measures, source, licence, download: for people; `download` is also part of the error when
            a set is missing.
        form, metrics: of all data sets.
        ann, images, needs: of the data sets that do not say it themselves.
        like: the name of a suite with the same data sets, in other folders.
        only: those of its data sets that belong to this suite.
    """

    protocol: str
    datasets: dict[Any, Any] = field(default_factory=dict)
    measures: str = ""
    source: str = ""
    licence: str = ""
    download: str = ""
    form: str = "coco"
    metrics: tuple[str, ...] = ()
    ann: str = ""
    images: str = ""
    needs: tuple[str, ...] = ()
    like: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetEntry:
    """A data set in it; paths are below `folder`; see `DatasetSpec`."""

    ann: str
    images: str
    folder: str = ""
    classes: Any = None
    captions: Any = None
    split: str = ""
    domain: str = ""
    needs: tuple[str, ...] = ()


def suite_names() -> tuple[str, ...]:
    """The names of the built-in suites."""
    return named_files.names("suites")


def load_suite(
    name: str, root: str | Path, allow_missing: bool = False
) -> tuple[Suite, tuple[str, ...]]:
    """A suite, and the names of its data sets that were left out because a file of theirs is
    missing.

    Args:
        name: a suite's name, or the path of a YAML file like those in `suites/` or of an mmdet
            config (.py).
        root: the folder that the suite's paths are relative to.
        allow_missing: leave missing data sets out, unless all are missing.

    Raises:
        InputError: the suite does not exist or cannot be used, or a file of it is missing.
    """
    suite = read_suite(name, root)
    lacking = {spec.name: missing_files(spec) for spec in suite.datasets}
    missing = [spec for spec in suite.datasets if lacking[spec.name]]
    if missing and (not allow_missing or len(missing) == len(suite.datasets)):
        paths = "; ".join(
            f"{spec.name}: {', '.join(map(str, lacking[spec.name]))}" for spec in missing
        )
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
        advice += f"; download: {suite.download}" if suite.download else ""
        raise InputError(
            f"expected the annotations of {len(suite.datasets)} data sets of {suite.name} under "
            f"{root}, got no file for {len(missing)} ({paths}): check --root{advice}"
        )
    kept = tuple(spec for spec in suite.datasets if not lacking[spec.name])
    return replace(suite, datasets=kept), tuple(spec.name for spec in missing)


def missing_files(spec: DatasetSpec) -> list[Path]:
    """The annotation files of a data set that do not exist."""
    return [path for path in (spec.ann, *spec.needs) if not path.is_file()]


def read_suite(name: str, root: str | Path) -> Suite:
    """Like `load_suite`, without looking at the annotation files."""
    suite = read_config(name, root) if name.endswith(".py") else _read_yaml(name, root)
    check_names([spec.name for spec in suite.datasets])
    return suite


def _read_yaml(name: str, root: str | Path) -> Suite:
    path = named_files.find("suites", name)
    file = read_file(path)
    if not file.datasets:
        raise InputError(f"expected datasets in {path}, got none")
    check_value(file.form, Literal[tuple(FORMS)], f"form of {path}")
    for metric in file.metrics:
        check_value(metric, Literal[METRICS], f"metrics of {path}")
    specs = tuple(
        _spec(str(key), value, Path(root), file, f"{key} of {path}")
        for key, value in file.datasets.items()
    )
    return Suite(path.stem, file.protocol, specs, file.download)


def read_file(path: Path) -> SuiteFile:
    """A suite's YAML file, with what it takes over from another suite."""
    data = load_yaml(path)
    file = read_declared(SuiteFile, data, str(path))
    if not file.like:
        return file
    other = asdict(read_file(named_files.find("suites", file.like)))
    datasets = {
        name: entry
        for name, entry in other["datasets"].items()
        if not file.only or name in file.only
    }
    unknown = [name for name in file.only if name not in datasets]
    if unknown:
        raise InputError(f"expected only of {path} to name sets of {file.like}, got {unknown}")
    return read_declared(SuiteFile, other | data | {"datasets": datasets}, str(path))


def _spec(name: str, data: Any, root: Path, file: SuiteFile, where: str) -> DatasetSpec:
    usual = {"ann": file.ann, "images": file.images, "needs": file.needs}
    usual = {key: value for key, value in usual.items() if value}
    entry = read_declared(DatasetEntry, usual | data if isinstance(data, dict) else data, where)
    folder = root / entry.folder
    return DatasetSpec(
        name=name,
        ann=folder / entry.ann,
        images=folder / entry.images,
        classes=check_classes(entry.classes, where),
        captions=check_captions(entry.captions, where),
        form=file.form,
        split=entry.split,
        metrics=file.metrics,
        domain=entry.domain,
        needs=tuple(folder / name for name in entry.needs),
    )
