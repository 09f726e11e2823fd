"""Equations 3-8 of the paper with numbers computed by hand.

The image is 112 x 112, which Qwen2.5-VL's processor leaves as it is, so answers and annotations
share a frame.
Annotated boxes are 20 x 20; a predicted box of the same corner and width and height h has IoU h /
20.
"""

import json

import numpy as np
import pytest

from swift_plugin_visionr1 import (
    Criteria,
    RewardBreakdown,
    Scorer,
    Settings,
    model_io,
    read_solution,
)
from swift_plugin_visionr1.reward.matching import MatchProblem, match
from swift_plugin_visionr1.reward.schedule import Stage, differentiate
from swift_plugin_visionr1.reward.settings import settings_from

CORNERS = [(0, 0), (40, 0), (80, 0), (0, 40), (40, 40), (80, 40), (0, 80), (40, 80)]


def solution(count: int, labels: list[str] | None = None) -> str:
    boxes = [[x, y, x + 20, y + 20] for x, y in CORNERS[:count]]
    return json.dumps(
        {"width": 112, "height": 112, "boxes": boxes, "labels": labels or ["cat"] * count}
    )


def answer(heights: list[int], labels: list[str] | None = None) -> str:
    """Boxes at the first corners with these heights; their IoUs are heights / 20."""
    labels = labels or ["cat"] * len(heights)
    boxes = [[x, y, x + 20, y + h] for (x, y), h in zip(CORNERS, heights, strict=False)]
    return json.dumps(
        [{"bbox_2d": box, "label": label} for box, label in zip(boxes, labels, strict=True)]
    )


def score(text: str, truth: str, stage: Stage = "beginner", **settings: object) -> RewardBreakdown:
    return Scorer(settings_from(settings), model_io(settings_from(settings))).score(
        text, read_solution(truth), stage
    )


def test_eq3_every_matched_prediction_has_its_iou() -> None:
    pairs = score(answer([12, 16, 20]), solution(4)).match
    assert pairs.predictions.tolist() == [0, 1, 2]
    assert pairs.truths.tolist() == [0, 1, 2]
    assert pairs.ious == pytest.approx([0.6, 0.8, 1.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(answer([20]), 1, id="template and content"),
        pytest.param(f"```json\n{answer([20])}\n```", 1, id="in a fence"),
        pytest.param("[]", 1, id="empty list"),
        pytest.param(f"Here: {answer([20])}", 0, id="f_tem: text around"),
        pytest.param(answer([20])[:-1], 0, id="f_tem: not closed"),
        pytest.param(
            '[{"bbox_2d": [20, 0, 0, 20], "label": "cat"}]', 0, id="f_cont: corners reversed"
        ),
        pytest.param(
            '[{"bbox_2d": [0, 0, 113, 20], "label": "cat"}]', 0, id="f_cont: outside the image"
        ),
        pytest.param(
            '[{"bbox_2d": [0.5, 0, 20, 20], "label": "cat"}]', 0, id="f_cont: decimal point"
        ),
        pytest.param('[{"bbox_2d": [0, 0, 20], "label": "cat"}]', 0, id="f_cont: three numbers"),
        pytest.param('[{"bbox_2d": [0, 0, 20, 20]}]', 0, id="f_cont: no label"),
    ],
)
def test_eq4_dual_format(text: str, expected: float) -> None:
    assert score(text, solution(1)).format == expected


@pytest.mark.parametrize(
    ("heights", "truths", "expected"),
    [
        pytest.param([10, 20, 20], 4, 0.75, id="IoU of exactly xi0 is valid"),
        pytest.param([9, 20, 20], 4, 0.5, id="IoU below xi0 is not"),
        pytest.param([20, 20, 20, 20], 4, 1.0, id="all"),
        pytest.param([], 4, 0.0, id="none"),
        pytest.param([20], 8, 0.125, id="one of eight"),
    ],
)
def test_eq5_recall_without_differentiation(
    heights: list[int], truths: int, expected: float
) -> None:
    assert score(answer(heights), solution(truths), differentiation=False).recall == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        pytest.param([12, 16], (0.6 + 0.8) / 2, id="mean IoU"),
        pytest.param([12, 8], 0.6 / 2, id="an invalid pair counts in M only"),
        pytest.param([10], 0.5, id="IoU of exactly xi0"),
        pytest.param([], 0.0, id="no prediction"),
    ],
)
def test_eq6_precision_without_differentiation(heights: list[int], expected: float) -> None:
    assert score(answer(heights), solution(4), differentiation=False).precision == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("stage", "recall", "precision"),
    [
        # IoUs .6, .8, .45 of 4 boxes: two are valid, 2/4 = .5; f gives .6, 1 and 0 over M = 3
        pytest.param("beginner", 0.5, (0.6 + 1 + 0) / 3, id="beginner"),
        # only .8 is valid, 1/4 is below xi1; f leaves .8 as it is
        pytest.param("advanced", 0.0, 0.8 / 3, id="advanced"),
    ],
)
def test_eq7_total_is_the_sum(stage: Stage, recall: float, precision: float) -> None:
    breakdown = score(answer([12, 16, 9]), solution(4), stage)
    assert (breakdown.format, breakdown.recall) == (1.0, recall)
    assert breakdown.precision == pytest.approx(precision)
    assert breakdown.total == pytest.approx(1 + recall + precision)


