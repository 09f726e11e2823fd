"""Rows whose difficulty for a model was measured, and what a mix does with them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..data.row_files import read_rows
from ..errors import InputError
from .model_difficulty import DROPPED, VERDICT, asked_of, draw_of

REASONS = {
    "perfect": "rows whose sampled answers are all perfect",
    "zero": "rows whose sampled answers earn nothing",
    "equal": "rows whose sampled answers all earn the same",
}


@dataclass(frozen=True, eq=False)
class MeasuredRows:
    """What `vision-r1 prepare difficulty` said of rows.

    Attributes:
        verdicts: of each row, by its source, image and question.
        keep: share of the rows that teach nothing which stay.
        met: how many rows of this mix have each verdict.
    """

    verdicts: Mapping[str, str] = field(default_factory=dict)
    keep: float = 0.0
    met: Counter[str] = field(default_factory=Counter)

    def refused(self, row: Mapping[str, Any]) -> str | None:
        """Why a row is not used; rows that were not measured are."""
        if not self.verdicts or (verdict := self.verdicts.get(key := _key(row))) is None:
            return None
        self.met[verdict] += 1
        return REASONS[verdict] if verdict in DROPPED and draw_of(key) >= self.keep else None


def read_measured(file: Path | None, keep: float) -> MeasuredRows:
    """The verdicts in a file that `vision-r1 prepare difficulty --keep` wrote; None for no file.

    Raises:
        InputError: it cannot be read, or has no verdicts.
    """
    rows = [] if file is None else [row for _, row in read_rows(file)]
    verdicts = {_key(row): str(row[VERDICT]) for row in rows if VERDICT in row}
    if file is not None and not verdicts:
        raise InputError(
            f"expected rows with {VERDICT!r} in {file}, got none: `vision-r1 prepare difficulty "
            "--keep` writes them"
        )
    return MeasuredRows(verdicts, keep)


def _key(row: Mapping[str, Any]) -> str:
    """The same for a row of this run and of an earlier one, wherever its image lies."""
    return json.dumps([row.get("source"), str(row.get("image_id")), asked_of(row)])
