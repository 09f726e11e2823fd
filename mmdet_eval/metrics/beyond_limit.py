"""The boxes that COCO's limit of 100 per image and category leaves out of AP and AR.

COCOeval matches boxes one by one in order of score, so boxes beyond the limit are matched to the
annotations that the first 100 leave over. Precision, recall and F1 count them.
"""

import importlib.util
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import Annotations, Id
from ..coco.detections import Detections
from .engines import (
    MAX_DETS,
    Entry,
    hotcoco_ids,
    hotcoco_table,
    hotcoco_truth,
    pycocotools_evaluator,
)
from .matches import Matches, build_matches, sorted_ids

LIMIT = MAX_DETS[-1]


def beyond_limit(annotations: Annotations, found: Detections) -> Matches | None:
    """How the boxes beyond the limit are matched; None if there are no such boxes."""
    images = len(annotations.images)
    cell = found.category * images + found.image
    counts = np.bincount(cell, minlength=images * len(annotations.categories))
    chosen = (counts > LIMIT)[cell]
    if not chosen.any():
        return None
    crowded = Detections(
        found.image[chosen], found.category[chosen], found.boxes[chosen], found.score[chosen]
    )
    by_engine = _by_hotcoco if importlib.util.find_spec("hotcoco") else _by_pycocotools
    entries = by_engine(annotations, crowded, int(counts.max()))
    image_ids, category_ids = sorted_ids(annotations)
    columns, rows = ({key: n for n, key in enumerate(ids)} for ids in (image_ids, category_ids))
    table: list[Entry | None] = [None] * (images * len(category_ids))
    for image, category, entry in entries:
        if len(entry["dtScores"]) > LIMIT:
            table[rows[category] * images + columns[image]] = _behind(entry)
    return build_matches(annotations, table)


def _behind(entry: Entry) -> Entry:
    """The boxes of an entry beyond the limit."""
    tables: Mapping[str, NDArray[Any]] = {
        name: np.asarray(entry[name])[:, LIMIT:] for name in ("dtMatches", "dtIgnore")
    }
    return {"dtScores": entry["dtScores"][LIMIT:], **tables}


def _by_hotcoco(
    annotations: Annotations, found: Detections, most: int
) -> Iterable[tuple[Id, Id, Entry]]:
    import hotcoco

    truth = hotcoco_truth(hotcoco.COCO, annotations)
    table = hotcoco_table(annotations, found)
    evaluator: Any = hotcoco.COCOeval(truth, truth.load_res(table), "bbox")
    images, categories = ({n: key for key, n in ids.items()} for ids in hotcoco_ids(annotations))
    ids = table.astype(np.int64)
    _evaluate(evaluator, ids[:, 0], ids[:, 6], most)
    for entry in evaluator.eval_imgs:
        if entry is not None:
            yield images[entry["image_id"]], categories[entry["category_id"]], entry


def _by_pycocotools(
    annotations: Annotations, found: Detections, most: int
) -> Iterable[tuple[Id, Id, Entry]]:
    images = np.array([image.id for image in annotations.images])
    categories = np.array(list(annotations.categories))
    with redirect_stdout(StringIO()):
        evaluator = pycocotools_evaluator(annotations, found)
        _evaluate(evaluator, images[found.image], categories[found.category], most)
    for entry in evaluator.evalImgs:
        if entry is not None:
            yield entry["image_id"], entry["category_id"], entry


def _evaluate(evaluator: Any, images: NDArray[Any], categories: NDArray[Any], most: int) -> None:
    """Match up to `most` boxes per image and category, for the given ones only, with area "all"."""
    parameters = evaluator.params
    parameters.areaRng, parameters.areaRngLbl = parameters.areaRng[:1], parameters.areaRngLbl[:1]
    parameters.maxDets = [most]
    parameters.imgIds = np.unique(images).tolist()
    parameters.catIds = np.unique(categories).tolist()
    evaluator.evaluate()
