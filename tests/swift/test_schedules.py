"""The adaptive schedule in real runs: the same after `kill -9`, with groups that are spread over two
processes, and when `vision-r1 score` computes it again."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1.commands import score

from .conftest import free_port
from .test_resume import completions, logged, resumed_from

pytest.importorskip("swift", reason="needs the extra `swift`")
pytestmark = pytest.mark.slow

# Criteria that follow even what this small model achieves.
SETTINGS = """preset: paper
schedule: adaptive
beginner: {xi0: 0.1, xi1: 0.1, xi2: 0.3}
adaptive: {low: 0.0, high: 1.0}
"""
ARGUMENTS = [
    "--reward_funcs",
    "vision_r1",
    "--max_steps",
    3,
    "--save_steps",
    1,
    "--log_completions",
    "true",
    "--callbacks",
    "vision_r1",
]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("settings") / "adaptive.yaml"
    file.write_text(SETTINGS)
    return str(file)


def rewards(out: Path) -> dict[int, list[float]]:
    return {step: row["VisionR1"] for step, row in completions(out).items()}


def scored_again(out: Path) -> list[dict]:
    """The rows of `vision-r1 score` on the run's completions."""
    parser, rows = argparse.ArgumentParser(), out / "again" / "rows.jsonl"
    score.add_parser(parser.add_subparsers())
    args = parser.parse_args(["score", str(out / "completions.jsonl"), "--out", str(rows)])
    assert args.run(args) == 0
    return [json.loads(line) for line in rows.read_text().splitlines()]


def test_a_killed_run_goes_on_with_the_same_criteria_and_rewards(
    grpo: Callable, rows: list, checkpoint: Path, config: str, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    environment = {"VISION_R1_CONFIG": config}
    run = grpo(rows, whole, *ARGUMENTS, **environment)
    assert run.code == 0, run.text[-3000:]
    killer = (str(Path(__file__).with_name("kill_nine.py")),)
    run = grpo(rows, killed, *ARGUMENTS, "kill_nine", plugins=killer, KILL_AT="1", **environment)
    assert run.code != 0
    resumed = resumed_from(killed / "checkpoint-1", checkpoint)
    run = grpo(rows, killed, *ARGUMENTS, *resumed, **environment)
    assert run.code == 0, run.text[-3000:]
    expected = logged(whole)
    assert len({row["vision_r1/xi0"] for row in expected.values()}) > 1
    for step, row in logged(killed).items():
        for name in ("achieved", "stage", "xi0", "xi1", "xi2", "recall", "precision"):
            own, other = row[f"vision_r1/{name}"], expected[step][f"vision_r1/{name}"]
            assert own == pytest.approx(other, abs=1e-12), f"{name} of step {step}"
    assert rewards(killed) == rewards(whole)


def test_groups_that_two_processes_share_are_judged_as_wholes(
    grpo: Callable, rows: list, config: str, tmp_path: Path
) -> None:
    """Of 16 completions a step, 8 in each process, all are of one prompt."""
    run = grpo(
        rows,
        tmp_path,
        *ARGUMENTS,
        "--num_generations",
        16,
        "--per_device_train_batch_size",
        4,
        "--gradient_accumulation_steps",
        2,
        "--use_cpu",
        "true",
        "--ddp_backend",
        "gloo",
        NPROC_PER_NODE="2",
        MASTER_PORT=free_port(),
        OMP_NUM_THREADS="1",
        VISION_R1_CONFIG=config,
    )
    assert run.code == 0, run.text[-3000:]
    again = scored_again(tmp_path)
    for step, values in rewards(tmp_path).items():
        own = [row["as_trained"] for row in again if row["step"] == step]
        assert len(own) == 16
        assert len({row["xi0"] for row in own}) == 1
        assert [row["total"] for row in own] == pytest.approx(values, abs=1e-6)
        (logs,) = (row for row in run.steps if int(row["global_step/max_steps"][0]) == step)
        assert logs["vision_r1/xi0"] == pytest.approx(own[0]["xi0"], abs=1e-7)
    assert len({row["beginner"]["total"] - row["as_trained"]["total"] for row in again}) > 1
