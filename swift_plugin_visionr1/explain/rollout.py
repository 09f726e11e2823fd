"""The picture of a group of rollouts: a panel for each completion of one prompt. Needs Pillow."""

import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.images import open_image
from ..reward.equations import RewardBreakdown
from ..reward.rollout_group import RolloutGroup
from ..reward.scorer import Scorer
from .explanation import predictions_of, terms_of
from .picture import stage_panel
from .sheet import make_sheet

SHOWN = 8  # completions of a group
COLUMNS = 4
LARGEST = (328, 460)  # pixels of a panel's image: at most 1372 x 1100 pixels in all


def rollout_picture(
    group: RolloutGroup, scorer: Scorer, image: Any, title: str
) -> NDArray[np.uint8]:
    """(height, width, 3) RGB: annotated and predicted boxes, reward parts, and what is wrong with
    the format, as they were scored.

    Args:
        group: the completions; more than `SHOWN` are left out.
        scorer: of the run.
        image: the row's image.
        title: the first line over the picture; the prompt follows.
    """
    shown = group.breakdowns[:SHOWN]
    pixels = open_image(image, 2 * max(LARGEST))
    settings = scorer.settings
    panels = []
    for breakdown in shown:
        predictions = predictions_of(breakdown, group.truth, settings)
        terms = terms_of(predictions, group.standard, breakdown, settings)
        below = textwrap.wrap(_read(breakdown), 46)[:2]
        panels.append(
            stage_panel(
                pixels, LARGEST, group.truth, predictions, group.standard.title, terms, below
            )
        )
    left = (
        f", {len(shown)} of {len(group.texts)} completions" if len(shown) < len(group.texts) else ""
    )
    asked = " ".join(group.prompt.replace("<image>", "").split())
    sheet = make_sheet(panels, COLUMNS, (f"{title}{left}", asked[:400]), legend=True)
    return np.asarray(sheet, dtype=np.uint8)


def _read(breakdown: RewardBreakdown) -> str:
    read = f"{breakdown.predicted} read, {breakdown.truths} annotated"
    return "; ".join([read, *breakdown.issues])
