"""Precision over recall, from COCOeval's table."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.explain.fonts import for_matplotlib

from ..coco.annotations import Id
from ..evaluation import Evaluation
from ..metrics.ranking import RECALLS
from ..metrics.scores import Scores

CLASSES_SHOWN = 10  # more curves cannot be told apart


@dataclass(frozen=True, eq=False)
class Curve:
    """Interpolated precision, (101,) in [0, 1], at the recalls 0, .01, ..., 1; `one_class` or the
    mean of all."""

    name: str
    precision: NDArray[np.float64]
    one_class: bool = False


def curves(scores: Scores) -> list[Curve]:
    """The mean of all classes at IoU .5, .75 and over .5:.95, then each class at IoU .5 if they are
    few."""
    if not scores.precision.size:
        return []
    thresholds = np.asarray(scores.matches.iou_thresholds)
    measured = scores.precision[0, 0] > -1  # (K,): categories with annotations
    if not measured.any():
        return []
    mean = scores.precision[:, :, measured].mean(axis=2)  # (T, R)
    places = {level: int(np.abs(thresholds - level).argmin()) for level in (0.5, 0.75)}
    drawn = [Curve("IoU .5", mean[places[0.5]]), Curve("IoU .75", mean[places[0.75]])]
    drawn.append(Curve("mean over IoU .5:.95", mean.mean(axis=0)))
    if 1 < measured.sum() <= CLASSES_SHOWN:
        drawn += _of_classes(scores, np.flatnonzero(measured), places[0.5])
    return drawn


def _of_classes(scores: Scores, columns: Iterable[int], place: int) -> list[Curve]:
    names: dict[Id, str] = {c.category: c.name for c in scores.classes}
    ids = scores.matches.category_ids
    return [
        Curve(f"{names[ids[k]]}, IoU .5", scores.precision[place, :, k], one_class=True)
        for k in columns
    ]


def write_curves(path: Path, evaluation: Evaluation) -> None:
    """Write the curves as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import (
        Figure,
    )  # not pyplot, which would choose a backend for the whole process

    figure = Figure(figsize=(7, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    drawn = curves(evaluation.scores)
    (title, *names), families = for_matplotlib([evaluation.name, *(curve.name for curve in drawn)])
    for curve, name in zip(drawn, names, strict=True):
        width = 1.0 if curve.one_class else 2.2
        label = f"{name}  {100 * curve.precision.mean():.1f}"
        axes.plot(RECALLS, curve.precision, linewidth=width, label=label.lstrip("_"))
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title(title, fontfamily=families)
    axes.grid(alpha=0.25)
    if axes.lines:
        axes.legend(
            prop={"family": families, "size": 8},
            frameon=False,
            loc="center left",
            bbox_to_anchor=(1, 0.5),
        )
    # `savefig` would draw everything twice.
    FigureCanvasAgg(figure).print_png(path)
