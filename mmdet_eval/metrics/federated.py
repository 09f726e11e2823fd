"""LVIS's rules for sets in which only some categories were looked for in each image.

Of an image the 300 boxes with the best scores count, over all categories; of equal ones the first.
Then a box counts only if its category is annotated in the image or known to be absent
(`neg_category_ids`); a wrong one does not if the category is not annotated exhaustively
(`not_exhaustive_category_ids`). There are no crowds, and only what has an area counts. Source:
lvis-dataset/lvis-api @7d7f07d.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import NEGATIVE, PARTLY, Annotations, Id
from ..coco.columns import Indices, place_of_each
from ..coco.detections import Detections
from .matches import Matches
from .matching import match_boxes
from .shown import cells, is_shown

MOST = 300  # boxes of an image


def match_federated(
    annotations: Annotations, detections: Detections
) -> tuple[Matches, Matches | None]:
    """Match every box by LVIS's rules.

    Returns:
        the matches of the boxes that count, and those of the boxes beyond the limit; None without.
    """
    read = counted(annotations)
    sides = detections.boxes_xywh[:, 2:]
    kept = is_known(read, detections) & (sides[:, 0] * sides[:, 1] > 0)
    within = _first_of_image(detections)[kept]
    matches, beyond = match_boxes(read, detections.take(kept), within=within)
    return without_partly(matches, annotations), beyond and without_partly(beyond, annotations)


def counted(annotations: Annotations) -> Annotations:
    """The annotations that LVIS reads: without those that have no area, and no crowds."""
    records = annotations.data["annotations"]
    kept = [record | {"iscrowd": 0} for record in records if record["area"] > 0]
    return replace(annotations, data=annotations.data | {"annotations": kept})


def is_known(annotations: Annotations, detections: Detections) -> NDArray[np.bool_]:
    """(n,) whether each box's category is annotated in its image, or known to be absent."""
    classes = len(annotations.category_ids)
    absent = listed(annotations, NEGATIVE, annotations.image_ids)
    known = is_shown(detections, annotations.truths, classes)
    return known | np.isin(cells(detections, classes), absent)


def _first_of_image(detections: Detections) -> NDArray[np.bool_]:
    """(n,) whether each box is among the `MOST` of its image by score."""
    order = np.lexsort((-detections.score, detections.image))
    image = detections.image[order]
    within = np.empty(len(order), dtype=bool)
    within[order] = np.arange(len(order)) - np.searchsorted(image, image) < MOST
    return within


def without_partly(matches: Matches, annotations: Annotations) -> Matches:
    """The matches, where wrong boxes of categories that are not annotated exhaustively do not
    count."""
    partly = listed(annotations, PARTLY, matches.image_ids)
    in_file = place_of_each(matches.category_ids, annotations.category_ids)
    at = matches.image * len(in_file) + in_file[matches.category]
    return replace(matches, ignored=matches.ignored | (~matches.matched & np.isin(at, partly)))


def listed(annotations: Annotations, key: str, image_ids: Sequence[Id]) -> Indices:
    """The images and categories that the images list under `key`, as image * K + category.

    Args:
        image_ids: the order in which the images are numbered.
    """
    images = {image: place for place, image in enumerate(image_ids)}
    categories = {category: place for place, category in enumerate(annotations.category_ids)}
    pairs = [
        images[image["id"]] * len(categories) + categories[category]
        for image in annotations.data["images"]
        for category in image.get(key) or ()
        if category in categories
    ]
    return np.array(pairs, np.int64)
