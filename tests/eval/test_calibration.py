"""Calibration of scores, against a plain loop over boxes."""

import numpy as np
import pytest

from mmdet_eval.metrics.calibration import calibration
from mmdet_eval.metrics.matches import Matches

THRESHOLDS = np.linspace(0.5, 0.95, 10)


def matches(score: list[float], right: list[int], ignored: list[int] | None = None) -> Matches:
    """Boxes of one image and category, right at every threshold or at none."""
    n = len(score)
    table = np.tile(np.array(right, dtype=bool), (10, 1))
    left_out = np.tile(np.array(ignored or [0] * n, dtype=bool), (10, 1))
    zeros = np.zeros(n, dtype=np.int64)
    truths = np.array([[n]])
    return Matches((1,), (1,), THRESHOLDS, zeros, zeros, np.array(score), table, left_out, truths)


def plain_ece(score: list[float], right: list[int]) -> float:
    bins: dict[int, list[tuple[float, int]]] = {}
    for one in zip(score, right, strict=True):
        bins.setdefault(min(int(one[0] * 10), 9), []).append(one)
    return sum(abs(sum(s for s, _ in b) - sum(r for _, r in b)) for b in bins.values()) / len(score)


def test_the_error_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    score, right = rng.random(500).tolist(), rng.integers(0, 2, 500).tolist()
    found = calibration([matches(score, right)])
    assert found.ece == pytest.approx(plain_ece(score, right), abs=1e-12)
    assert sum(one.boxes for one in found.bins) == 500
    halves = calibration([matches(score[:300], right[:300]), matches(score[300:], right[300:])])
    assert halves == found


def test_a_score_that_is_the_precision_has_no_error() -> None:
    score, right = [0.25] * 4 + [1.0] * 2, [1, 0, 0, 0, 1, 1]
    found = calibration([matches(score, right)])
    assert found.ece == 0
    assert [(one.boxes, one.right) for one in found.bins if one.boxes] == [(4, 0.25), (2, 1.0)]


def test_boxes_on_crowds_do_not_count() -> None:
    found = calibration([matches([0.9, 0.2, 0.4], [1, 0, 1], [0, 0, 1])])
    assert sum(one.boxes for one in found.bins) == 2


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        pytest.param([1.0, 1.0], "all scores are 1", id="constant"),
        pytest.param([], "no boxes", id="nothing"),
        pytest.param([3.0, -1.5], "from 0 to 1", id="logits"),
    ],
)
def test_where_it_is_not_defined(score: list[float], reason: str) -> None:
    found = calibration([matches(score, [1] * len(score))])
    assert (found.ece, found.bins) == (None, ())
    assert reason in found.undefined
