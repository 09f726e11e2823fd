"""The rewards through ms-swift's own registry: the contract of a call."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

orm = pytest.importorskip("swift.rewards.orm", reason="needs the extra `swift`")

from swift_plugin_visionr1 import (  # noqa: E402
    Limits,
    SettingsError,
    SolutionError,
    load_settings,
    model_io,
)
from swift_plugin_visionr1.ms_swift.rewards import warn_of_double_counting  # noqa: E402
from swift_plugin_visionr1.ms_swift.run_context import building_rewards  # noqa: E402
from swift_plugin_visionr1.reward.scorer import Scorer  # noqa: E402

SOLUTION = json.dumps(
    {"width": 112, "height": 112, "boxes": [[0, 0, 20, 20], [40, 0, 60, 20]], "labels": ["a", "b"]}
)
PERFECT = '[{"bbox_2d": [0, 0, 20, 20], "label": "a"}, {"bbox_2d": [40, 0, 60, 20], "label": "b"}]'
HALF = '[{"bbox_2d": [0, 0, 20, 12], "label": "a"}]'  # IoU .6 with one of two
NAMES = [
    "vision_r1",
    "vision_r1_format",
    "vision_r1_recall",
    "vision_r1_precision",
    "vision_r1_count",
]


def run_of(model_type: str | None = "qwen2_5_vl") -> SimpleNamespace:
    """A trainer's arguments."""
    return SimpleNamespace(model_type=model_type, max_pixels=None, reward_weights=None)


def trainer() -> SimpleNamespace:
    """What is looked at of a trainer that builds its rewards; test_run.py has the real ones."""
    template = SimpleNamespace(
        model_meta=SimpleNamespace(model_type="qwen2_5_vl"),
        template_meta=SimpleNamespace(template_type="qwen2_5_vl"),
        max_pixels=None,
        _get_response_prefix=lambda: "",
    )
    return SimpleNamespace(args=run_of(), template=template)


def state(step: int, of: int = 100) -> SimpleNamespace:
    return SimpleNamespace(global_step=step, max_steps=of)


def call(name: str, completions: list, step: int = 0, **columns: object) -> list[float]:
    columns = {"solution": [SOLUTION] * len(completions)} | columns
    return orm.orms[name](args=run_of())(completions, trainer_state=state(step), **columns)


@pytest.mark.parametrize(
    ("name", "beginner", "advanced"),
    [
        pytest.param("vision_r1", [3, 1 + 0.5 + 0.6], [3, 1], id="total"),
        pytest.param("vision_r1_format", [1, 1], [1, 1], id="format"),
        pytest.param("vision_r1_recall", [1, 0.5], [1, 0], id="recall"),
        pytest.param("vision_r1_precision", [1, 0.6], [1, 0], id="precision"),
        pytest.param("vision_r1_count", [1, 0], [1, 0], id="count"),
    ],
)
def test_contract(name: str, beginner: list[float], advanced: list[float]) -> None:
    assert call(name, [PERFECT, HALF], step=49) == pytest.approx(beginner)
    assert call(name, [PERFECT, HALF], step=50) == pytest.approx(advanced)


def test_other_columns_are_let_through() -> None:
    assert call(
        "vision_r1", [PERFECT], images=[[]], messages=[[]], prompt_id=["x"], is_truncated=[False]
    ) == [3]


@pytest.mark.parametrize(
    "completion", [None, [], {"content": PERFECT}, 3], ids=["None", "list", "dict", "number"]
)
def test_a_completion_that_is_no_text_is_a_score(completion: object) -> None:
    assert call("vision_r1", [completion]) == [0]


def test_all_rewards_share_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[str] = []
    original = Scorer.judges

    def counted(self: Scorer, texts: list[str], *args: object) -> object:
        scored.extend(texts)
        return original(self, texts, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Scorer, "judges", counted)
    with building_rewards(trainer()):
        rewards = [orm.orms[name](args=run_of()) for name in NAMES]
    ids = {"request_id": ["a", "b", "c"]}
    for reward in rewards:
        reward([PERFECT, HALF, "only here"], solution=[SOLUTION] * 3, trainer_state=state(0), **ids)
    assert len(scored) == 3


