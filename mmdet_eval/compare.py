"""Evaluations of several models on the same data, side by side with intervals: base, + SFT, + Vision-R1."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data.annotations import Id
from .errors import InputError
from .metrics.bootstrap import ACCURACY, HEADLINE, bootstrap, interval
from .metrics.matches import Matches

AVERAGE = "Avg."
Floats = NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Model:
    """The output folder of an evaluation; `datasets`: name -> its entry in metrics.json."""

    name: str
    folder: Path
    datasets: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Column:
    """One number of N models. Fractions in [0, 1], not rounded; None where there is nothing to measure.

    Attributes:
        name: the metric's, the data set's or the category's.
        values: N.
        differences: N, to the first model; the first is 0.
        intervals: N, 95% paired bootstrap over images of the differences; None for the first.
    """

    name: str
    values: tuple[float | None, ...]
    differences: tuple[float | None, ...]
    intervals: tuple[Interval | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Models side by side.

    Attributes:
        names: of N models.
        metric: what the columns show: "" for a single data set, whose columns are metrics; "mAP", or "accuracy@.5" of
            referring expressions, for a suite, whose columns are data sets and their average.
        columns: the table.
        classes: data set -> AP per category.
        samples, seed: of the bootstrap.
    """

    names: tuple[str, ...]
    metric: str
    columns: tuple[Column, ...]
    classes: dict[str, tuple[Column, ...]]
    samples: int
    seed: int


def read_model(folder: Path, name: str) -> Model:
    """Read metrics.json of an output folder.

    Raises:
        InputError: the folder is none.
    """
    path = folder / "metrics.json"
    try:
        datasets = json.loads(path.read_text("utf-8"))["datasets"]
        for entry in datasets.values():
            entry["metrics"], entry["annotations"]["sha256"], entry["protocol"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"expected {folder} to be the output folder of an evaluation, got no usable {path.name} in it "
            f"({type(error).__name__}: {error}); give folders that `mmdet-eval --out` wrote"
        ) from None
    return Model(name, folder, datasets)


def compare(models: Sequence[Model], samples: int = 1000, seed: int = 0) -> Comparison:
    """Compare models with the first one.

    Args:
        models: at least two, evaluated on the same annotations under the same protocol.
        samples: of the bootstrap. In a suite the images of each set are resampled by themselves.
        seed: of the bootstrap.

    Raises:
        InputError: the evaluations cannot be compared, or their files cannot be read.
    """
    for model in models[1:]:
        _check_comparable(models[0], model)
    drawn, classes = {}, {}
    for place, name in enumerate(models[0].datasets):
        matches = _matches(models, name)
        drawn[name] = bootstrap(matches, samples, seed + place)
        classes[name] = _class_columns(models, name, matches[0].category_ids, drawn[name])
    names, single = tuple(model.name for model in models), len(drawn) == 1
    refers = all(ACCURACY in entry["metrics"] for entry in models[0].datasets.values())
    metric = "" if single else ACCURACY if refers else "mAP"
    columns = _suite_columns(models, drawn, metric) if metric else _set_columns(models, drawn)
    return Comparison(names, metric, columns, classes, samples, seed)


def _check_comparable(first: Model, other: Model) -> None:
    if set(first.datasets) != set(other.datasets):
        raise InputError(
            f"expected the same data sets in all folders, got {sorted(first.datasets)} in {first.folder} and "
            f"{sorted(other.datasets)} in {other.folder}: evaluate them on the same ones"
        )
    for name, ours in first.datasets.items():
        theirs = other.datasets[name]
        hashes = [str(entry["annotations"]["sha256"]) for entry in (ours, theirs)]
        if hashes[0] != hashes[1]:
            raise InputError(
                f"expected the same annotations of {name} in all folders, got sha256 {hashes[0][:12]} in "
                f"{first.folder} and {hashes[1][:12]} in {other.folder}: evaluate both on one file"
            )
        if ours["protocol"] != theirs["protocol"]:
            raise InputError(
                f"expected the same protocol for {name} in all folders, got {_protocol(ours)} in {first.folder} and "
                f"{_protocol(theirs)} in {other.folder}: their numbers answer different questions"
            )


def _protocol(entry: dict[str, Any]) -> str:
    protocol = entry["protocol"]
    return str(protocol.get("name", protocol) if isinstance(protocol, dict) else protocol)


def _matches(models: Sequence[Model], dataset: str) -> list[Matches]:
    """One per model, on the same images, categories and annotations."""
    matches = [Matches.load(model.folder / dataset / "matches.npz") for model in models]
    for model, found in zip(models, matches, strict=True):
        same = (found.image_ids, found.category_ids) == (matches[0].image_ids, matches[0].category_ids)
        if not same or not np.array_equal(found.truths, matches[0].truths):
            raise InputError(
                f"expected the same images, categories and annotations of {dataset} in all folders, got others in "
                f"{model.folder} than in {models[0].folder}: evaluate both with the same classes"
            )
    return matches


def _set_columns(models: Sequence[Model], drawn: dict[str, Floats]) -> tuple[Column, ...]:
    (name,) = drawn
    metrics = [model.datasets[name]["metrics"] for model in models]
    return tuple(
        _column(metric, [found.get(metric) for found in metrics], drawn[name][:, :, place])
        for place, metric in enumerate(HEADLINE)
        if metric in metrics[0]
    )


def _suite_columns(models: Sequence[Model], drawn: dict[str, Floats], metric: str) -> tuple[Column, ...]:
    values = {name: [model.datasets[name]["metrics"].get(metric) for model in models] for name in drawn}
    sampled = {name: table[:, :, HEADLINE.index(metric)] for name, table in drawn.items()}
    columns = [_column(name, values[name], sampled[name]) for name in drawn]
    means = [None if None in row else float(np.mean(row)) for row in zip(*values.values(), strict=True)]
    return (*columns, _column(AVERAGE, means, np.mean(list(sampled.values()), axis=0)))


def _class_columns(models: Sequence[Model], dataset: str, ids: Sequence[Id], drawn: Floats) -> tuple[Column, ...]:
    """AP of each category, in the order of the annotations."""
    tables = [_per_class(model.folder / dataset / "per_class.csv") for model in models]
    places = {str(category): len(HEADLINE) + place for place, category in enumerate(ids)}
    return tuple(
        _column(name, [table[key][1] for table in tables], drawn[:, :, places[key]])
        for key, (name, _) in tables[0].items()
    )


def _per_class(path: Path) -> dict[str, tuple[str, float | None]]:
    """Category id -> its name and AP."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {row["category_id"]: (row["name"], float(row["AP"]) if row["AP"] else None) for row in rows}
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise InputError(f"expected {path} to be the per_class.csv of an evaluation, got: {error!r}") from None


def _column(name: str, values: Sequence[float | None], drawn: Floats) -> Column:
    """`drawn`: (S, N) sampled values."""
    base = values[0]
    differences = [None if value is None or base is None else value - base for value in values]
    intervals = [
        interval(drawn[:, place] - drawn[:, 0]) if place and difference is not None else None
        for place, difference in enumerate(differences)
    ]
    return Column(name, tuple(values), tuple(differences), tuple(intervals))
