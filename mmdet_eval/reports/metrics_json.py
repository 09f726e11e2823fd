"""metrics.json: every number and everything that decides it, for programs."""

from dataclasses import asdict
from typing import Any

from ..asking.speed import Speed
from ..evaluation import Evaluation
from ..versions import versions
from .intervals import LEVEL, SEED, Intervals
from .phrases import average, by_domain
from .report import ReportParts

UNITS = "fractions in [0, 1], not rounded; null where there is nothing to measure"


def record(report: ReportParts) -> dict[str, Any]:
    """The content, JSON-ready."""
    evaluations, sure = report.evaluations, report.uncertainty
    headline = sure.average or sure.sets[evaluations[0].name]
    return {
        "units": UNITS,
        "suite": report.suite,
        "left_out": list(report.left_out),
        "metrics": average(evaluations) or evaluations[0].scores.metrics,
        "domains": {name: metrics for name, (_, metrics) in by_domain(evaluations).items()},
        "intervals": _intervals(headline, sure.samples),
        "datasets": {
            one.name: _dataset(one)
            | {
                "intervals": _intervals(sure.sets[one.name], sure.samples)
                | {"beside": sure.beside[one.name]}
            }
            for one in evaluations
        },
        "speed": _speed(evaluations[0].speed),
        "versions": versions(),
    }


def _intervals(intervals: Intervals, samples: int) -> dict[str, Any]:
    return {"level": LEVEL, "bootstrap_samples": samples, "seed": SEED, "metrics": intervals}


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
