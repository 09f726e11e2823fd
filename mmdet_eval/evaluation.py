"""One data set evaluated: everything that a report shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .answers.coco_results import Converted
from .data.annotations import Annotations
from .data.protocols import Protocol
from .metrics.scores import Scores


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One data set evaluated.

    Attributes:
        name: of the data set.
        annotations: what was evaluated against.
        images: folder of the image files; None where it is not known.
        protocol: how the model was asked; None where it is not known.
        converted: COCO results, the answers they were read from (none where boxes were given), counts, warnings.
        scores: the numbers.
        conditions: what else decides the numbers, JSON-ready: format, frame, confidence, policies, arguments.
    """

    name: str
    annotations: Annotations
    images: Path | None
    protocol: Protocol | None
    converted: Converted
    scores: Scores
    conditions: dict[str, Any]
