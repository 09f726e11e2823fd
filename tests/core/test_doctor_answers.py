"""What completions say about a setup: right answers, answers in another frame, no answers."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import yaml

from swift_plugin_visionr1 import GroundTruth, Scorer, Settings, model_io
from swift_plugin_visionr1.doctor.checks.answers import Group, answer_findings, size_ratio
from swift_plugin_visionr1.geometry.frames import FRAMES, Frame
from swift_plugin_visionr1.reward.settings import settings_from

SIZE = (640, 480)
BOXES = np.array([[40, 30, 300, 200], [350, 240, 620, 470.0]])


def groups(written_in: Frame, texts_of: object = None, noise: float = 3.0) -> list[Group]:
    """Four prompts with four answers each, whose numbers are in a frame."""
    io = model_io(Settings())
    view = io.resize.view(SIZE)
    truth = GroundTruth(SIZE, BOXES, ("cat", "dog"))
    rng = np.random.default_rng(0)

    def answer() -> str:
        boxes = BOXES + rng.normal(0, noise, BOXES.shape)
        return io.format.write(written_in.from_image(boxes, view), truth.labels)

    texts = texts_of or answer
    return [Group(truth, view, tuple(texts() for _ in range(4)), (False,) * 4) for _ in range(4)]


def examine(asked: list[Group], **settings: object) -> dict[str, object]:
    own = Settings(**settings)
    found, _ = answer_findings(asked, Scorer(own, model_io(own)))
    return {finding.code: finding for finding in found}


def problems(found: dict) -> dict[str, str]:
    return {code: finding.text for code, finding in found.items() if finding.state == "problem"}


def test_right_answers_are_not_accused() -> None:
    found = examine(groups(FRAMES["processed"], noise=20))
    assert problems(found) == {}
    assert "mean IoU of matched boxes 0." in found["frame"].text
    assert {"rewards_beginner", "rewards_advanced", "format_rate", "sample"} <= set(found)


def test_an_adaptive_schedule_shows_the_criteria_of_each_group() -> None:
    found = examine(groups(FRAMES["processed"], noise=20), schedule="adaptive")
    assert problems(found) == {}
    assert found["rewards_adaptive"].text.startswith("criteria by group")
    assert {"rewards_beginner", "rewards_advanced"} <= set(found)


@pytest.mark.parametrize("written", ["norm1000", "norm100"])
def test_answers_in_another_frame_name_it(written: str) -> None:
    found = problems(examine(groups(FRAMES[written])))
    assert f"set `frame: {written}`" in found["wrong_frame"]


@pytest.mark.parametrize("written", ["norm1000", "norm100", "norm1"])
def test_the_remedy_of_a_wrong_frame_works(written: str) -> None:
    asked = groups(FRAMES[written])
    if written == "norm1":  # the writer of Qwen2.5-VL has no fractions
        thirds = '[{"bbox_2d": [0.062, 0.062, 0.469, 0.417], "label": "cat"}]'
        asked = [replace(group, texts=(thirds,) * 4) for group in asked]
    text = problems(examine(asked))["wrong_frame"]
    settings = yaml.safe_load("\n".join(re.findall(r"`(\w+: [^`]+)`", text)))
    assert settings["frame"] == written
    again = examine(asked, **vars(settings_from(settings)) | {"source": ""})
    assert "wrong_frame" not in again
    assert again["format_rate"].state == "ok"
    assert "recall 0.00" not in again["rewards_beginner"].text


def test_a_wrong_frame_in_the_settings_explains_zero_rewards() -> None:
    found = problems(examine(groups(FRAMES["processed"]), frame="norm1000"))
    assert "in frame processed the mean IoU would be 0.9" in found["wrong_frame"]
    assert "for the reason above" in found["zero_reward"]


def test_sizes_betray_a_frame_where_places_do_not() -> None:
    io = model_io(Settings())
    moved = GroundTruth(SIZE, BOXES[:1] + np.array([310, 250, 310, 250]), ("cat",))
    text = io.format.write(FRAMES["norm100"].from_image(BOXES[:1], io.resize.view(SIZE)), ["cat"])
    asked = [Group(moved, io.resize.view(SIZE), (text,) * 4, (False,) * 4)] * 4
    assert size_ratio(asked, io.format) == pytest.approx((100 / 644, 100 / 476), rel=0.05)
    assert "as if they were written in frame norm100" in problems(examine(asked))["size_ratio"]


def test_chatter_names_the_format() -> None:
    found = problems(examine(groups(FRAMES["processed"], lambda: "I see a cat and a dog.")))
    assert "The format reward would be 0 throughout" in found["format_rate"]
    assert "not_json 100%" in found["format_rate"]
    assert "finds none of the annotated objects" in found["zero_reward"]


def test_equal_rewards_leave_nothing_to_learn() -> None:
    found = problems(examine(groups(FRAMES["processed"], noise=0)))
    assert "100% of the groups have equal rewards" in found["zero_spread"]
    assert "the data is too easy" in found["zero_spread"]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(lambda: groups(FRAMES["processed"], lambda: "I see a cat."), id="reward 0"),
        pytest.param(lambda: groups(FRAMES["processed"], noise=0), id="no spread"),
    ],
)
def test_rewards_that_teach_nothing_are_not_called_ok(asked: Callable) -> None:
    found = examine(asked())
    assert {found[f"rewards_{stage}"].state for stage in ("beginner", "advanced")} == {"warning"}


def test_completions_that_are_cut_off() -> None:
    asked = [
        Group(g.truth, g.view, g.texts, (True,) * 4) for g in groups(FRAMES["processed"], noise=20)
    ]
    assert "raise --max_completion_length" in problems(examine(asked))["cut_off"]


def test_the_numbers_are_kept() -> None:
    own = Settings()
    _, numbers = answer_findings(groups(FRAMES["processed"], noise=20), Scorer(own, model_io(own)))
    assert set(numbers["rewards"]) == {"beginner", "advanced"}
    completions = 16
    broken = numbers["issues"]["out_of_image"]  # the noise moves corners out of the image
    assert numbers["rewards"]["beginner"]["format"] == pytest.approx(1 - broken / completions)
