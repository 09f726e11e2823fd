"""The score from which on boxes are worth showing: detectors give many more than they mean."""

import numpy as np

from .matches import Matches


def best_f1_score(matches: Matches) -> float:
    """The least score of the boxes to keep so that F1 at IoU .5 over all categories is highest.

    Minus infinity, which keeps all, if no box is right.

    >>> one = np.array([0])
    >>> right, ignored = np.array([[True, False]]), np.zeros((1, 2), dtype=bool)
    >>> places, scores = np.array([0, 0]), np.array([0.9, 0.2])
    >>> matches = Matches((1,), (1,), one, places, places, scores, right, ignored, np.array([[1]]))
    >>> best_f1_score(matches)
    0.9
    """
    counted = ~matches.ignored[0]
    score, right = matches.score[counted], matches.matched[0, counted]
    if not right.any():
        return -np.inf
    order = np.argsort(-score, kind="stable")
    score = score[order]
    last = np.append(score[1:] < score[:-1], True)  # equal scores are kept or dropped together
    f1 = 2 * np.cumsum(right[order]) / (np.arange(1, len(score) + 1) + matches.truths.sum())
    return float(score[last][np.argmax(f1[last])])
