"""The `official` presets against what the released reward functions returned, on 30 cases at three
schedules."""

import json
from pathlib import Path

import pytest

from swift_plugin_visionr1 import PRESETS, Scorer, model_io, read_solution
from swift_plugin_visionr1.reward.equations import RewardBreakdown


def parts(breakdown: RewardBreakdown) -> list[float]:
    return [breakdown.format, breakdown.recall, breakdown.precision]


@pytest.mark.parametrize(
    ("preset", "step"),
    [
        pytest.param("official", None, id="published command"),
        pytest.param("official-adaptive", 0, id="adaptive, first steps"),
        pytest.param("official-adaptive", 1500, id="adaptive, after the switch"),
    ],
)
def test_golden_cases(shared_data: Path, preset: str, step: int | None) -> None:
    cases = json.loads((shared_data / "golden" / "official_rewards.json").read_text())
    assert len(cases) == 30
    scorer = Scorer(PRESETS[preset], model_io(PRESETS[preset]))
    for name, case in cases.items():
        truth = read_solution(json.dumps(case["gt"]), case["width"], case["height"])
        assert scorer.io.resize.view(truth.size).processed == (
            case["input_width"],
            case["input_height"],
        )
        own = parts(
            scorer.score(case["completion"], truth, scorer.schedule.at(step or 0, 3000).name)
        )
        assert own == pytest.approx(case["rewards"][str(step)], abs=1e-6), name


TRUTH = read_solution('{"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]], "labels": ["cat"]}')
NOTHING = read_solution('{"width": 112, "height": 112, "boxes": [], "labels": []}')


@pytest.mark.parametrize(
    ("text", "truth", "expected"),
    [
        pytest.param("42", TRUTH, [1, 0, 0], id="any JSON has the format"),
        pytest.param("[]", NOTHING, [0, 1, 1], id="the format is inverted without objects"),
        pytest.param(
            '[{"bbox_2d": [0, 0, 9, 9], "label": "x"}]',
            NOTHING,
            [0, 0, 0],
            id="boxes on nothing crashed",
        ),
        pytest.param("[" * 100_000, TRUTH, [0, 0, 0], id="deep nesting crashed"),
        pytest.param(
            f'[{{"bbox_2d": [0, 0, 9, {"9" * 5000}], "label": "x"}}]',
            TRUTH,
            [0, 0, 0],
            id="5,000 digits",
        ),
        pytest.param(
            f'[{{"bbox_2d": [0, 0, 9, {"9" * 400}], "label": "x"}}]',
            TRUTH,
            [1, 0, 0],
            id="beyond float32",
        ),
    ],
)
def test_where_the_released_code_is_odd_or_crashes(
    text: str, truth: object, expected: list[float]
) -> None:
    breakdown = Scorer(PRESETS["official"], model_io(PRESETS["official"])).score(
        text, truth, "beginner"
    )  # type: ignore[arg-type]
    assert parts(breakdown) == expected
