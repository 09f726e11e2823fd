"""Whether one setting beats another: a bootstrap over images and seeds at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results import OTHERS, Results, number, unpack_boxes
from run_list import Hypothesis

from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.coco.detections import to_detections
from mmdet_eval.metrics.bootstrap import bootstrap, interval
from mmdet_eval.metrics.matching import match_boxes
from mmdet_eval.metrics.scores import HEADLINE

FEWEST_SEEDS = 2
Samples = dict[tuple[str, str], NDArray[np.float64]]  # (run, set) -> (S, 5) numbers of HEADLINE


@dataclass(frozen=True)
class Verdict:
    """What the runs say about a hypothesis.

    Attributes:
        word: `holds`, `does not hold` or `cannot be told`.
        why: why it cannot be told, where there are too few runs.
        better, worse: the settings that were compared; None where nothing was run.
        difference: of the means over seeds, as a fraction.
        low, high: its 95% interval.
        seeds: how many seeds were compared.
    """

    word: str
    why: str = ""
    better: str | None = None
    worse: str | None = None
    difference: float = 0.0
    low: float = 0.0
    high: float = 0.0
    seeds: int = 0


def sample_images(results: Results, data: Path, sets: Iterable[str], samples: int) -> Samples:
    """Numbers of every run on `samples` draws of the images of each set, the same for all runs."""
    drawn: Samples = {}
    for number_of_set, name in enumerate(sets):
        truth = read_annotations(data / f"{name}.json")
        boxes = [to_detections(truth, unpack_boxes(one["boxes"][name])) for one in results.stored]
        matches = [match_boxes(truth, detections)[0] for detections in boxes]
        values = bootstrap(matches, samples, seed=number_of_set)
        for place, one in enumerate(results.stored):
            drawn[one["run"], name] = values[:, place, : len(HEADLINE)]
    return drawn


def judge(hypothesis: Hypothesis, results: Results, drawn: Samples) -> Verdict:
    """The verdict by one rule: the interval of the difference lies wholly on one side of 0.

    With a margin the claim is "no worse": it holds if the interval lies above minus the margin,
    and fails if it lies below it. Seeds are paired, and drawn with replacement in each sample.
    One seed is never enough for a verdict.
    """
    base, metric, data = hypothesis.base, hypothesis.metric, hypothesis.data
    better = results.best(base, hypothesis.better, metric, data)
    worse = results.best(base, hypothesis.worse, metric, data)
    if better is None or worse is None:
        return Verdict("cannot be told", "not run", better, worse)
    pairs = _pairs(results, base, better, worse)
    if not pairs:
        return Verdict("cannot be told", "no seed in common", better, worse)
    difference = float(
        np.mean([number(a, metric, data) - number(b, metric, data) for a, b in pairs])
    )
    low, high = interval(_sampled(pairs, metric, data, drawn)) or (-1.0, 1.0)
    bar = -hypothesis.margin
    word = "holds" if low > bar else "does not hold" if high < bar else "cannot be told"
    if len(pairs) < FEWEST_SEEDS:
        word = "cannot be told"  # the interval knows nothing of other seeds
    return Verdict(word, "", better, worse, difference, low, high, len(pairs))


def _pairs(results: Results, base: str, better: str, worse: str) -> list[tuple[dict, dict]]:
    """Runs with the same seed; an untrained base, which has one result, goes with every seed."""
    ones, others = results.of(base, better), results.of(base, worse)
    if len(others) == 1 and others[0]["completions"] == 0 and not others[0]["command"]:
        return [(one, others[0]) for one in ones]
    by_seed: Mapping[int, dict] = {one["seed"]: one for one in others}
    return [(one, by_seed[one["seed"]]) for one in ones if one["seed"] in by_seed]


def _sampled(
    pairs: list[tuple[dict, dict]], metric: str, data: str, drawn: Samples
) -> NDArray[np.float64]:
    """(S,) differences, each on other images and with other seeds."""
    column = HEADLINE.index(metric)
    names = list(pairs[0][0]["sets"])[1:] if data == OTHERS else [data]
    differences = np.array(
        [
            np.mean([drawn[a["run"], name] - drawn[b["run"], name] for name in names], axis=0)[
                :, column
            ]
            for a, b in pairs
        ]
    )  # (seeds, S)
    count, samples = differences.shape
    chosen = np.random.default_rng(0).integers(count, size=(count, samples))
    return np.take_along_axis(differences, chosen, axis=0).mean(axis=0)
