"""How COCOeval matched boxes: the one table behind every number that CocoMetric does not give."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data.annotations import Id


@dataclass(frozen=True, eq=False)
class Matches:
    """COCOeval's matching for area "all" and at most 100 boxes per image and category.

    n boxes, T IoU thresholds, I images, K categories. Boxes are in the order in which COCOeval ranks equal scores:
    by image in ascending order of the ids, then by descending score, then as given.

    Attributes:
        image_ids: I image ids, ascending, as COCOeval visits them.
        category_ids: K category ids in COCOeval's order.
        iou_thresholds: (T,) .5:.05:.95.
        image: (n,) index into `image_ids`.
        category: (n,) index into `category_ids`.
        score: (n,) float64.
        matched: (T, n) bool: the box is matched to an annotation.
        ignored: (T, n) bool: the box counts neither as right nor as wrong (matched to a crowd).
        truths: (K, I) number of annotations that count (neither crowd nor ignored).
    """

    image_ids: tuple[Id, ...]
    category_ids: tuple[Id, ...]
    iou_thresholds: NDArray[np.float64]
    image: NDArray[np.int64]
    category: NDArray[np.int64]
    score: NDArray[np.float64]
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truths: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write a compressed .npz that `load` reads back."""
        raise NotImplementedError

    @classmethod
    def load(cls, path: Path) -> "Matches":
        """Read what `save` wrote. Raises InputError where the file is none."""
        raise NotImplementedError
