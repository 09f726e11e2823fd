"""The data sets of a recipe: read here if they are local files in a known form, else through
ms-swift."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..data.dataset_files import require_dataset
from ..data.images import image_size
from ..data.message_faults import why_unreadable
from ..data.published import RowForm, form_of
from ..data.row_census import other_rewards
from ..data.row_files import read_file
from ..errors import InputError, SettingsError, SolutionError
from ..progress import show_progress
from ..recipes.training_command import Recipe
from ..text import clipped, listed, share
from .checks.duplicates import overlap_findings
from .findings import Finding, note, ok, problem
from .rows import NO_BOXES, DoctorRow, read_row, read_taught_row

LOCAL = (".jsonl", ".json")


def read_data(recipe: Recipe) -> tuple[list[DoctorRow], list[Finding]]:
    """The rows of all data sets of a recipe, with what is wrong about the files."""
    names = [*recipe.all("dataset"), *recipe.all("val_dataset")]
    if not names:
        return [], [problem("no_data", "no data: add --dataset FILE.jsonl")]
    read: dict[str, list[DoctorRow]] = {"dataset": [], "val_dataset": []}
    findings: list[Finding] = []
    called = Counter(_path(name).name for name in dict.fromkeys(names))
    for option, rows in read.items():
        for name in recipe.all(option):
            path = _path(name)
            short = path.name if called[path.name] == 1 else str(path)
            more, said = _read_one(name, path, short, recipe)
            rows += more
            findings += said
    findings += overlap_findings(read["dataset"], read["val_dataset"])
    return [*read["dataset"], *read["val_dataset"]], findings


def _path(name: str) -> Path:
    """Without ms-swift's `#100`, which takes 100 of the rows."""
    return (
        Path(name.rpartition("#")[0] or name) if name.rpartition("#")[2].isdigit() else Path(name)
    )


def _read_one(
    name: str, path: Path, short: str, recipe: Recipe
) -> tuple[list[DoctorRow], list[Finding]]:
    if not path.exists():
        return [], [_not_here(name, path)]
    if not recipe.all("custom_dataset_info"):  # which may read any columns
        try:
            require_dataset(path, renamed_columns(recipe).values())
        except InputError as error:
            return [], [problem("data_form", f"data: {error}")]
    if path.is_file() and path.suffix in LOCAL and not recipe.one("columns"):
        return _read_file(path, short, recipe)
    from .swift_data import load_as_swift

    return load_as_swift(name, recipe, renamed_columns(recipe))


def _not_here(name: str, path: Path) -> Finding:
    if path.suffix in (*LOCAL, ".parquet", ".csv") or path.is_absolute():
        relative = "" if path.is_absolute() else "; paths are relative to where swift is started"
        if "," in name:
            relative += "; several files are separated by spaces, not by commas"
        return problem("missing_data", f"data: no file {path}{relative}")
    text = f"data: no file or folder {name} here, so it was not checked; nothing is downloaded"
    return note(
        "data_elsewhere",
        f"{text}: is it a data set on a hub? Download it and name its file or folder",
    )


def _read_file(path: Path, short: str, recipe: Recipe) -> tuple[list[DoctorRow], list[Finding]]:
    try:
        lines = list(read_file(path))
    except InputError as error:
        return [], [problem("data", f"data: {error}")]
    if not lines:
        return [], [problem("empty_data", f"data: {path} has no rows")]
    first = next((line for _, line in lines if not isinstance(line, str)), {})
    rewarded, mixed = recipe.is_grpo, bool(other_rewards(recipe.all("reward_funcs")))
    form = form_of(first) if rewarded else None
    read = partial(_row, form=form, mixed=mixed) if rewarded else _taught_row
    shown = show_progress(lines, len(lines), sys.stderr, "read", f"rows of {short}")
    rows = [read(line, f"row {number} of {short}") for number, line in shown]
    return rows, [
        ok(
            "data",
            f"data: {len(rows)} rows in {path}" + (f", in the form {form.name}" if form else ""),
        )
    ]


def _row(line: Mapping[str, Any] | str, place: str, form: RowForm | None, mixed: bool) -> DoctorRow:
    if isinstance(line, str):
        return _unread(line, place)
    if form is None:
        return _asked(read_row(line, place, mixed), line)
    try:
        return _asked(read_row(form.rewrite(line, image_size), place), line)
    except (SolutionError, OSError) as error:
        return replace(read_row(line, place), truth=None, error=str(error))


def _asked(row: DoctorRow, line: Mapping[str, Any]) -> DoctorRow:
    """The row; with an error if it asks nothing, since ms-swift would leave it out."""
    if row.error or row.prompt.strip():
        return row
    why = why_unreadable(line) or "none of its messages asks anything"
    return replace(row, truth=None, error=f"ms-swift would leave it out: {why}")


def _taught_row(line: Mapping[str, Any] | str, place: str) -> DoctorRow:
    return _unread(line, place) if isinstance(line, str) else read_taught_row(line, place)


def _unread(error: str, place: str) -> DoctorRow:
    return DoctorRow(place, (), "", "", None, None, NO_BOXES, (), None, error)


def renamed_columns(recipe: Recipe) -> dict[str, str]:
    """The columns that the run renames: their own names -> the new ones.

    Raises:
        SettingsError: --columns is not a JSON object.
    """
    text = recipe.one("columns")
    try:
        return {str(name): str(to) for name, to in dict(json.loads(text or "{}")).items()}
    except (ValueError, TypeError):
        raise SettingsError(f"expected --columns to be a JSON object, got {text!r}") from None


def row_findings(rows: list[DoctorRow], rewarded: bool) -> list[Finding]:
    """Rows that training with rewards would refuse, and rows that have nothing to find."""
    if not rewarded:
        return _refused(rows)
    return [*_without_solution(rows), *_refused(rows), *_annotated(rows)]


def _without_solution(rows: list[DoctorRow]) -> list[Finding]:
    bare = [row for row in rows if row.truth is None and not row.error]
    if not bare:
        return []
    text = (
        f"{share(len(bare), len(rows))} rows have no column solution, the first is {bare[0].place}"
    )
    return [problem("columns", f"{text}: `vision-r1 prepare` makes rows from COCO annotations")]


def _refused(rows: list[DoctorRow]) -> list[Finding]:
    bad = [row for row in rows if row.error]
    if not bad:
        return []
    text = (
        f"{share(len(bad), len(rows))} rows would be refused: {bad[0].place}: "
        f"{clipped(bad[0].error or '', 300)}"
    )
    more = listed(row.place for row in bad[1:])
    return [problem("rows", text + (f"; also {more}" if more else ""))]


def _annotated(rows: list[DoctorRow]) -> list[Finding]:
    truths = [row.truth for row in rows if row.truth]
    if not truths:
        return []
    counts = [len(truth.boxes) for truth in truths]
    text = (
        f"annotations: {sum(counts)} boxes in {len(truths)} rows, {counts.count(0)} rows with "
        "nothing to find"
    )
    cut = sum(truth.clipped for truth in truths)
    text += f", {cut} boxes clipped at their image's border" if cut else ""
    if any(counts):
        return [ok("truth", text)]
    return [problem("no_boxes", f"{text}: the model would learn to find none")]
