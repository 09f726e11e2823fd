"""Writes a comparison as text (the paper's table, the intervals of its differences, the categories)
and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from swift_plugin_visionr1.text import percent
from swift_plugin_visionr1.writing import write_file

from ..reports.markdown import bullets, plain, table
from .compare import FEWEST_IMAGES, ComparedNumber, Comparison, Interval

UNITS = (
    "fractions in [0, 1], not rounded; intervals are 95% paired bootstrap over images; null: "
    "nothing to measure"
)
NO_INTERVAL = "[-]"


def as_markdown(comparison: Comparison) -> str:
    """The tables, in percent, with columns aligned in plain text too."""
    names = [plain(name) for name in comparison.names]
    what = f"{comparison.metric} in percent" if comparison.metric else "Percent"
    parts = [
        f"# {', '.join(names[1:])} against {names[0]}",
        f"{what}, with the difference to {names[0]} in brackets.",
    ]
    if comparison.warnings:
        parts += ["**Evaluated differently**", bullets(map(plain, comparison.warnings))]
    parts.append(
        table(
            ["", *(plain(column.name) for column in comparison.columns)], _rows(comparison, names)
        )
    )
    parts.append(
        f"Differences to {names[0]} with 95% intervals: {comparison.samples} paired bootstrap "
        f"samples of the images, seed {comparison.seed}. If an interval does not contain 0, other "
        "images would hardly reverse the difference."
    )
    parts.append(
        table(["", *names[1:]], [[plain(c.name), *_differences(c)] for c in comparison.columns])
    )
    parts += [_classes(names, dataset, columns) for dataset, columns in comparison.classes.items()]
    return "\n\n".join(parts) + "\n"


def write_comparison(folder: Path, comparison: Comparison, folders: Sequence[Path]) -> None:
    """Write compare.md and compare.json into `folder`, which is created if missing; raises OSError
    if that fails."""
    write_file(folder / "compare.md", as_markdown(comparison))
    record = {"units": UNITS, "folders": [str(path) for path in folders], **asdict(comparison)}
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    write_file(folder / "compare.json", text)


def _rows(comparison: Comparison, names: Sequence[str]) -> list[list[str]]:
    return [
        [name, *(_cell(column, place) for column in comparison.columns)]
        for place, name in enumerate(names)
    ]


def _classes(names: Sequence[str], dataset: str, columns: Sequence[ComparedNumber]) -> str:
    rows = [
        [plain(column.name), *map(percent, column.values), *_differences(column)]
        for column in columns
    ]
    parts = [f"## AP per category: {plain(dataset)}"]
    parts.append(table(["", *names, *(f"{name} - {names[0]}" for name in names[1:])], rows))
    if any(NO_INTERVAL in cell for row in rows for cell in row[1:]):
        parts.append(
            f"{NO_INTERVAL}: annotated in fewer than {FEWEST_IMAGES} images, too few for an "
            "interval."
        )
    return "\n\n".join(parts)


def _cell(column: ComparedNumber, place: int) -> str:
    difference = column.differences[place]
    return percent(column.values[place]) + (
        f" ({_signed(difference)})" if place and difference is not None else ""
    )


def _differences(column: ComparedNumber) -> list[str]:
    pairs = zip(column.differences[1:], column.intervals[1:], strict=True)
    return [
        "-" if difference is None else _with_interval(difference, interval)
        for difference, interval in pairs
    ]


def _with_interval(difference: float, interval: Interval | None) -> str:
    return f"{_signed(difference)} " + (
        f"[{_signed(interval[0])}, {_signed(interval[1])}]" if interval else NO_INTERVAL
    )


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}"
