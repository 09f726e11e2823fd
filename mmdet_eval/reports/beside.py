"""The numbers beside AP in words: rows that summary.md and report.html share."""

from swift_plugin_visionr1.text import percent

from ..asking.speed import Speed
from ..evaluation import Evaluation
from ..metrics.calibration import Calibration
from ..metrics.counting import MAE, RMSE, Counting
from ..metrics.scores import EXACT_COUNT
from .intervals import Interval, Intervals


def beside_rows(evaluation: Evaluation, intervals: Intervals) -> dict[str, str]:
    """Name -> value with its unit, and its interval if it has one."""
    scores = evaluation.scores
    rows = {name: percent(value) for name, value in scores.beside.items()}
    if evaluation.counting:
        rows |= _counting(evaluation.counting)
    for name, ends in intervals.items():
        if name in rows and ends:
            rows[name] += _in_brackets(ends, of_objects=name in (MAE, RMSE))
    if scores.calibration:
        rows |= _calibration(scores.calibration)
    if evaluation.speed:
        rows |= _speed(evaluation.speed)
    return rows


def _in_brackets(ends: Interval, of_objects: bool) -> str:
    low, high = (f"{end:.2f}" if of_objects else percent(end) for end in ends)
    return f" [{low}, {high}]"


def _counting(counting: Counting) -> dict[str, str]:
    unread = {"answers without a number": str(counting.unread)} if counting.unread else {}
    return {
        EXACT_COUNT: percent(counting.exact),
        MAE: f"{counting.mae:.2f} objects",
        RMSE: f"{counting.rmse:.2f} objects",
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
