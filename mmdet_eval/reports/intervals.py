"""95% intervals of the numbers, by bootstrap over the images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..coco.columns import rank_of_each
from ..evaluation import Evaluation
from ..metrics.bootstrap import draw, interval, measure_samples
from ..metrics.scores import HEADLINE, headline_at

LEVEL = 0.95
SEED = 0
MOST, LEAST = 1000, 100  # samples
# Points of the ranking that are visited in all samples together: a second or two.
WORK = 4_000_000
Floats = NDArray[np.float64]
Interval = tuple[float, float]
Intervals = dict[str, Interval | None]  # metric -> its interval; None if it cannot be measured


@dataclass(frozen=True)
class Uncertainty:
    """How much the numbers would vary on other images of the same kind.

    Attributes:
        samples: number of bootstrap samples; the images of each data set are drawn separately.
        sets: data set -> intervals of the metrics that tables show.
        beside: data set -> intervals of numbers beside them.
        average: of the mean over data sets; None for a single one.
    """

    samples: int
    sets: dict[str, Intervals]
    beside: dict[str, Intervals]
    average: Intervals | None

    def of_set(self, name: str) -> Intervals:
        """All intervals of a data set."""
        return self.sets[name] | self.beside[name]


def samples_for(boxes: int) -> int:
    """Fewer samples for more boxes: a page should not take longer than its evaluation."""
    return int(np.clip(WORK // max(boxes, 1), LEAST, MOST))


def measure_uncertainty(evaluations: Sequence[Evaluation]) -> Uncertainty:
    """The intervals of all data sets, and of their average."""
    samples = samples_for(sum(len(e.scores.matches.image) for e in evaluations))
    drawn = {
        evaluation.name: _drawn(evaluation, samples, SEED + place)
        for place, evaluation in enumerate(evaluations)
    }
    shown = {
        e.name: {name: values for name, values in drawn[e.name].items() if name in e.scores.metrics}
        for e in evaluations
    }
    sets = {e.name: _intervals(shown[e.name], e) for e in evaluations}
    beside = {
        e.name: _intervals({n: v for n, v in drawn[e.name].items() if n not in shown[e.name]}, e)
        for e in evaluations
    }
    average = _of_average(shown, sets) if len(evaluations) > 1 else None
    return Uncertainty(samples, sets, beside, average)


def _drawn(evaluation: Evaluation, samples: int, seed: int) -> dict[str, Floats]:
    """(S,) values of each number on the samples."""
    scores, image_ids = evaluation.scores, evaluation.annotations.image_ids
    weights = draw(len(image_ids), samples, seed)  # by ascending id
    in_file = weights[:, rank_of_each(image_ids)].astype(np.float64)
    drawn = {name: value(in_file) for name, value in scores.sampled.items()}
    names = headline_at(scores.max_dets)
    if not any(name in scores.metrics for name in names):
        return drawn
    table = measure_samples([scores.matches], weights)[:, 0]
    aps = table[:, len(HEADLINE) :]
    groups = {name: _means(aps[:, chosen]) for name, chosen in scores.groups.items()}
    return dict(zip(names, table.T, strict=False)) | groups | drawn


def _means(aps: Floats) -> Floats:
    """(S,) means of (S, k) values that are known; NaN where none is."""
    known = ~np.isnan(aps)
    count = known.sum(axis=1)
    nothing = np.full(len(aps), np.nan)
    means: Floats = np.divide(
        np.where(known, aps, 0).sum(axis=1), count, out=nothing, where=count > 0
    )
    return means


def _intervals(drawn: dict[str, Floats], evaluation: Evaluation) -> Intervals:
    known = evaluation.numbers()
    return {
        name: interval(values, LEVEL) if known[name] is not None else None
        for name, values in drawn.items()
        if name in known
    }


def _of_average(shown: dict[str, dict[str, Floats]], sets: dict[str, Intervals]) -> Intervals:
    """Of the numbers that every set has; none where a set has nothing to measure."""
    first, *others = shown.values()
    shared = [name for name in first if all(name in one for one in others)]
    return {
        name: interval(np.mean([of_set[name] for of_set in shown.values()], axis=0), LEVEL)
        if all(of_set[name] is not None for of_set in sets.values())
        else None
        for name in shared
    }
