"""The metrics that a suite names in its YAML file."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..coco.annotations import Annotations
from ..coco.detections import Detections
from .d3 import d3
from .grec import grec
from .humanref import humanref
from .ref_l4 import ref_l4
from .scores import Scores, SuiteScores

NAMED: dict[str, Callable[[Annotations, Detections, Scores], SuiteScores]] = {
    "grec": lambda annotations, detections, scores: grec(annotations, detections),
    "humanref": lambda annotations, detections, scores: humanref(annotations, detections),
    "ref_l4": lambda annotations, detections, scores: ref_l4(annotations, detections),
    "d3": d3,
    "by_sample": lambda annotations, detections, scores: _by_sample(scores),
}


def _by_sample(scores: Scores) -> SuiteScores:
    """Macro F1 by sample, which every evaluation has, as what tables show first."""
    names = {"macroF1@.5": "@.5", "macroF1@.95": "@.95", "macroF1": ""}
    same = {name: f"macro F1{at} by sample" for name, at in names.items()}
    return SuiteScores(
        {name: scores.beside[other] for name, other in same.items()},
        sampled={name: scores.sampled[other] for name, other in same.items()},
    )


def with_named(
    scores: Scores, names: Sequence[str], annotations: Annotations, detections: Detections
) -> Scores:
    """The scores with those of the named metrics, which come first in every table.

    Args:
        names: keys of `NAMED`.
        detections: in the order in which each answer lists them.
    """
    for name in names:
        named = NAMED[name](annotations, detections, scores)
        scores = replace(
            scores,
            metrics={**named.first, **scores.metrics},
            beside={**named.beside, **scores.beside},
            first=(*named.first, *scores.first),
            sampled={**named.sampled, **scores.sampled},
            groups={**named.groups, **scores.groups},
        )
    return scores
