"""The picture of an explanation: annotated and predicted boxes on the image, one panel per stage.
Needs matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.ground_truth import GroundTruth
from ..errors import InputError
from ..reward.schedule import Stage
from .explanation import Explanation, Prediction, StageTerms
from .report import number, short

# Okabe and Ito's colours, which the colour-blind tell apart; the line styles say the same again.
STYLES = {
    "annotated": ("#009E73", "-"),
    "valid": ("#0072B2", "--"),
    "matched, below xi0": ("#E69F00", "-."),
    "unmatched": ("#D55E00", ":"),
}
SHORTEST = 3.2  # inches of a panel's shorter side


def write_picture(path: Path, explanation: Explanation, image: Any) -> None:
    """Write a PNG; `image` is a Pillow image in RGB, None for an empty canvas of its size.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import (
            Figure,
        )  # no pyplot: it would choose a backend for the whole process
    except ImportError as error:
        raise InputError(
            f"expected matplotlib for --out: {error}; pip install 'swift-plugin-visionr1[viz]'"
        ) from None
    pixels = None if image is None else np.asarray(image)
    width, height = explanation.view.size
    long, panels = (
        max(8.0, SHORTEST * max(width, height) / min(width, height)),
        len(explanation.stages),
    )
    scale = min(long, 12.0) / max(width, height)
    panel = max(width * scale, SHORTEST), max(height * scale, 2.0)
    figure = Figure(figsize=(panel[0] * panels, panel[1] + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(1, panels, squeeze=False)[0]
    for axes, (stage, terms) in zip(grid, explanation.stages.items(), strict=True):
        draw_panel(axes, explanation.truth, explanation.predictions, stage, terms, pixels)
    draw_legend(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, format="png")


def draw_panel(
    axes: Any,
    truth: GroundTruth,
    predictions: Sequence[Prediction],
    stage: Stage,
    terms: StageTerms,
    pixels: Any,
) -> None:
    """The boxes in the axes' own coordinates, which are pixels of the original image; `pixels` may
    be a smaller one."""
    (width, height), got = truth.size, terms.breakdown
    axes.set(
        xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect="equal", facecolor="#f2f2f2"
    )
    if pixels is not None:
        axes.imshow(pixels, cmap="gray", extent=(0, width, height, 0))
    parts = " + ".join(
        f"{name} {number(getattr(got, name))}" for name in ("format", "recall", "precision")
    )
    axes.set_title(f"{stage} stage: reward {number(got.total)}\n{parts}", fontsize=10)
    for i, (box, label) in enumerate(zip(truth.boxes, truth.labels, strict=True)):
        _box(axes, box, f"{i} {short(label)}", "annotated", above=True)
    for i, (prediction, valid) in enumerate(zip(predictions, terms.valid, strict=True)):
        overlap = "" if prediction.truth is None else f" {prediction.counted:.2f}"
        _box(
            axes,
            prediction.pixels,
            f"{i} {short(prediction.label)}{overlap}",
            kind(prediction, valid),
            above=False,
        )


def kind(prediction: Prediction, valid: bool) -> str:
    """Which of STYLES shows the prediction."""
    if prediction.truth is None:
        return "unmatched"
    return "valid" if valid else "matched, below xi0"


def _box(axes: Any, box: Any, text: str, style: str, above: bool) -> None:
    from matplotlib.patches import Rectangle

    (x1, y1, x2, y2), (colour, line) = np.asarray(box, dtype=float), STYLES[style]
    for edge, width, dashes in (
        ("white", 3.2, "-"),
        (colour, 1.9, line),
    ):  # the white makes it seen on any image
        axes.add_patch(
            Rectangle(
                (x1, y1),
                x2 - x1,
                y2 - y1,
                fill=False,
                edgecolor=edge,
                linewidth=width,
                linestyle=dashes,
            )
        )
    # Of an annotation above its box, of a prediction inside: the two do not cover one another.
    place = {"xytext": (0, 2), "va": "bottom"} if above else {"xytext": (2, -3), "va": "top"}
    plain = text.replace("$", r"\$")  # "$" would start a formula
    box_style = {
        "facecolor": "white",
        "edgecolor": colour,
        "linewidth": 0.7,
        "alpha": 0.8,
        "pad": 1,
    }
    axes.annotate(
        plain,
        (x1, y1),
        textcoords="offset points",
        fontsize=7,
        color="#222222",
        bbox=box_style,
        clip_on=True,
        **place,
    )


def draw_legend(figure: Any) -> None:
    """What the colours and lines mean, at the figure's foot."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, linestyle=line, linewidth=1.9)
        for colour, line in STYLES.values()
    ]
    figure.legend(
        handles,
        list(STYLES),
        loc="outside lower center",
        ncols=len(STYLES),
        fontsize=8,
        frameon=False,
    )
