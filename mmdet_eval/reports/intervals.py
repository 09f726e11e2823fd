"""95% intervals of the headline numbers, by bootstrap over the images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation import Evaluation
from ..metrics.bootstrap import bootstrap, interval
from ..metrics.scores import Metrics, headline_at

LEVEL = 0.95
SEED = 0
MOST, LEAST = 1000, 100  # samples
# Points of the ranking that are visited in all samples together: a second or two.
WORK = 4_000_000
Interval = tuple[float, float]
Intervals = dict[str, Interval | None]  # metric -> its interval; None if it cannot be measured


@dataclass(frozen=True)
class Uncertainty:
    """How much the headline numbers would vary on other images of the same kind.

    Attributes:
        samples: number of bootstrap samples; the images of each data set are drawn separately.
        sets: data set -> intervals.
        average: of the mean over data sets; None for a single one.
    """

    samples: int
    sets: dict[str, Intervals]
    average: Intervals | None


def samples_for(boxes: int) -> int:
    """Fewer samples for more boxes: a page should not take longer than its evaluation."""
    return int(np.clip(WORK // max(boxes, 1), LEAST, MOST))


def measure_uncertainty(evaluations: Sequence[Evaluation]) -> Uncertainty:
    """The intervals of all data sets, and of their average."""
    samples = samples_for(sum(len(e.scores.matches.image) for e in evaluations))
    drawn = {}
    for place, evaluation in enumerate(evaluations):
        names = headline_at(evaluation.scores.max_dets)
        table = bootstrap([evaluation.scores.matches], samples, SEED + place)[:, 0, : len(names)]
        drawn[evaluation.name] = dict(zip(names, table.T, strict=True))
    sets = {e.name: _intervals(drawn[e.name], e.scores.metrics) for e in evaluations}
    if len(evaluations) == 1:
        return Uncertainty(samples, sets, None)
    shared = [
        name for name in sets[evaluations[0].name] if all(name in one for one in sets.values())
    ]
    means = {name: np.mean([of_set[name] for of_set in drawn.values()], axis=0) for name in shared}
    measured: Metrics = {
        name: None if any(e.scores.metrics[name] is None for e in evaluations) else 0.0
        for name in shared
    }
    return Uncertainty(samples, sets, _intervals(means, measured))


def _intervals(drawn: dict[str, np.ndarray], metrics: Metrics) -> Intervals:
    """`metrics` says which of the names were measured."""
    return {
        name: interval(values, LEVEL) if metrics[name] is not None else None
        for name, values in drawn.items()
        if name in metrics
    }
