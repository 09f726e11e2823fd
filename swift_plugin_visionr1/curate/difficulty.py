"""How difficult an image is, from its annotation: the paper's "greater number of object categories
and instances", small objects, and crowding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes
from .sample import Sample

SMALL = 1 / 300  # of the image's area: COCO's 32 x 32 pixels in an image of 640 x 480
TERMS = ("instances", "categories", "small", "crowding")
HARDEST = 1 / 3  # share of a source's rows of one task that are challenging


@dataclass(frozen=True)
class Terms:
    """Each term is 1 at the number given here; their sum is the difficulty. Difficulty for a model,
    by its own answers, is in the file `measured`.

    Attributes:
        instances: boxes of an image.
        categories: different categories of an image.
        small: share of small boxes, below a 300th of the image.
        crowding: share of boxes whose middle lies in another box.
        challenging: the difficulty from which on a row is challenging; None for the most difficult
            third of its source.
        measured: rows of an earlier run with what `vision-r1 prepare difficulty` found; those that
            teach nothing are passed over.
        keep: share of these that stay all the same.
    """

    instances: float = 8.0
    categories: float = 4.0
    small: float = 1.0
    crowding: float = 1.0
    challenging: float | None = None
    measured: str | None = None
    keep: float = 0.0


def difficulties(samples: Sequence[Sample], terms: Terms) -> NDArray[np.float64]:
    """(n, 4) the `TERMS` of each image."""
    counts = np.array([len(sample.boxes_xyxy) for sample in samples])
    table = np.zeros((len(samples), 4))
    table[:, 0] = counts / terms.instances
    table[:, 1] = [len(set(sample.labels)) / terms.categories for sample in samples]
    if not counts.sum():
        return table
    boxes = np.concatenate([sample.boxes_xyxy for sample in samples])
    starts = np.cumsum(counts) - counts
    areas = np.array([sample.size for sample in samples], dtype=np.float64).prod(axis=1)
    for count in np.unique(counts[counts > 0]).tolist():  # images that are computed together
        places = np.flatnonzero(counts == count)
        some = boxes[starts[places][:, None] + np.arange(count)]
        small = (some[..., 2:] - some[..., :2]).prod(axis=2) < SMALL * areas[places][:, None]
        table[places, 2] = small.mean(axis=1) / terms.small
        table[places, 3] = crowding(some) / terms.crowding
    return table


def challenging(scores: NDArray[np.float64], terms: Terms) -> NDArray[np.bool_]:
    """(n,) which of the rows of a source are challenging, by their difficulty (n,)."""
    if terms.challenging is not None:
        return scores >= terms.challenging
    hard = np.zeros(len(scores), dtype=np.bool_)
    hard[np.argsort(-scores, kind="stable")[: round(len(scores) * HARDEST)]] = True
    return hard


def crowding(boxes_xyxy: Boxes) -> NDArray[np.float64]:
    """(m,) of m images with n boxes each, (m, n, 4): the share whose middle lies in another box.

    >>> crowding(np.array([[[0, 0, 10, 10], [1, 1, 8, 8], [20, 20, 30, 30.0]]])).round(2).tolist()
    [0.67]
    """
    x1, y1, x2, y2 = np.moveaxis(boxes_xyxy, -1, 0)[:, :, None]  # each (m, 1, n)
    x, y = np.moveaxis((boxes_xyxy[..., :2] + boxes_xyxy[..., 2:]) / 2, -1, 0)[..., None]
    within = (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)
    others = ~np.eye(boxes_xyxy.shape[1], dtype=np.bool_)
    return np.asarray((within & others).any(axis=2).mean(axis=1))
