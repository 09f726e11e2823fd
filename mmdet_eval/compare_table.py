"""A comparison as text: the paper's table, the intervals of its differences, the categories; and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .compare import Column, Comparison, Interval

UNITS = "fractions in [0, 1], not rounded; intervals are 95% paired bootstrap over images; null: nothing to measure"


def as_markdown(comparison: Comparison) -> str:
    """The tables, in percent, with columns that are aligned in plain text too."""
    names = comparison.names
    what = f"{comparison.metric} in percent" if comparison.metric else "Percent"
    parts = [f"# {', '.join(names[1:])} against {names[0]}", f"{what}, with the difference to {names[0]} in brackets."]
    parts.append(_table(["", *(c.name for c in comparison.columns)], _rows(comparison)))
    parts.append(
        f"Differences to {names[0]} with 95% intervals: {comparison.samples} paired bootstrap samples of the images, "
        f"seed {comparison.seed}. An interval without 0 is a difference that other images would hardly undo."
    )
    parts.append(_table(["", *names[1:]], [_difference_row(column, column.name) for column in comparison.columns]))
    for dataset, columns in comparison.classes.items():
        parts.append(f"## AP per category: {dataset}")
        rows = [[*_class_row(column), *_difference_row(column, "")[1:]] for column in columns]
        parts.append(_table(["", *names, *(f"{name} - {names[0]}" for name in names[1:])], rows))
    return "\n\n".join(parts) + "\n"


def write_comparison(folder: Path, comparison: Comparison, folders: Sequence[Path]) -> None:
    """Write compare.md and compare.json into `folder`, which is made where it is not there; OSError where it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compare.md").write_text(as_markdown(comparison), "utf-8")
    record = {"units": UNITS, "folders": [str(path) for path in folders], **asdict(comparison)}
    (folder / "compare.json").write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", "utf-8")


def _rows(comparison: Comparison) -> list[list[str]]:
    return [
        [name, *(_cell(column, place) for column in comparison.columns)] for place, name in enumerate(comparison.names)
    ]


def _cell(column: Column, place: int) -> str:
    value, difference = column.values[place], column.differences[place]
    if value is None:
        return "-"
    return f"{100 * value:.1f}" + (f" ({_signed(difference)})" if place and difference is not None else "")


def _difference_row(column: Column, name: str) -> list[str]:
    pairs = zip(column.differences[1:], column.intervals[1:], strict=True)
    return [name, *("-" if difference is None else _with_interval(difference, found) for difference, found in pairs)]


def _class_row(column: Column) -> list[str]:
    return [column.name, *("-" if value is None else f"{100 * value:.1f}" for value in column.values)]


def _with_interval(difference: float, found: Interval | None) -> str:
    return _signed(difference) + (f" [{_signed(found[0])}, {_signed(found[1])}]" if found else "")


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * max(widths[0], 3), *(f"{'-' * max(width - 1, 2)}:" for width in widths[1:])]
    lines = [_line(cells[0], widths), "| " + " | ".join(rule) + " |", *(_line(row, widths) for row in cells[1:])]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    rest = (f"{cell:>{max(width, 3)}}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return "| " + " | ".join([f"{row[0]:<{max(widths[0], 3)}}", *rest]) + " |"
