"""The figure of a run: its panels over the steps, with the stages behind them. Needs matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .panels import PlotPanel
from .run_folder import Log, Values

# Okabe and Ito's colours, which the colour-blind tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
STAGE_COLOURS = {"beginner": "#eef2f7", "advanced": "#fbf0dc"}
COLUMNS = 3


def draw_run(
    path: Path, title: str, log: Log, panels: Sequence[PlotPanel], switch: int | None
) -> None:
    """Write a PNG.

    Args:
        path: to write.
        title: of the whole figure.
        log: whose steps are the x axis.
        panels: to draw.
        switch: the first step of the advanced stage; None if all steps are the beginner's or it is
            unknown.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import (
            Figure,
        )  # not pyplot, which would choose a backend for the whole process
    except ImportError as error:
        raise InputError(
            f"expected matplotlib: {error}; pip install 'swift-plugin-visionr1[viz]'"
        ) from None
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(4.4 * COLUMNS, 2.6 * rows + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=12)
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, panel in zip(grid, panels, strict=False):
        _draw(axes, panel, log, switch)
    for axes in grid[len(panels) :]:
        axes.axis("off")
    window = _window(log.steps)
    figure.supxlabel(
        "optimisation step" + (f"; thick: mean of {window}" if window > 1 else ""), fontsize=10
    )
    if switch is not None:
        _stage_legend(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, format="png")


def _draw(axes: Any, panel: PlotPanel, log: Log, switch: int | None) -> None:
    left, right = log.steps[0] - 0.5, log.steps[-1] + 0.5
    axes.set_xlim(left, right)
    if switch is not None:
        axes.axvspan(left, switch - 0.5, color=STAGE_COLOURS["beginner"], linewidth=0)
        axes.axvspan(switch - 0.5, right, color=STAGE_COLOURS["advanced"], linewidth=0)
        axes.axvline(switch - 0.5, color="#666666", linewidth=0.8, linestyle="--")
    if panel.band is not None:
        axes.fill_between(log.steps, *panel.band, color=COLOURS[0], alpha=0.15, linewidth=0)
    for colour, (name, values) in zip(COLOURS, panel.lines.items(), strict=False):
        steps = log.steps if panel.steps is None else panel.steps
        _line(axes, steps, values, name, colour, switch)
    _dress(axes, panel)


def _dress(axes: Any, panel: PlotPanel) -> None:
    """Everything around the lines."""
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if panel.top is not None:
        axes.set_ylim(-0.02 * panel.top, 1.02 * panel.top)
    axes.grid(axis="y", alpha=0.25)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if any(panel.lines):
        axes.legend(fontsize=7.5, frameon=False, ncols=2)
    if panel.note:
        axes.text(
            0.98,
            0.95,
            panel.note,
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=8,
            color="#555555",
        )


def _line(
    axes: Any,
    steps: NDArray[np.int64],
    values: Values,
    name: str,
    colour: str,
    switch: int | None,
) -> None:
    known, window = ~np.isnan(values), _window(steps)
    steps, values = steps[known], values[known]
    if window > 1:
        axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
    # Each stage is averaged by itself: the criteria change at once.
    parts = [steps < switch, steps >= switch] if switch is not None else [steps > 0]
    for part, label in zip(parts, (name, None), strict=False):
        smooth = trailing_mean(values[part], window)
        marker = "o" if len(smooth) == 1 else None
        axes.plot(
            steps[part],
            smooth,
            color=colour,
            linewidth=1.6,
            label=label,
            marker=marker,
            markersize=4,
        )


def _window(steps: NDArray[np.int64]) -> int:
    return max(1, min(25, len(steps) // 12))


def trailing_mean(values: Values, window: int) -> Values:
    """(n,) mean of each value and the up to `window` - 1 before it."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def _stage_legend(figure: Any) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, edgecolor="#bbbbbb", label=f"{name} stage")
        for name, colour in STAGE_COLOURS.items()
    ]
    figure.legend(handles=handles, loc="outside lower right", ncols=2, fontsize=9, frameon=False)
