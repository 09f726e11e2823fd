"""Evaluations of several models on the same data, side by side with intervals: base, + SFT, +
Vision-R1."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import from_spreadsheet

from ..metrics.bootstrap import bootstrap, interval
from ..metrics.matches import Matches
from ..metrics.scores import ACCURACY, EXACT_COUNT, HEADLINE, headline_at
from .number_check import check_numbers
from .output_folders import EvaluatedModel, check_comparable, other_conditions, read_matches

AVERAGE = "Avg."
# A category in fewer images has few outcomes to resample: equal ones would give an interval of
# width 0.
FEWEST_IMAGES = 10
Floats = NDArray[np.float64]
Interval = tuple[float, float]
ClassTable = dict[str, tuple[str, float | None]]  # category id -> its name and AP


@dataclass(frozen=True)
class ComparedNumber:
    """One number for each of N models. Fractions in [0, 1], not rounded; None if there is nothing
    to measure.

    Attributes:
        name: of the metric, the data set or the category.
        values: N numbers.
        differences: N differences to the first model; the first is 0.
        intervals: N 95% intervals of the differences by paired bootstrap over images; None for the
            first model, and for all if the category is annotated in fewer than `FEWEST_IMAGES`
            images.
    """

    name: str
    values: tuple[float | None, ...]
    differences: tuple[float | None, ...]
    intervals: tuple[Interval | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Models side by side.

    Attributes:
        names: the names of N models.
        metric: what the columns show: "" for a single data set, whose columns are metrics; "mAP",
            or "accuracy@.5" of referring expressions, for a suite, whose columns are data sets and
            their average.
        columns: the table.
        warnings: descriptions of conditions that differ between the models.
        classes: data set -> AP of each category.
        samples, seed: of the bootstrap.
    """

    names: tuple[str, ...]
    metric: str
    columns: tuple[ComparedNumber, ...]
    warnings: tuple[str, ...]
    classes: dict[str, tuple[ComparedNumber, ...]]
    samples: int
    seed: int


def _check_boxes(model: EvaluatedModel) -> None:
    """Raise InputError if a data set only says how many things there are."""
    for name, entry in model.datasets.items():
        if EXACT_COUNT in entry["metrics"]:
            raise InputError(
                f"expected evaluations of boxes, got counts only in {model.folder / name}: "
                "compare the rows exact count, count MAE and count RMSE of the two summary.md"
            )


def compare(models: Sequence[EvaluatedModel], samples: int = 1000, seed: int = 0) -> Comparison:
    """Compare models with the first one.

    Args:
        models: at least two, evaluated on the same annotations under the same protocol.
        samples: number of bootstrap samples. In a suite, the images of each set are resampled
            separately.
        seed: seed of the bootstrap.

    Raises:
        InputError: the evaluations cannot be compared, or their files cannot be read.
    """
    for model in models[1:]:
        check_comparable(models[0], model)
    _check_boxes(models[0])
    drawn, classes = {}, {}
    for place, name in enumerate(models[0].datasets):
        matches = read_matches(models, name)
        tables = [_per_class(model.folder / name / "per_class.csv") for model in models]
        for model, table, matched in zip(models, tables, matches, strict=True):
            aps = {category: ap for category, (_, ap) in table.items()}
            headline = headline_at(model.max_dets(name))
            check_numbers(model.folder, model.datasets[name]["metrics"], aps, matched, headline)
        drawn[name] = bootstrap(matches, samples, seed + place)
        classes[name] = _class_columns(tables, matches[0], drawn[name])
    names, single = tuple(model.name for model in models), len(drawn) == 1
    refers = all(ACCURACY in entry["metrics"] for entry in models[0].datasets.values())
    metric = "" if single else ACCURACY if refers else "mAP"
    columns = _suite_columns(models, drawn, metric) if metric else _set_columns(models, drawn)
    return Comparison(names, metric, columns, other_conditions(models), classes, samples, seed)


def _set_columns(
    models: Sequence[EvaluatedModel], drawn: dict[str, Floats]
) -> tuple[ComparedNumber, ...]:
    (name,) = drawn
    metrics = [model.datasets[name]["metrics"] for model in models]
    return tuple(
        _column(metric, [of_model.get(metric) for of_model in metrics], drawn[name][:, :, place])
        for place, metric in enumerate(headline_at(models[0].max_dets(name)))
        if metric in metrics[0]
    )


def _suite_columns(
    models: Sequence[EvaluatedModel], drawn: dict[str, Floats], metric: str
) -> tuple[ComparedNumber, ...]:
    values = {
        name: [model.datasets[name]["metrics"].get(metric) for model in models] for name in drawn
    }
    sampled = {name: table[:, :, HEADLINE.index(metric)] for name, table in drawn.items()}
    columns = [_column(name, values[name], sampled[name]) for name in drawn]
    means = [
        None if None in row else float(np.mean(row)) for row in zip(*values.values(), strict=True)
    ]
    return (*columns, _column(AVERAGE, means, np.mean(list(sampled.values()), axis=0)))


def _class_columns(
    tables: Sequence[ClassTable], truth: Matches, drawn: Floats
) -> tuple[ComparedNumber, ...]:
    """AP of each category, in the order of the annotations."""
    places = {str(category): place for place, category in enumerate(truth.category_ids)}
    images = (truth.truths > 0).sum(axis=1)
    columns = []
    for key, (name, _) in tables[0].items():
        place = places[key]
        column = _column(
            name, [table[key][1] for table in tables], drawn[:, :, len(HEADLINE) + place]
        )
        few = images[place] < FEWEST_IMAGES
        columns.append(replace(column, intervals=(None,) * len(tables)) if few else column)
    return tuple(columns)


def _per_class(path: Path) -> ClassTable:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {
            from_spreadsheet(row["category_id"]): (
                from_spreadsheet(row["name"]),
                float(row["AP"]) if row["AP"] else None,
            )
            for row in rows
        }
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise InputError(
            f"expected {path} to be the per_class.csv of an evaluation, got: {error!r}"
        ) from None


def _column(name: str, values: Sequence[float | None], drawn: Floats) -> ComparedNumber:
    """`drawn`: (S, N) sampled values."""
    base = values[0]
    differences = [None if value is None or base is None else value - base for value in values]
    intervals = [
        interval(drawn[:, place] - drawn[:, 0]) if place and difference is not None else None
        for place, difference in enumerate(differences)
    ]
    return ComparedNumber(name, tuple(values), tuple(differences), tuple(intervals))
