"""D³: AP of all descriptions (FULL), of those of presence (PRES) and absence (ABS), by length.

Absence is not scored apart: a description holds for some boxes of an image or for none, and a box
where it does not hold is wrong. Source: shikras/d-cube @fa0ccd6, eval_and_analysis_json.py. The
published annotations are numbered from 0, and pycocotools takes a match with number 0 for none;
here they are numbered from 1.
"""

from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from ..coco.annotations import Annotations
from ..coco.detections import Detections
from .engines import pycocotools_evaluator
from .ranking import average
from .scores import Metrics, Scores, SuiteScores

Floats = NDArray[np.float64]
PUBLISHED = "published_id"  # of an annotation: see suites/forms/d3.py
TRACKS = {"FULL": (False, True), "PRES": (False,), "ABS": (True,)}
BANDS = {"1-3": (1, 3), "4-6": (4, 6), "7-9": (7, 9), "10+": (10, 10**9)}  # words


def d3_tracks(precision: Floats, absence: Sequence[bool]) -> Metrics:
    """AP by track.

    Args:
        precision: (T, R, K) COCOeval's, -1 without an annotation.
        absence: K times whether a description names an absence.
    """
    names = np.array(absence, dtype=bool)
    return {
        track: average(precision[:, :, np.isin(names, kinds)]) for track, kinds in TRACKS.items()
    }


def d3_by_length(precision: Floats, texts: Sequence[str]) -> Metrics:
    """The mean of the descriptions' APs, by number of words between single spaces."""
    words = [len(text.split(" ")) for text in texts]
    aps = [average(curve) for curve in np.moveaxis(precision, 2, 0)]
    by_band: Metrics = {}
    for band, (low, high) in BANDS.items():
        pairs = zip(aps, words, strict=True)
        some = [ap for ap, count in pairs if ap is not None and low <= count <= high]
        by_band[band] = float(np.mean(some)) if some else None
    return by_band


def d3(annotations: Annotations, detections: Detections, scores: Scores) -> SuiteScores:
    """The metrics of `forms.d3`'s annotations."""
    by_id = {one["id"]: one for one in annotations.data["categories"]}
    records = [by_id[category] for category in scores.matches.category_ids]
    absence = [bool(record.get("absence")) for record in records]
    lengths = d3_by_length(scores.precision, [record["name"] for record in records])
    published = d3_tracks(_numbered_from_0(annotations, detections, scores), absence)
    return SuiteScores(
        d3_tracks(scores.precision, absence),
        {f"AP of {band} words": ap for band, ap in lengths.items()}
        | {f"{track} as published": ap for track, ap in published.items()},
        groups={track: np.isin(absence, kinds) for track, kinds in TRACKS.items()},
    )


def _numbered_from_0(annotations: Annotations, detections: Detections, scores: Scores) -> Floats:
    """The precision with the published numbers, of which 0 changes its own category only."""
    records = annotations.data["annotations"]
    precision: Floats = scores.precision.copy()
    first = next((one for one in records if one.get(PUBLISHED) == 0), None)
    if first is None:
        return precision
    category = first["category_id"]
    place = annotations.category_ids.index(category)
    kept = detections.take(detections.category == place)
    if not len(kept):
        return precision
    numbered = [one | {"id": one[PUBLISHED]} for one in records if one["category_id"] == category]
    data = annotations.data | {"annotations": numbered}
    with redirect_stdout(StringIO()):
        evaluator = pycocotools_evaluator(replace(annotations, data=data), kept)
        evaluator.params.catIds = [category]
        evaluator.evaluate()
        evaluator.accumulate()
    column = scores.matches.category_ids.index(category)
    precision[:, :, column] = evaluator.eval["precision"][:, :, 0, 0, -1]
    return precision
