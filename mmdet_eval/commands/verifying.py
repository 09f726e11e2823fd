"""`--score verify` and `--score verify-drawn`: from boxes to questions about them, and back to
scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.data.image_paths import find_images
from swift_plugin_visionr1.errors import InputError

from ..answers.answer import ReadAnswer
from ..answers.scorers import BoxScorer
from ..asking.box_views import View
from ..asking.reading_record import ANSWERS
from ..asking.verification import Claim, verified

VIEWS: dict[str, View] = {"verify": "crop", "verify-drawn": "drawn"}
Ask = Callable[[Sequence[Claim]], Mapping[Claim, float]]


def scorer_from(ask: Ask) -> BoxScorer:
    """A scorer by P(yes).

    Args:
        ask: P(yes) of claims, or of those among them for which it is known.
    """
    return partial(_scores, ask)


def stored_scorer(score: str, predictions: Path) -> BoxScorer:
    """A scorer by what the model was asked before, for the answers of a run.

    Raises:
        InputError: the predictions are not those of a run.
    """
    folder = predictions if predictions.name == ANSWERS else predictions.parent
    if folder.name != ANSWERS:
        raise InputError(
            f"expected the answers of `mmdet-eval run` for --score {score}, got {predictions}: "
            "the model has to be asked again, which `mmdet-eval run` does"
        )
    return scorer_from(partial(verified, run=folder.parent, view=VIEWS[score]))


def claims_of(answers: Sequence[ReadAnswer], images: Path | None) -> list[list[Claim | None]]:
    """What each box of each answer says: that there is such a thing at this place. None for a box
    that is dropped.

    The thing is called as the answer calls it; as the question does, if that decides the category.

    Args:
        images: the folder of image files.

    Raises:
        InputError: the folder is not known.
    """
    if images is None:
        raise InputError("expected the folder of images for --score verify, got none")
    names = [one.answer.image.file_name for one in answers]
    files = find_images(images, names).by_name
    paths = (files.get(name, images / name) for name in names)
    return [list(_claims(one, path)) for one, path in zip(answers, paths, strict=True)]


def _claims(one: ReadAnswer, path: Path) -> Iterator[Claim | None]:
    asked = one.answer.query.name if one.by_query else ""
    for box, label, category in zip(one.boxes, one.parsed.labels, one.categories, strict=True):
        x1, y1, x2, y2 = map(float, box)
        yield None if category is None else Claim(path, (x1, y1, x2, y2), asked or label)


def _scores(
    ask: Ask, answers: Sequence[ReadAnswer], images: Path | None
) -> list[NDArray[np.float64]]:
    claims = claims_of(answers, images)
    known = ask(list(dict.fromkeys(one for some in claims for one in some if one)))
    # A dropped box needs no score.
    return [
        np.array([known.get(one, np.nan) if one else 0.0 for one in some], dtype=np.float64)
        for some in claims
    ]