def test_two_runs_in_one_process_count_apart() -> None:
    own, other = (orm.orms["vision_r1"](args=run_of()) for _ in range(2))
    own([PERFECT], solution=[SOLUTION], trainer_state=state(0))
    assert own.scorer.take_sums()["completions"] == 1
    assert other.scorer.take_sums()["completions"] == 0


def test_settings_are_read_when_the_reward_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    before = orm.orms["vision_r1"](args=run_of())
    monkeypatch.setenv("VISION_R1_CONFIG", "strict")
    assert before([HALF], solution=[SOLUTION], trainer_state=state(0)) == pytest.approx([2.1])
    assert call("vision_r1", [HALF]) == pytest.approx([1 + 0.5 + 0.3])


def test_no_trainer_state_needs_a_declared_stage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="fixed_stage"):
        orm.orms["vision_r1"](args=run_of())([HALF], solution=[SOLUTION])
    file = tmp_path / "settings.yaml"
    file.write_text("fixed_stage: advanced\n")
    monkeypatch.setenv("VISION_R1_CONFIG", str(file))
    assert orm.orms["vision_r1"](args=run_of())([HALF], solution=[SOLUTION]) == [1]


def test_one_stage_needs_no_trainer_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_R1_CONFIG", "official")
    assert orm.orms["vision_r1_format"](args=run_of())([HALF], solution=[SOLUTION]) == [1]


@pytest.fixture
def schedule(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """`schedule(text)`: the settings' lines about it."""

    def declare(text: str) -> None:
        (tmp_path / "settings.yaml").write_text(text)
        monkeypatch.setenv("VISION_R1_CONFIG", str(tmp_path / "settings.yaml"))

    return declare


@pytest.mark.parametrize(
    ("step", "recall"),
    [
        pytest.param(0, 0.5, id="first step"),
        pytest.param(49, 0.0, id="xi0 is .6225, above the IoU"),
        pytest.param(99, 0.0, id="last step"),
    ],
)
def test_thresholds_move_with_the_trainers_step(
    schedule: Callable, step: int, recall: float
) -> None:
    schedule("schedule: continuous\n")
    assert call("vision_r1_recall", [HALF], step) == [recall]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("schedule: continuous\n", id="continuous"),
        pytest.param(
            "schedule: stages\nstages:\n- {xi0: 0.5, xi1: 0.5, xi2: 0.7}\n"
            "- {step: 1/2, xi0: 0.6, xi1: 0.6, xi2: 0.7}\n",
            id="stages",
        ),
    ],
)
def test_a_schedule_by_the_step_is_refused_without_one(schedule: Callable, text: str) -> None:
    schedule(text)
    with pytest.raises(SettingsError, match="trainer_state with global_step"):
        orm.orms["vision_r1"](args=run_of())([HALF], solution=[SOLUTION])


def test_an_adaptive_schedule_needs_no_step(schedule: Callable) -> None:
    schedule("schedule: adaptive\n")
    reward = orm.orms["vision_r1_recall"](args=run_of())
    # The group of both achieves (1 + .3) / 2 = .65, so .6 is not enough; alone, .3 is.
    assert reward([PERFECT, HALF], solution=[SOLUTION] * 2) == [1, 0]
    assert reward([HALF], solution=[SOLUTION]) == [0.5]


def test_an_adaptive_schedule_is_refused_without_groups(schedule: Callable) -> None:
    schedule("schedule: adaptive\n")
    alone = trainer()
    alone.num_generations = 1
    with building_rewards(alone), pytest.raises(SettingsError, match="num_generations"):
        orm.orms["vision_r1"](args=run_of())


def test_an_adaptive_schedule_is_refused_where_groups_may_be_cut(
    schedule: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("schedule: adaptive\n")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SettingsError, match="got 2 processes"):
        orm.orms["vision_r1"](args=run_of())


# 20 of 112 pixels are 179 of 1000
QWEN3 = '```json\n[{"bbox_2d": [0, 0, 179, 179], "label": "a"}]\n```'


