"""`swift rlhf` for real: the literal command, stages in the log, and bad input stopped before
training."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")
pytestmark = pytest.mark.slow

from swift_plugin_visionr1.runs.run_record import past_alarms  # noqa: E402

BEGINNER, ADVANCED = (1.0, 0.5, 0.5, 0.75), (2.0, 0.75, 0.75, 0.9)
REWARD = ["--reward_funcs", "vision_r1", "--callbacks", "vision_r1"]


def stages(steps: list[dict]) -> list[tuple[float, ...]]:
    return [
        tuple(row[f"vision_r1/{name}"] for name in ("stage", "xi0", "xi1", "xi2")) for row in steps
    ]


@pytest.fixture(scope="module")
def whole_run(grpo: Callable, rows: list, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Four steps; the plugin registers itself."""
    out = tmp_path_factory.mktemp("whole")
    return grpo(rows, out, *REWARD, "--max_steps", 4)


def test_a_run_goes_through_both_stages(whole_run: object) -> None:
    assert whole_run.code == 0, whole_run.text[-3000:]
    assert stages(whole_run.steps) == [BEGINNER, BEGINNER, ADVANCED, ADVANCED]
    for row in whole_run.steps:
        parts = [row[f"vision_r1/{part}"] for part in ("format", "recall", "precision")]
        assert all(0 <= part <= 1 for part in parts)
        assert row["rewards/VisionR1/mean"] == pytest.approx(sum(parts), abs=1e-5)
    assert any(row["grad_norm"] > 0 for row in whole_run.steps)


def test_the_plan_is_stated_and_the_switch_announced(whole_run: object) -> None:
    assert "16 rows in train_dataset" in whole_run.text
    assert "xi2=0.9) from step 2, of 4 steps" in whole_run.text
    assert "advanced stage from step 2" in whole_run.text


def test_the_model_is_named_with_how_it_is_taken_to_answer(whole_run: object) -> None:
    told = (
        "model type qwen2_5_vl; answers in the format qwen2_5_vl, coordinates in pixels of the "
        "processed image; "
    )
    assert (
        told + "images processed with no --max_pixels, 4 to 16384 visual tokens" in whole_run.text
    )


def test_a_run_that_learns_is_not_warned_of(whole_run: object) -> None:
    assert past_alarms(whole_run.out) == {}


def test_tensorboard_sees_the_stage(whole_run: object) -> None:
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    events = event_accumulator.EventAccumulator(str(whole_run.out / "runs"))
    events.Reload()
    assert [event.value for event in events.Scalars("train/vision_r1/stage")] == [1, 1, 2, 2]


def test_external_plugins_and_the_parts_side_by_side(
    grpo: Callable, rows: list, tmp_path: Path
) -> None:
    from swift_plugin_visionr1.commands.plugin_path import PLUGIN

    parts = [f"vision_r1_{part}" for part in ("format", "recall", "precision", "count")]
    run = grpo(
        rows,
        tmp_path,
        "--reward_funcs",
        *parts,
        "--callbacks",
        "vision_r1",
        "--max_steps",
        2,
        "--per_device_train_batch_size",
        4,
        "--gradient_accumulation_steps",
        2,
        "--logging_steps",
        2,
        plugins=(str(PLUGIN),),
        VISION_R1_NO_AUTOLOAD="1",
        VISION_R1_CONFIG="official",
    )
    assert run.code == 0, run.text[-3000:]
    row = run.steps[0]
    total = sum(
        row[f"rewards/VisionR1{name}/mean"] for name in ("Format", "Recall", "Precision", "Count")
    )
    assert row["reward"] == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"solution": "{}"},
            "row 11 of {data}: expected .* got no width, height, boxes, labels",
            id="keys",
        ),
        pytest.param(
            {"solution": '{"width": 900, "height": 111, "boxes": [], "labels": []}'},
            "row 11 of {data}: expected width and height to be those of the image "
            "file, .* got 900 x 111",
            id="size",
        ),
    ],
)
def test_a_bad_row_stops_the_run_before_training(
    grpo: Callable, rows: list, tmp_path: Path, change: dict, message: str
) -> None:
    bad = [row | (change if number == 11 else {}) for number, row in enumerate(rows, start=1)]
    run = grpo(bad, tmp_path, "--reward_funcs", "vision_r1", "--max_steps", 2)
    assert run.code != 0
    assert run.steps == []
    assert re.search(message.format(data=re.escape(str(tmp_path / "train.jsonl"))), run.text), (
        run.text[-1500:]
    )


def test_contradictory_settings_are_refused(grpo: Callable, rows: list, tmp_path: Path) -> None:
    run = grpo(rows, tmp_path, *REWARD, "--max_steps", 4, VISION_R1_CONFIG="official-adaptive")
    assert run.code != 0
    assert run.steps == []
    assert "switch_step within the run of 4 steps, got 1500" in run.text


def test_rows_are_json_of_the_contract(rows: list) -> None:
    assert {"messages", "images", "solution"} <= set(rows[0])
    assert set(json.loads(rows[0]["solution"])) == {"width", "height", "boxes", "labels"}
