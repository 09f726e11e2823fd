"""The numbers beside AP in words: rows that summary.md and report.html share."""

from swift_plugin_visionr1.text import percent

from ..asking.speed import Speed
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
    if evaluation.speed:
        rows |= _speed(evaluation.speed)
    return rows


def _counting(counting: Counting) -> dict[str, str]:
    unread = {"answers without a number": str(counting.unread)} if counting.unread else {}
    return {
        "exact count": percent(counting.exact),
        "count MAE": f"{counting.mae:.2f} objects",
        "count RMSE": f"{counting.rmse:.2f} objects",
    } | unread


def _calibration(calibration: Calibration) -> dict[str, str]:
    if calibration.ece is None:
        return {"calibration error": f"not defined: {calibration.undefined}"}
    return {"calibration error": percent(calibration.ece)} | {
        f"right at scores {one.low:.1f} to {one.high:.1f}": (
            f"{percent(one.right)} of {one.boxes} boxes, mean score {percent(one.score)}"
        )
        for one in calibration.bins
        if one.boxes
    }


def _speed(speed: Speed) -> dict[str, str]:
    return {
        "boxes per second": f"{speed.boxes_per_second:.2f}",
        "tokens per second": f"{speed.tokens_per_second:.1f}",
        "speed measured on": f"{speed.answers} of {speed.of} answers of the run, which took "
        f"{speed.seconds:.1f} s in the engine after its start",
    }