def test_format_and_frame_are_those_of_the_runs_model_type() -> None:
    reward = orm.orms["vision_r1_recall"](args=run_of("qwen3_vl"))
    assert reward([QWEN3], solution=[SOLUTION], trainer_state=state(0)) == [0.5]
    other = orm.orms["vision_r1_recall"](args=run_of())
    assert other([QWEN3], solution=[SOLUTION], trainer_state=state(0)) == [0]


def test_a_run_whose_model_cannot_be_told_stops(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    args = run_of(None)
    with pytest.raises(SettingsError, match="set `model_type` in the settings"):
        orm.orms["vision_r1"](args=args)
    file = tmp_path / "settings.yaml"
    monkeypatch.setenv("VISION_R1_CONFIG", str(file))
    for settings, frame in (
        ("model_type: qwen3_vl", 1000.0),
        ("format: json\nframe: original", "original"),
    ):
        file.write_text(settings)
        assert orm.orms["vision_r1"](args=args).scorer.io.format.frame.units == frame


def test_settings_override_the_format_and_frame(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("frame: original\n")
    monkeypatch.setenv("VISION_R1_CONFIG", str(file))
    assert orm.orms["vision_r1"](args=run_of("qwen3_vl")).scorer.io.format.frame.units == "original"


@pytest.mark.parametrize(
    ("preset", "model_type", "message"),
    [
        pytest.param(
            "paper",
            "no_such_vl",
            "'no_such_vl'; or set `format` and `frame` in the settings",
            id="unknown",
        ),
        pytest.param(
            "official",
            "qwen3_vl",
            "official rules, which read no other, got qwen3_vl",
            id="official",
        ),
    ],
)
def test_a_model_that_cannot_be_scored_is_refused(
    monkeypatch: pytest.MonkeyPatch, preset: str, model_type: str, message: str
) -> None:
    monkeypatch.setenv("VISION_R1_CONFIG", preset)
    with pytest.raises(SettingsError, match=message):
        orm.orms["vision_r1"](args=run_of(model_type))


@pytest.mark.parametrize(
    ("model_type", "outside"),
    [
        ("qwen2_5_vl", PERFECT.replace("60, 20", "999, 20")),
        ("qwen3_vl", QWEN3.replace("179, 179", "1400, 179")),
    ],
)
def test_issues_of_content_are_counted_as_well_as_those_of_the_template(
    model_type: str, outside: str
) -> None:
    reward = orm.orms["vision_r1"](args=run_of(model_type))
    reward([outside, "a cat"], solution=[SOLUTION] * 2, trainer_state=state(7))
    sums = reward.scorer.take_sums()
    assert sums["issues/out_of_image"] == 1
    assert sum(value for name, value in sums.items() if name.startswith("issues/")) > 1


def test_a_reward_outside_of_a_run_is_the_papers_model_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("swift"), "propagate", True)
    reward = orm.orms["vision_r1"]()
    assert reward.scorer.io == model_io(load_settings(), "qwen2_5_vl", Limits(os.environ))
    assert "model_type" in caplog.text


def test_a_bad_row_is_an_error_not_a_score() -> None:
    with pytest.raises(SolutionError, match="row 0 of this batch: expected"):
        call("vision_r1", [PERFECT], solution=["{}"])


def test_the_sum_of_another_work_has_no_parts_of_the_papers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISION_R1_CONFIG", "rex_omni")
    paid = orm.orms["vision_r1"](args=run_of())([HALF], solution=[SOLUTION])
    assert paid == pytest.approx([0.4])  # F1 of .6 and .3
    assert orm.orms["vision_r1_count"](args=run_of())([HALF], solution=[SOLUTION]) == [0]
    for part in ("format", "recall", "precision"):
        with pytest.raises(SettingsError, match="rules rex_omni, which pay one sum"):
            orm.orms[f"vision_r1_{part}"](args=run_of())


def test_the_total_beside_its_parts_warns(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("swift"), "propagate", True)
    rewards = [orm.orms[name](args=run_of()) for name in ("vision_r1", "vision_r1_recall")]
    for weights in ([1, 0], [0, 1]):
        warn_of_double_counting(rewards, weights)
    warn_of_double_counting(rewards[1:], None)
    assert "count twice" not in caplog.text
    warn_of_double_counting(rewards, None)
    assert "recall count twice" in caplog.text
