"""The numbers beside AP in words: rows that summary.md and report.html share."""

from swift_plugin_visionr1.text import percent

from ..evaluation import Evaluation
from ..metrics.calibration import Calibration
from ..metrics.counting import Counting


def beside_rows(evaluation: Evaluation) -> dict[str, str]:
    """Name -> value with its unit."""
    scores = evaluation.scores
    rows = {name: percent(value) for name, value in scores.beside.items()}
    if evaluation.counting:
        rows |= _counting(evaluation.counting)
    if scores.calibration:
        rows |= _calibration(scores.calibration)
    return rows


def _counting(found: Counting) -> dict[str, str]:
    unread = {"answers without a number": str(found.unread)} if found.unread else {}
    return {
        "exact count": percent(found.exact),
        "count MAE": f"{found.mae:.2f} objects",
        "count RMSE": f"{found.rmse:.2f} objects",
    } | unread


def _calibration(found: Calibration) -> dict[str, str]:
    if found.ece is None:
        return {"calibration error": f"not defined: {found.undefined}"}
    return {"calibration error": percent(found.ece)} | {
        f"right at scores {one.low:.1f} to {one.high:.1f}": (
            f"{percent(one.right)} of {one.boxes} boxes, mean score {percent(one.score)}"
        )
        for one in found.bins
        if one.boxes
    }
