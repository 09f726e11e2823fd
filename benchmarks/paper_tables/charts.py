"""Draws the learning curves."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from results import Results
from run_list import RunList

WINDOW = 5  # steps that a point is the mean of
FEWEST_STEPS = WINDOW + 1


def draw_curves(results: Results, runs: RunList, out: Path) -> None:
    """F1 of the rollouts over the steps, a panel for each base, a line for each setting."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, len(runs.bases), squeeze=False)[0]
    colours = mpl.colormaps["tab20"].colors
    for panel, base in zip(panels, runs.bases, strict=True):
        for place, setting in enumerate(runs.settings):
            curves = [one["curve"].get("rollout_f1", []) for one in results.of(base, setting.name)]
            curves = [curve for curve in curves if len(curve) >= FEWEST_STEPS]
            if curves:
                steps, values = smoothed(curves)
                colour = colours[place % len(colours)]
                panel.plot(steps, 100 * values, label=setting.name, lw=1.3, color=colour)
        panel.set(title=f"{base} base", xlabel="step", ylabel="F1 of rollouts, %")
        panel.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside right upper", fontsize=7)
    with mpl.rc_context({"svg.hashsalt": "evidence", "svg.fonttype": "none"}):
        figure.savefig(out, metadata={"Date": None})


def smoothed(curves: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """(steps, means over seeds and over `WINDOW` steps) of curves of the same length or longer."""
    length = min(map(len, curves))
    average = np.mean([curve[:length] for curve in curves], axis=0)
    values = np.convolve(average, np.ones(WINDOW) / WINDOW, mode="valid")
    return np.arange(len(values)) + (WINDOW + 1) / 2, values
