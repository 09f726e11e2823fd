"""The metrics that a suite names in its YAML file."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..coco.annotations import Annotations
from ..coco.detections import Detections
from .grec import grec
from .scores import Scores, SuiteScores

NAMED: dict[str, Callable[[Annotations, Detections, Scores], SuiteScores]] = {
    "grec": lambda annotations, detections, scores: grec(annotations, detections),
}


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
        )
    return scores
