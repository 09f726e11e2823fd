"""Killed in each stage and resumed: the same stages, prompts, completions and rewards as without
interruption."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")
pytestmark = pytest.mark.slow

STEPS, SWITCH = 6, 3  # checkpoints after steps 2 and 4: one in each stage
STAGE = ("vision_r1/stage", "vision_r1/xi0", "vision_r1/xi1", "vision_r1/xi2")
TIMES = (
    "step_time",
    "elapsed_time",
    "remaining_time",
    "train_speed(s/it)",
    "global_step/max_steps",
)
ARGUMENTS = [
    "--reward_funcs",
    "vision_r1",
    "--max_steps",
    STEPS,
    "--save_steps",
    2,
    "--log_completions",
    "true",
]
OBSERVED = ["--callbacks", "vision_r1"]


def logged(out: Path) -> dict[int, dict]:
    """The row of each step; of a step that was run twice, the later one."""
    rows = map(json.loads, (out / "logging.jsonl").read_text().splitlines())
    return {int(row["global_step/max_steps"].split("/")[0]): row for row in rows if "loss" in row}


def completions(out: Path) -> dict[int, dict]:
    rows = map(json.loads, (out / "completions.jsonl").read_text().splitlines())
    return {int(row["step"][0]): row for row in rows}


def resumed_from(folder: Path, base: Path) -> list[object]:
    """What goes on from a checkpoint of all parameters: Qwen2.5-VL's weights are loaded only where
    they are --model."""
    return ["--resume_from_checkpoint", folder, "--model", folder, "--ref_model", base]


@pytest.fixture(scope="module")
def whole(grpo: Callable, rows: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole")
    run = grpo(rows, out, *ARGUMENTS, *OBSERVED)
    assert run.code == 0, run.text[-3000:]
    return out


@pytest.fixture(scope="module")
def killed_twice(
    grpo: Callable, rows: list, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """The folder of the same run, killed in its beginner and in its advanced stage, and what each
    attempt printed."""
    out, killer = tmp_path_factory.mktemp("killed"), Path(__file__).with_name("kill_nine.py")
    texts = []
    for done, resume in ((2, []), (5, resumed_from(out / "checkpoint-2", checkpoint))):
        run = grpo(
            rows,
            out,
            *ARGUMENTS,
            *OBSERVED,
            "kill_nine",
            *resume,
            plugins=(str(killer),),
            KILL_AT=str(done),
        )
        assert run.code != 0
        assert max(logged(out)) == done, run.text[-3000:]
        texts.append(run.text)
    run = grpo(rows, out, *ARGUMENTS, *OBSERVED, *resumed_from(out / "checkpoint-4", checkpoint))
    assert run.code == 0, run.text[-3000:]
    return out, [*texts, run.text]


def test_stage_and_thresholds_are_those_of_the_step(
    whole: Path, killed_twice: tuple[Path, list[str]]
) -> None:
    stages = [[row[name] for name in STAGE] for _, row in sorted(logged(killed_twice[0]).items())]
    assert stages == [[1, 0.5, 0.5, 0.75]] * SWITCH + [[2, 0.75, 0.75, 0.9]] * (STEPS - SWITCH)
    assert stages == [[row[name] for name in STAGE] for _, row in sorted(logged(whole).items())]


def test_prompts_completions_and_rewards_are_those_without_interruption(
    whole: Path, killed_twice: tuple[Path, list[str]]
) -> None:
    expected, got = completions(whole), completions(killed_twice[0])
    assert list(got) == list(expected)
    for step, row in expected.items():
        for column in ("solution", "completion", "VisionR1", "advantages"):
            assert got[step][column] == row[column], f"{column} of step {step}"
    assert (
        len({text for row in expected.values() for text in row["completion"]}) > STEPS
    )  # sampled, not greedy


def test_the_log_is_that_without_interruption(
    whole: Path, killed_twice: tuple[Path, list[str]]
) -> None:
    expected, got = logged(whole), logged(killed_twice[0])
    for step, row in expected.items():
        for name in row.keys() - set(TIMES):
            absent = (
                0 if "/issues/" in name else None
            )  # an issue is logged once this process has seen it
            assert got[step].get(name, absent) == pytest.approx(row[name], rel=1e-4, abs=1e-6), (
                f"{name} of step {step}"
            )


def test_the_plan_says_where_a_resumed_run_stands(killed_twice: tuple[Path, list[str]]) -> None:
    beginner, advanced = killed_twice[1][1:]
    assert "now at step 2" in beginner
    assert "Vision-R1: beginner stage from step 2" in beginner
    assert f"Vision-R1: advanced stage from step {SWITCH}" in beginner
    assert "now at step 4" in advanced
    assert "Vision-R1: advanced stage from step 4" in advanced
    assert "beginner stage from" not in advanced


def test_the_settings_are_recorded_once(killed_twice: tuple[Path, list[str]]) -> None:
    assert len(json.loads((killed_twice[0] / "vision_r1.json").read_text())["records"]) == 1
    assert not any("the settings are not those" in text for text in killed_twice[1])


def test_a_checkpoint_whose_weights_would_be_passed_over_is_refused(
    whole: Path, grpo: Callable, rows: list, checkpoint: Path, tmp_path: Path
) -> None:
    last = whole / "checkpoint-4"
    run = grpo(rows, tmp_path, *ARGUMENTS, *OBSERVED, "--resume_from_checkpoint", last)
    assert run.code != 0
    assert run.steps == []
    assert f"add --model {last} --ref_model {checkpoint} to --resume_from_checkpoint" in run.text
