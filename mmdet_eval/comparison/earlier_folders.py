"""Output folders of earlier versions, without hashes: whether their numbers belong together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.errors import InputError

from ..metrics.bootstrap import numbers
from ..metrics.matches import Matches
from ..metrics.ranking import rank
from ..metrics.resampling import Resampler
from ..metrics.scores import ACCURACY, HEADLINE

TOLERANCE = 1e-6


def check_numbers(
    folder: Path, metrics: Mapping[str, Any], aps: Mapping[str, float | None], matches: Matches
) -> None:
    """See that the numbers of metrics.json and of per_class.csv are those of matches.npz.

    Args:
        aps: AP by category id.

    Raises:
        InputError: they are of different evaluations.
    """
    once = np.ones(len(matches.image_ids), dtype=np.int64)
    values = numbers(Resampler(rank(matches)), once).tolist()
    headline = dict(zip(HEADLINE, values, strict=False))
    classes = dict(zip(map(str, matches.category_ids), values[len(HEADLINE) :], strict=True))
    pairs = [(metrics.get(name), value) for name, value in headline.items() if name != ACCURACY]
    pairs += [(ap, classes.get(category, np.nan)) for category, ap in aps.items()]
    if aps.keys() != classes.keys() or not all(_same(*pair) for pair in pairs):
        raise InputError(
            f"expected the files of one evaluation in {folder}, got a matches.npz with other "
            "numbers than metrics.json and per_class.csv: a run was interrupted, or files were "
            "copied; run the evaluation again"
        )


def _same(told: float | None, value: float) -> bool:
    """`value`: NaN where nothing is annotated."""
    if told is None or np.isnan(value):
        return told is None and bool(np.isnan(value))
    return abs(told - value) <= TOLERANCE
