"""The picture of a group of rollouts: a panel for each completion of one prompt. Needs matplotlib
and Pillow."""

import textwrap
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.images import open_image
from ..reward.equations import RewardBreakdown
from ..reward.rollout_group import RolloutGroup
from ..reward.scorer import Scorer
from .explanation import predictions_of, terms_of
from .picture import draw_legend, draw_panel

SHOWN = 8  # completions of a group
COLUMNS = 4
WIDTH, HEIGHTS, DPI = (
    3.4,
    (1.6, 4.6),
    100,
)  # inches of a panel, pixels per inch: at most 1360 x 1240 pixels in all


def rollout_picture(
    group: RolloutGroup, scorer: Scorer, image: Any, title: str
) -> NDArray[np.uint8]:
    """(height, width, 3) RGB: annotated and predicted boxes, reward parts, and what is wrong with
    the format, as they were scored.

    Args:
        group: the completions; more than `SHOWN` are left out.
        scorer: of the run.
        image: the row's PIL image.
        title: the first line over the picture; the prompt follows.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = group.breakdowns[:SHOWN]
    columns, rows = min(len(shown), COLUMNS), -(-len(shown) // COLUMNS)
    width, height = group.truth.size
    panel = (
        min(max(WIDTH * height / width, HEIGHTS[0]), HEIGHTS[1]) + 0.7
    )  # two lines over it, one under it
    figure = Figure(figsize=(WIDTH * columns, panel * rows + 1.2), dpi=DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    pixels = _shrunk(image)
    grid = figure.subplots(rows, columns, squeeze=False).flat
    criteria, settings = scorer.schedule.criteria(group.stage), scorer.settings
    for axes, breakdown in zip(grid, shown, strict=False):
        predictions = predictions_of(breakdown, group.truth, settings)
        terms = terms_of(predictions, criteria, breakdown, settings)
        draw_panel(axes, group.truth, predictions, group.stage, terms, pixels)
        axes.set_xlabel(_read(breakdown), fontsize=8)
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
    side = 2 * round(WIDTH * DPI)  # matplotlib would resample all of a photograph for each panel
    return np.asarray(open_image(image, side), dtype=np.uint8)


def _read(breakdown: RewardBreakdown) -> str:
    read = f"{breakdown.predicted} read, {breakdown.truths} annotated"
    return "; ".join([read, *breakdown.issues])


def _asked(prompt: str, width: int) -> str:
    plain = (
        " ".join(prompt.replace("<image>", "").split())
        .encode("utf-8", "replace")
        .decode()
        .replace("$", r"\$")
    )
    return textwrap.shorten(plain, 2 * width, placeholder=" ...")
