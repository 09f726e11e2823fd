"""What the page draws, JSON-ready: of one evaluation, or of several beside one another."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from swift_plugin_visionr1.text import printable

from ..evaluation import Evaluation
from ..metrics.calibration import Calibration
from ..metrics.ranking import RECALLS
from ..versions import versions
from .beside import beside_rows
from .faults import CAUSES, SHOWN, ReportedFault
from .gallery import cards
from .intervals import Uncertainty
from .judged import KINDS
from .measured import bootstrap_words, measured, of_boxes_words
from .phrases import average, by_domain, counts_in_words, decides, headline, spread_in_words
from .pr_curves import Curve, curves
from .report import ReportParts
from .rewards import WORDS

LABELS_SHOWN = 30
FORM = 3  # of these data: a page of another version cannot be laid beside


def page_data(report: ReportParts, pictures_broken: dict[Any, str]) -> dict[str, Any]:
    """The data of one evaluation."""
    shown = cards(report, pictures_broken)
    model = {
        "name": report.title,
        "suite": report.suite,
        "measured": measured(report.evaluations),
        "warnings": _warnings(report),
        "headline": _headline(report),
        "bootstrap": bootstrap_words(report.uncertainty),
        "faults": _faults(report, shown["cards"]),
        "ofBoxes": of_boxes_words(report.evaluations),
        "average": average(report.evaluations),
        "domains": [
            {"name": f"{name} ({count})", "metrics": metrics}
            for name, (count, metrics) in by_domain(report.evaluations).items()
        ],
        "sets": [_set(e, report.uncertainty) for e in report.evaluations],
        "cards": shown["cards"],
        "answers": shown["answers"],
        "versions": versions(),
    }
    return {
        "form": FORM,
        "title": report.title,
        "kinds": KINDS,
        "causes": {key: {"title": c.title, "meaning": c.meaning} for key, c in CAUSES.items()},
        "rewardWords": WORDS,
        "thumbnails": shown["thumbnails"],
        "models": [model],
        "comparison": None,
    }


def visible(value: Any) -> Any:
    """The data with every control character and mark of direction as an escape."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(key)): visible(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [visible(one) for one in value]
    return value


def _warnings(report: ReportParts) -> list[str]:
    several = len(report.evaluations) > 1
    warnings = [
        f"{evaluation.name}: {text}" if several else text
        for evaluation in report.evaluations
        for text in evaluation.converted.warnings
    ]
    if report.left_out:
        names = ", ".join(report.left_out)
        warnings.insert(0, f"Left out, and not part of the average: {names}.")
    return warnings


def _headline(report: ReportParts) -> list[dict[str, Any]]:
    sure, first = report.uncertainty, report.evaluations[0]
    values = average(report.evaluations) or first.scores.metrics
    intervals = sure.average or sure.sets[first.name]
    return [
        {"name": name, "value": values[name], "interval": intervals.get(name)}
        for name in headline(report.evaluations)
    ]


def _faults(report: ReportParts, shown: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    places = {(card["set"], card["place"]): number for number, card in enumerate(shown)}
    return [_fault(fault, places if n < SHOWN else {}) for n, fault in enumerate(report.faults)]


def _fault(fault: ReportedFault, places: dict[tuple[int, int], int]) -> dict[str, Any]:
    return {
        "key": fault.key,
        "count": fault.count,
        "share": fault.count / fault.total if fault.total else 0.0,
        "words": fault.words,
        "advice": CAUSES[fault.key].advice,
        "cards": [places[where] for where in fault.examples if where in places],
    }


def _set(evaluation: Evaluation, sure: Uncertainty) -> dict[str, Any]:
    scores, converted = evaluation.scores, evaluation.converted
    unknown = list(converted.unknown_labels.items())
    return {
        "name": evaluation.name,
        "metrics": scores.metrics,
        "intervals": sure.sets[evaluation.name],
        "beside": beside_rows(evaluation, sure.of_set(evaluation.name)),
        "spread": spread_in_words(scores.spread),
        "decides": decides(evaluation),
        "counts": counts_in_words(evaluation),
        "unknown": unknown[:LABELS_SHOWN],
        "unknownLabels": len(unknown),
        "classes": [
            {"name": c.name, "truths": c.truths, "boxes": c.boxes, "metrics": c.metrics}
            for c in scores.classes
        ],
        "figures": _figures(evaluation),
    }


def _figures(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Line charts with both axes from 0 to 1; the legend says each line's `value`."""
    drawn, calibration = curves(evaluation.scores), evaluation.scores.calibration
    figures = [_precision_over_recall(drawn)] if drawn else []
    if calibration and calibration.ece is not None:
        figures.append(_reliability(calibration))
    return figures


def _precision_over_recall(drawn: Sequence[Curve]) -> dict[str, Any]:
    lines = [
        {
            "name": curve.name,
            "thin": curve.one_class,
            "value": float(curve.precision.mean()),
            "y": np.round(curve.precision, 4).tolist(),
        }
        for curve in drawn
    ]
    chart = {"title": "Precision over recall", "across": "recall", "up": "precision"}
    return {**chart, "value": "area below", "x": RECALLS.tolist(), "lines": lines}


def _reliability(calibration: Calibration) -> dict[str, Any]:
    """Of every bin, so that the lines of several models have the same places."""
    bins = calibration.bins
    right = {"name": "right at IoU .5", "value": calibration.ece, "y": [one.right for one in bins]}
    scores = {"name": "mean score", "thin": True, "value": None, "y": [one.score for one in bins]}
    chart = {"title": "Scores as probabilities", "across": "scores around", "up": "share of boxes"}
    middles = [(one.low + one.high) / 2 for one in bins]
    lines = [right, scores]
    return {**chart, "value": "calibration error", "points": True, "x": middles, "lines": lines}