@pytest.mark.parametrize(
    ("criteria", "x", "expected"),
    [
        pytest.param(
            Criteria(0.5, 0.5, 0.75),
            [0.499, 0.5, 0.749, 0.75, 1],
            [0, 0.5, 0.749, 1, 1],
            id="beginner",
        ),
        pytest.param(
            Criteria(0.75, 0.75, 0.9), [0.749, 0.75, 0.899, 0.9], [0, 0.75, 0.899, 1], id="advanced"
        ),
    ],
)
def test_eq8_differentiation(criteria: Criteria, x: list[float], expected: list[float]) -> None:
    assert differentiate(np.array(x), criteria).tolist() == expected


@pytest.mark.parametrize(
    ("stage", "found", "expected"),
    [
        pytest.param("beginner", 1, 0.0, id="1 of 4 is penalised"),
        pytest.param("beginner", 2, 0.5, id="2 of 4 stays"),
        pytest.param("beginner", 3, 1.0, id="3 of 4 is full in the beginner stage"),
        pytest.param("advanced", 2, 0.0, id="2 of 4 is penalised in the advanced stage"),
        pytest.param("advanced", 3, 0.75, id="3 of 4 stays in the advanced stage"),
        pytest.param("advanced", 4, 1.0, id="all"),
    ],
)
def test_eq8_on_recall(stage: Stage, found: int, expected: float) -> None:
    assert score(answer([20] * found), solution(4), stage).recall == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[]", (1, 1, 1), id="empty answer"),
        pytest.param("```json\n[]\n```", (1, 1, 1), id="empty answer in a fence"),
        pytest.param(answer([20]), (1, 0, 0), id="a box where there is nothing"),
        pytest.param("There are no objects.", (0, 1, 1), id="in words, all but the format reward"),
        pytest.param("{}", (0, 1, 1), id="JSON that holds nothing"),
        pytest.param("The image shows a kitchen.", (0, 0, 0), id="prose is not an answer"),
        pytest.param("", (0, 0, 0), id="empty text"),
    ],
)
def test_negatives(text: str, expected: tuple[float, float, float]) -> None:
    breakdown = score(text, solution(0))
    assert (breakdown.format, breakdown.recall, breakdown.precision) == expected


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        pytest.param("matched", 1.0, id="matched: extra boxes cost nothing"),
        pytest.param("valid", 1.0, id="valid"),
        pytest.param("predicted", 2 / 4, id="predicted: extra boxes are paid for"),
        pytest.param("larger", 2 / 4, id="larger"),
    ],
)
def test_denominator_of_precision_with_two_extra_boxes(over: str, expected: float) -> None:
    assert score(answer([20] * 4), solution(2), precision_over=over).precision == expected


def test_larger_makes_missing_boxes_cost_precision() -> None:
    assert score(answer([20]), solution(4), precision_over="larger").precision == 0.25


@pytest.mark.parametrize(
    ("settings", "precision"),
    [
        pytest.param({}, 1.0, id="paper ignores labels"),
        pytest.param({"wrong_label": "unmatched"}, 0.5, id="a wrong label does not match"),
    ],
)
def test_wrong_labels(settings: dict[str, object], precision: float) -> None:
    breakdown = score(answer([20, 20], ["Cat ", "dog"]), solution(2, ["cat", "cat"]), **settings)
    assert breakdown.precision == precision


def test_salvage_scores_what_can_be_read_of_a_cut_answer() -> None:
    cut = answer([20, 20])[:-20]
    assert (score(cut, solution(2)).format, score(cut, solution(2)).recall) == (0.0, 0.5)
    assert score(cut, solution(2), salvage=False).recall == 0.0
    assert score("```\n[]\n```", solution(0)).recall == 1.0
    assert score("```\n[]\n```", solution(0), salvage=False).recall == 0.0


def test_box_matching_is_optimal_not_greedy() -> None:
    # Greedy by IoU would pair the first prediction with the second truth (.667) and leave the
    # others at 0.
    boxes = np.array([[0.0, 0, 10, 20], [0, 12, 10, 30]])
    truths = np.array([[0.0, 0, 10, 10], [0, 0, 10, 30]])
    pairs = match(MatchProblem(boxes, truths, (100, 100)))
    assert pairs.ious == pytest.approx([0.5, 0.6])
    assert pairs.truths.tolist() == [0, 1]


def test_box_label_matching_lets_the_label_decide_between_twins() -> None:
    texts = json.dumps([{"bbox_2d": [0, 0, 20, 20], "label": label} for label in ("dog", "cat")])
    twins = json.dumps(
        {"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]] * 2, "labels": ["cat", "dog"]}
    )
    assert score(texts, twins, matcher="box_label").match.truths.tolist() == [1, 0]


def test_count_reward_of_table_4() -> None:
    assert score(answer([1, 1]), solution(2)).count == 1.0
    assert score(answer([20]), solution(2)).count == 0.0


def test_strict_preset_pays_for_extra_and_missing_boxes_and_labels() -> None:
    strict = Settings(matcher="box_label", wrong_label="unmatched", precision_over="larger")
    assert settings_from({"preset": "strict"}) == strict
