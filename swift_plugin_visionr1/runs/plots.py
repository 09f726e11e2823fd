"""A run's folder to its figure, with notes on it."""

from pathlib import Path

import numpy as np

from ..reward.moving import Moving
from ..reward.scorer import Scorer
from .figure import draw_run
from .panels import panels_of
from .run_folder import Log, read_log, score_again

DIFFERENT = 1e-3  # of a mean reward: more means other rules, less is rounding


def plot_run(folder: Path, out: Path, scorer: Scorer) -> list[str]:
    """Draw a run; the lines returned say what was drawn and what its logs lack.

    Args:
        folder: the run's output_dir.
        out: PNG to write.
        scorer: with the run's settings, for completions.jsonl.

    Raises:
        InputError: the folder's log has no step, or matplotlib is not installed.
    """
    log = read_log(folder)
    again, failed = None, ""
    try:
        again = score_again(folder, log, scorer)
    except ValueError as error:  # the log itself can be drawn all the same
        failed = f"completions not scored again: {error}"
    panels, missing = panels_of(log, again)
    moves = isinstance(scorer.schedule, Moving)
    switch = None if moves else first_advanced(log, again, scorer.schedule.standards[-1].number)
    title = f"{folder.resolve().name}: step {log.steps[-1]} of {log.max_steps}"
    draw_run(out, title, log, panels, switch)
    lines = [
        f"{title}, {len(log.steps)} logged; "
        + (_moved(log, again) if moves else _stage_words(log, again, switch))
    ]
    if again is not None:
        lines.append(f"completions scored again with {scorer.settings.source}{_doubt(log, again)}")
    if failed:
        lines.append(failed)
    if log.broken:
        lines.append(
            f"{log.broken} line(s) of logging.jsonl left out: cut, as of a run that is still "
            "training or killed"
        )
    return lines + [f"not in the logs: {what}" for what in missing]


def first_advanced(log: Log, again: Log | None, number: float = 2.0) -> int | None:
    """The first logged step of the advanced stage, whose number this is; None without one, or if
    the stages are unknown."""
    source = log if "vision_r1/stage" in log.values or again is None else again
    stages = source.values.get("vision_r1/stage")
    if stages is None:
        return None
    places = np.flatnonzero(stages >= number - 0.5)  # a mean, where not every step is logged
    return int(source.steps[places[0]]) if places.size else None


def _moved(log: Log, again: Log | None) -> str:
    """How far the thresholds came."""
    source = log if "vision_r1/xi0" in log.values or again is None else again
    xi0 = source.values.get("vision_r1/xi0", np.array([]))
    known = xi0[~np.isnan(xi0)]
    if not known.size:
        return "thresholds not known"
    return f"mean xi0 from {known[0]:.2f} to {known[-1]:.2f}"


def _stage_words(log: Log, again: Log | None, switch: int | None) -> str:
    if switch is not None:
        return f"advanced stage from step {switch}"
    known = "vision_r1/stage" in log.values or again is not None
    return "all of it the beginner stage" if known else "stages not known"


def _doubt(log: Log, again: Log) -> str:
    """Whether the settings are the run's: they must reproduce its logged reward."""
    logged = log.values.get("rewards/VisionR1/mean")
    if logged is None:
        return ""
    totals = again.values["vision_r1/total"]
    recomputed = dict(zip(again.steps.tolist(), totals.tolist(), strict=True))
    gaps = [
        abs(recomputed[step] - mean)
        for step, mean in zip(log.steps.tolist(), logged.tolist(), strict=True)
        if step in recomputed
    ]
    if not gaps or np.median(gaps) < DIFFERENT:
        return ""
    return (
        f", whose rewards differ from the logged ones (by {np.median(gaps):.3f}): give the run's "
        "own --config, --model-type and MAX_PIXELS"
    )
