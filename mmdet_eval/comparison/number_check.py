"""Checks that the numbers of an output folder belong together, by computing them again from its
matches: earlier versions wrote no hashes that tie metrics.json to the other files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.errors import InputError

from ..metrics.bootstrap import numbers
from ..metrics.matches import Matches
from ..metrics.ranking import rank
from ..metrics.resampling import Resampler
from ..metrics.scores import ACCURACY

TOLERANCE = 1e-6


def check_numbers(
    folder: Path,
    metrics: Mapping[str, Any],
    aps: Mapping[str, float | None],
    matches: Matches,
    names: Sequence[str],
) -> None:
    """Check that the numbers in metrics.json and per_class.csv follow from matches.npz.

    Args:
        aps: AP by category id.
        names: of the headline numbers, as `headline_at` gives them.

    Raises:
        InputError: they come from different evaluations.
    """
    once = np.ones(len(matches.image_ids), dtype=np.int64)
    values = numbers(Resampler(rank(matches)), once).tolist()
    headline = dict(zip(names, values, strict=False))
    classes = dict(zip(map(str, matches.category_ids), values[len(names) :], strict=True))
    told = headline.keys() if ACCURACY in metrics else headline.keys() - {ACCURACY}
    pairs = [(metrics.get(name), headline[name]) for name in told]
    pairs += [(ap, classes.get(category, np.nan)) for category, ap in aps.items()]
    if aps.keys() != classes.keys() or not all(_same(*pair) for pair in pairs):
        raise InputError(
            f"expected the files of one evaluation in {folder}, got a matches.npz whose numbers "
            "differ from metrics.json and per_class.csv: a run was interrupted, or files were "
            "copied; run the evaluation again"
        )


def _same(told: float | None, value: float) -> bool:
    """`value`: NaN if nothing is annotated."""
    if told is None or np.isnan(value):
        return told is None and bool(np.isnan(value))
    return abs(told - value) <= TOLERANCE
