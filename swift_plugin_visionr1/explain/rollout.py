"""The picture of a group of rollouts: a panel for each completion of one prompt. Needs matplotlib
and Pillow."""

import textwrap
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..reward.rollout_group import Group
from ..reward.scorer import Scorer
from .explanation import Explanation, explain
from .picture import draw_legend, draw_panel

SHOWN = 8  # completions of a group
COLUMNS = 4
WIDTH, HEIGHTS, DPI = (
    3.4,
    (1.6, 4.6),
    100,
)  # inches of a panel, pixels per inch: at most 1360 x 1240 pixels in all


def rollout_picture(group: Group, scorer: Scorer, image: Any, title: str) -> NDArray[np.uint8]:
    """(height, width, 3) RGB: annotated and predicted boxes, reward parts, and what is wrong with
    the format.

    Args:
        group: the completions; more than `SHOWN` are left out.
        scorer: of the run.
        image: the row's PIL image.
        title: the first line over the picture; the prompt follows.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = group.texts[:SHOWN]
    columns, rows = min(len(shown), COLUMNS), -(-len(shown) // COLUMNS)
    width, height = group.truth.size
    panel = (
        min(max(WIDTH * height / width, HEIGHTS[0]), HEIGHTS[1]) + 0.7
    )  # two lines over it, one under it
    figure = Figure(figsize=(WIDTH * columns, panel * rows + 1.2), dpi=DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    pixels = _shrunk(image)
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes, text in zip(grid, shown, strict=False):
        explanation = explain(text, group.truth, scorer, [group.stage])
        draw_panel(axes, explanation, group.stage, explanation.stages[group.stage], pixels)
        axes.set_xlabel(_read(explanation), fontsize=8)
    for axes in grid:
        axes.set_axis_off()
    left = (
        f", {len(shown)} of {len(group.texts)} completions" if len(shown) < len(group.texts) else ""
    )
    figure.suptitle(f"{title}{left}\n{_asked(group.prompt, 28 * columns)}", fontsize=9)
    draw_legend(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters that the font lacks
        canvas.draw()
    drawn: NDArray[np.uint8] = np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]
    return drawn


def _shrunk(image: Any) -> NDArray[np.uint8]:
    image = image.convert("RGB")
    side = round(WIDTH * DPI)
    image.thumbnail(
        (2 * side, 2 * side)
    )  # in place; matplotlib would resample all of a photograph for each panel
    return np.asarray(image, dtype=np.uint8)


def _read(explanation: Explanation) -> str:
    read = f"{len(explanation.predictions)} read, {len(explanation.truth.boxes)} annotated"
    return "; ".join([read, *explanation.breakdown.issues])


def _asked(prompt: str, width: int) -> str:
    plain = (
        " ".join(prompt.replace("<image>", "").split())
        .encode("utf-8", "replace")
        .decode()
        .replace("$", r"\$")
    )
    return textwrap.shorten(plain, 2 * width, placeholder=" ...")
