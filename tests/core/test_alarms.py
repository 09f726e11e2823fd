"""Warnings about a run that learns nothing: which cause, when, and how often."""

import json

import pytest

from swift_plugin_visionr1 import PRESETS, Scorer, model_io
from swift_plugin_visionr1.reward.other_frame import OtherFrame, other_frame
from swift_plugin_visionr1.reward.settings import settings_from
from swift_plugin_visionr1.runs.alarms import CAUSES, PATIENCE, REPEAT, Alarms, cause_of

FINE = {"format": 0.9, "recall": 0.5, "precision": 0.5, "frac_reward_zero_std": 0.25}
NONE = {"format": 0.0, "recall": 0.0, "precision": 0.0, "frac_reward_zero_std": 1.0}
THERE = OtherFrame("norm1000", 0.8, 0.02)


@pytest.mark.parametrize(
    ("change", "other", "cause"),
    [
        pytest.param({}, None, None, id="fine"),
        pytest.param({"frac_reward_zero_std": 0.99}, None, None, id="one group with spread"),
        pytest.param({"completions/clipped_ratio": 0.5}, None, None, id="half cut off"),
        pytest.param({"recall": 0.0}, None, None, id="recall alone"),
        pytest.param(NONE, None, "reward", id="reward, and so no spread"),
        pytest.param({"format": 0.0}, None, "format", id="format"),
        pytest.param({"recall": 0.0, "precision": 0.0}, None, "boxes", id="boxes"),
        pytest.param({"frac_reward_zero_std": 1.0}, None, "spread", id="spread"),
        pytest.param({"completions/clipped_ratio": 0.6}, None, "cut_off", id="cut off"),
        pytest.param(NONE | {"completions/clipped_ratio": 1.0}, None, "cut_off", id="all cut off"),
        pytest.param({"recall": 0.0, "precision": 0.0}, THERE, "frame", id="another frame"),
    ],
)
def test_the_cause_of_a_step(change: dict, other: OtherFrame | None, cause: str | None) -> None:
    assert cause_of(FINE | change, other) == cause


def test_a_trainer_that_logs_no_spread_is_not_warned_of_it() -> None:
    assert cause_of({"format": 1.0, "recall": 1.0, "precision": 1.0}, None) is None


def warned(causes: list[str | None], past: dict | None = None, first: int = 1) -> list[tuple]:
    own = Alarms(past)
    alarms = [own.after_step(step, cause) for step, cause in enumerate(causes, start=first)]
    return [(step, a.cause) for step, a in enumerate(alarms, start=first) if a is not None]


def test_a_warning_comes_after_several_steps_in_a_row_and_once() -> None:
    assert warned(["format"] * (PATIENCE - 1)) == []
    assert warned(["format"] * 100) == [(PATIENCE, "format")]
    assert warned((["format"] * (PATIENCE - 1) + [None]) * 20) == []
    assert warned((["format"] * PATIENCE + [None]) * 20) == [(PATIENCE, "format")]


def test_each_cause_is_warned_of_by_itself() -> None:
    causes = ["format"] * PATIENCE + ["spread"] * PATIENCE
    assert warned(causes) == [(PATIENCE, "format"), (2 * PATIENCE, "spread")]


def test_a_cause_that_holds_is_repeated_rarely() -> None:
    steps = [step for step, _ in warned(["spread"] * (PATIENCE + 2 * REPEAT))]
    assert steps == [PATIENCE, PATIENCE + REPEAT, PATIENCE + 2 * REPEAT]


def test_a_resumed_run_does_not_repeat_itself() -> None:
    assert warned(["format"] * 100, past={"format": 5}, first=3) == []
    assert warned(["spread"] * 100, past={"format": 5}, first=3) == [(2 + PATIENCE, "spread")]


def test_every_cause_has_words() -> None:
    for seen, likely in CAUSES.values():
        assert seen
        assert likely.format(frame="norm1000", format="qwen3_vl", xi0=0.5)


SIZE = (640, 480)
BOXES = [[64, 48, 320, 240], [400, 100, 600, 300]]
SOLUTION = json.dumps({"width": 640, "height": 480, "boxes": BOXES, "labels": ["a", "b"]})


def answer(scale: tuple[float, float]) -> str:
    x, y = scale
    boxes = [[round(a * x), round(b * y), round(c * x), round(d * y)] for a, b, c, d in BOXES]
    return json.dumps([{"bbox_2d": box, "label": "a"} for box in boxes])


def found_frame(text: str, times: int, **settings: object) -> OtherFrame | None:
    rules = settings_from(settings)
    scorer = Scorer(rules, model_io(rules))
    breakdowns = scorer([text] * times, {"solution": [SOLUTION] * times}, "beginner")
    return other_frame(breakdowns, scorer.last.truths, scorer.io)


def test_boxes_in_another_frame_are_told() -> None:
    written = answer((1000 / SIZE[0], 1000 / SIZE[1]))
    other = found_frame(written, 4, model_type="qwen2_5_vl", frame="norm100", format="json")
    assert other is not None
    assert other.name == "norm1000"
    assert other.iou > 0.95
    assert found_frame(written, 3, model_type="qwen2_5_vl", frame="norm100", format="json") is None


def test_thousandths_read_as_pixels_are_told() -> None:
    other = found_frame(answer((1000 / SIZE[0], 1000 / SIZE[1])), 8, model_type="qwen2_5_vl")
    assert other is not None
    assert other.name == "norm1000"
    assert other.as_read > 0.05


@pytest.mark.parametrize("text", [answer((1, 1)), "a cat", '[{"bbox_2d": [1, 1, 9, 9]}]'])
def test_no_frame_is_accused_where_boxes_fit_or_fit_nowhere(text: str) -> None:
    assert found_frame(text, 8, model_type="qwen2_5_vl") is None


def test_negatives_say_nothing_of_the_frame() -> None:
    scorer = Scorer(PRESETS["paper"], model_io(PRESETS["paper"]))
    empty = json.dumps({"width": 64, "height": 48, "boxes": [], "labels": []})
    breakdowns = scorer([answer((1, 1))] * 8, {"solution": [empty] * 8}, "beginner")
    assert other_frame(breakdowns, scorer.last.truths, scorer.io) is None
