"""metrics.json: every number and everything that decides it, for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..asking.speed import Speed
from ..evaluation import Evaluation
from ..versions import versions
from .phrases import average, by_domain

UNITS = "fractions in [0, 1], not rounded; null where there is nothing to measure"


def record(
    evaluations: Sequence[Evaluation], suite: str | None, left_out: Sequence[str]
) -> dict[str, Any]:
    """The content, JSON-ready."""
    return {
        "units": UNITS,
        "suite": suite,
        "left_out": list(left_out),
        "metrics": average(evaluations) or evaluations[0].scores.metrics,
        "domains": {name: metrics for name, (_, metrics) in by_domain(evaluations).items()},
        "datasets": {evaluation.name: _dataset(evaluation) for evaluation in evaluations},
        "speed": _speed(evaluations[0].speed),
        "versions": versions(),
    }


def _speed(speed: Speed | None) -> dict[str, float] | None:
    if speed is None:
        return None
    rates = {name: getattr(speed, name) for name in ("boxes_per_second", "tokens_per_second")}
    return asdict(speed) | rates


def _dataset(evaluation: Evaluation) -> dict[str, Any]:
    scores, converted, annotations = evaluation.scores, evaluation.converted, evaluation.annotations
    return {
        "metrics": scores.metrics,
        "beside": scores.beside,
        "spread": asdict(scores.spread),
        "counting": asdict(evaluation.counting) if evaluation.counting else None,
        "calibration": asdict(scores.calibration) if scores.calibration else None,
        "counts": asdict(converted.counts),
        "unknown_labels": converted.unknown_labels,
        "max_dets": scores.max_dets,
        "left_out_by_limit": asdict(scores.left_out),
        "warnings": converted.warnings,
        "protocol": asdict(evaluation.protocol) if evaluation.protocol else None,
        "conditions": evaluation.conditions,
        "annotations": {
            "path": str(annotations.path),
            "sha256": annotations.sha256,
            "repairs": annotations.repairs,
        },
        "engine": scores.engine,
        "checked_by": scores.checked_by,
    }
