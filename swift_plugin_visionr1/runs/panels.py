"""What the figure of a run shows: one panel per question, made of whatever the run logged."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .run_folder import Log, Values

ISSUES_SHOWN = 5
CALLBACK = "--callbacks vision_r1, or --log_completions true for a data set with solutions"
PARTS = {"format": "VisionR1Format", "recall": "VisionR1Recall", "precision": "VisionR1Precision"}
IDLE = {
    "groups without spread": "frac_reward_zero_std",
    "answers cut off": "completions/clipped_ratio",
}
HELD_OUT = ("mAP", "AP50", "AR@100", "F1@.5")
BOXES = {"predicted": "vision_r1/predicted", "annotated": "vision_r1/truths"}


@dataclass(frozen=True, eq=False)
class PlotPanel:
    """One set of axes.

    Attributes:
        title: the question that it answers.
        lines: legend -> (n,) values at the log's steps; "" if the title says it.
        band: lower and upper (n,) values between which is shaded.
        top: the axis goes from 0 to here; None leaves it to the values.
        note: what to say beside the lines.
        steps: (n,) of the values; None for the log's.
    """

    title: str
    lines: Mapping[str, Values]
    band: tuple[Values, Values] | None = None
    top: float | None = None
    note: str = ""
    steps: NDArray[np.int64] | None = None


def panels_of(log: Log, again: Log | None) -> tuple[list[PlotPanel], list[str]]:
    """The panels that can be drawn, and what each of the others would need.

    Args:
        log: of the run.
        again: the run's completions scored again, on their own steps; None without completions.
    """
    values = dict(log.values)
    if "vision_r1/format" not in values and again is not None:
        values |= {
            name: _at(log, again, name) for name in again.values if name.startswith("vision_r1/")
        }
    wanted = [
        (_parts(values), f"reward parts: {CALLBACK}"),
        (_stages(log, again), "reward under each stage's criteria: --log_completions true"),
        (_reward(values), "reward"),
        (_issues(values), f"issue rates: {CALLBACK}"),
        (
            _of(values, "Shares that teach nothing", IDLE, top=1.0),
            "groups without spread, answers cut off",
        ),
        (_of(values, "Boxes per completion", BOXES), f"numbers of boxes: {CALLBACK}"),
        (_lengths(values), "completion lengths"),
        (_of(values, "KL to the reference model", {"": "kl"}), "KL: --beta above 0"),
        (_of(values, "Loss", {"": "loss"}), "loss"),
    ]
    missing = [what for panel, what in wanted if not panel]
    more = [(_thresholds(values), ""), (_held_out(log), "")]
    return [panel for panel, _ in [*wanted, *more] if panel], missing


def _thresholds(values: Mapping[str, Values]) -> PlotPanel | None:
    """Where they move, or go through more than two stages: two are seen in the background."""
    xi0 = values.get("vision_r1/xi0")
    if xi0 is None or len(set(xi0[~np.isnan(xi0)].tolist())) < 3:
        return None
    names = {name: f"vision_r1/{name}" for name in ("xi0", "xi1", "xi2", "achieved")}
    return _of(values, "Thresholds", names, top=1.0)


def _held_out(log: Log) -> PlotPanel | None:
    if log.evaluations is None:
        return None
    values = log.evaluations.values
    lines = {name: values[f"eval_{name}"] for name in HELD_OUT if f"eval_{name}" in values}
    return PlotPanel("Held-out rows", lines, steps=log.evaluations.steps)


def _of(
    values: Mapping[str, Values], title: str, names: Mapping[str, str], top: float | None = None
) -> PlotPanel | None:
    lines = {legend: values[name] for legend, name in names.items() if name in values}
    return PlotPanel(title, lines, top=top) if lines else None


def _parts(values: Mapping[str, Values]) -> PlotPanel | None:
    """From the callback, else from rewards that were listed one by one."""
    names = {
        part: f"vision_r1/{part}" if f"vision_r1/{part}" in values else f"rewards/{listed}/mean"
        for part, listed in PARTS.items()
    }
    return _of(values, "Reward parts", names, top=1.0)


def _stages(log: Log, again: Log | None) -> PlotPanel | None:
    if again is None:
        return None
    lines = {
        f"{stage} criteria": _at(log, again, f"{stage}/total") for stage in ("beginner", "advanced")
    }
    return PlotPanel("Total reward under fixed criteria", lines)


def _at(log: Log, other: Log, name: str) -> Values:
    """Another log's values at this one's steps."""
    known = dict(zip(other.steps.tolist(), other.values[name].tolist(), strict=True))
    return np.array([known.get(step, np.nan) for step in log.steps.tolist()])


def _reward(values: Mapping[str, Values]) -> PlotPanel | None:
    if "reward" not in values:
        return None
    reward, spread = values["reward"], values.get("reward_std")
    band = None if spread is None else (reward - spread, reward + spread)
    return PlotPanel("Reward" + (" ± spread within a group" if band else ""), {"": reward}, band)


def _issues(values: Mapping[str, Values]) -> PlotPanel | None:
    prefix = "vision_r1/issues/"
    # An issue is logged from the first time it is seen; before that its rate was 0.
    rates = {
        name[len(prefix) :]: np.nan_to_num(rate)
        for name, rate in values.items()
        if name.startswith(prefix)
    }
    if not rates:
        clean = "vision_r1/format" in values
        return (
            PlotPanel("Format issues", {}, top=0.1, note="none in any completion")
            if clean
            else None
        )
    order = sorted(rates, key=lambda name: -rates[name].mean())
    shown = {name: rates[name] for name in order[:ISSUES_SHOWN]}
    note = f"and {len(order) - len(shown)} rarer" if len(order) > len(shown) else ""
    top = max(0.1, 1.1 * max(rate.max() for rate in shown.values()))
    return PlotPanel("Format issues: share of completions", shown, top=min(top, 1.0), note=note)


def _lengths(values: Mapping[str, Values]) -> PlotPanel | None:
    if "completions/mean_length" not in values:
        return None
    low, high = values.get("completions/min_length"), values.get("completions/max_length")
    band = None if low is None or high is None else (low, high)
    title = "Completion length in tokens" + (", shortest to longest" if band else "")
    return PlotPanel(title, {"mean": values["completions/mean_length"]}, band)
