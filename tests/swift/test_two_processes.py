"""Two processes, plain and under DeepSpeed, compared number by number with one process on the same
batches."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import free_port

pytest.importorskip("swift", reason="needs the extra `swift`")
pytestmark = pytest.mark.slow

# The most probable token is always taken, so that each number of processes scores the same
# completions. A group of equal completions has no advantages: it is weight decay that moves the
# policy, and the KL term that has a gradient.
ARGUMENTS = [
    "--reward_funcs",
    "vision_r1",
    "--callbacks",
    "vision_r1",
    "--max_steps",
    4,
    "--log_completions",
    "true",
    "--per_device_train_batch_size",
    4,
    "--top_k",
    1,
    "--learning_rate",
    "1e-4",
    "--weight_decay",
    1,
    "--beta",
    0.2,
    "--fp16",
    "false",
    "--save_steps",
    2,
    "--check_model",
    "false",
]
LAUNCH = {
    "torchrun": ["--use_cpu", "true", "--ddp_backend", "gloo"],
    **{
        zero: [
            "--deepspeed",
            zero,
            "--accelerator_config",
            '{"dispatch_batches": false, "use_configured_state": true}',
        ]
        for zero in ("zero2", "zero3")
    },
}
ROUNDED = ("loss", "grad_norm", "kl")  # sums of float32 in another order
TIMES = ("step_time", "elapsed_time", "remaining_time", "train_speed(s/it)")


def two(grpo: Callable, rows: list, out: Path, launch: str, *arguments: object) -> object:
    """16 completions a step as 2 processes x 4 completions x 2 accumulation steps."""
    plugins = (str(Path(__file__).with_name("cpu_group.py")),) if launch != "torchrun" else ()
    return grpo(
        rows,
        out,
        *ARGUMENTS,
        "--gradient_accumulation_steps",
        2,
        *LAUNCH[launch],
        *arguments,
        plugins=plugins,
        NPROC_PER_NODE="2",
        MASTER_PORT=free_port(),
        OMP_NUM_THREADS="1",
        DS_ACCELERATOR="cpu",
    )


def completions(run: object) -> list[dict]:
    return [json.loads(line) for line in (run.out / "completions.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def one(grpo: Callable, rows: list, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Four steps in one process: 4 completions x 4 accumulation steps."""
    run = grpo(rows, tmp_path_factory.mktemp("one"), *ARGUMENTS, "--gradient_accumulation_steps", 4)
    assert run.code == 0, run.text[-3000:]
    return run


@pytest.fixture(scope="module", params=list(LAUNCH))
def pair(
    request: pytest.FixtureRequest,
    grpo: Callable,
    rows: list,
    tmp_path_factory: pytest.TempPathFactory,
) -> object:
    """The same steps in two processes, each with half of every batch."""
    if request.param != "torchrun":
        pytest.importorskip("deepspeed", reason="needs DeepSpeed")
    run = two(grpo, rows, tmp_path_factory.mktemp(request.param), request.param)
    assert run.code == 0, run.text[-3000:]
    return run


def test_each_completion_gets_the_same_reward(one: object, pair: object) -> None:
    expected, got = completions(one), completions(pair)
    assert len({reward for row in expected for reward in row["VisionR1"]}) > 4
    for row, other in zip(expected, got, strict=True):
        assert len(row["completion"]) == 16
        for column in ("step", "prompt", "solution", "completion", "VisionR1", "advantages"):
            assert other[column] == row[column], f"{column} of step {row['step'][0]}"


def test_stage_rewards_and_logs_agree(one: object, pair: object) -> None:
    assert [row["vision_r1/stage"] for row in one.steps] == [1, 1, 2, 2]
    assert any(row["kl"] > 1e-4 for row in one.steps)
    for row, other in zip(one.steps, pair.steps, strict=True):
        assert other.keys() == row.keys()
        for name in row.keys() - set(TIMES):
            tolerance = (
                {"rel": 1e-2, "abs": 1e-6} if name in ROUNDED else {"rel": 1e-6, "abs": 1e-7}
            )
            expected = (
                row[name] if isinstance(row[name], str) else pytest.approx(row[name], **tolerance)
            )
            assert other[name] == expected, f"{name} of step {row['global_step/max_steps']}"


def test_the_parts_are_means_over_both_processes(pair: object) -> None:
    for row, table in zip(pair.steps, completions(pair), strict=False):
        total = sum(row[f"vision_r1/{part}"] for part in ("format", "recall", "precision"))
        assert total == pytest.approx(sum(table["VisionR1"]) / len(table["VisionR1"]), abs=1e-5)


@pytest.mark.parametrize("pair", ["zero3"], indirect=True)
def test_a_sharded_run_goes_on_from_its_checkpoint(
    pair: object, grpo: Callable, rows: list, tmp_path: Path
) -> None:
    resumed = two(
        grpo, rows, tmp_path, "zero3", "--resume_from_checkpoint", pair.out / "checkpoint-2"
    )
    assert resumed.code == 0, resumed.text[-3000:]
    for row, other in zip(completions(pair)[2:], completions(resumed), strict=True):
        assert (other["step"], other["completion"], other["VisionR1"]) == (
            row["step"],
            row["completion"],
            row["VisionR1"],
        )
    for row, other in zip(pair.steps[2:], resumed.steps, strict=True):
        for name in ("vision_r1/stage", "kl", "grad_norm"):
            assert other[name] == pytest.approx(row[name], rel=1e-2), (
                f"{name} of step {row['global_step/max_steps']}"
            )


@pytest.mark.parametrize(
    "message",
    [
        "checked the annotations of 16 rows",
        "Vision-R1 (preset paper)",
        "advanced stage from step 2",
    ],
    ids=["data", "plan", "switch"],
)
def test_what_is_said_is_said_once(pair: object, message: str) -> None:
    assert pair.text.count(message) == 1


def test_a_bad_row_ends_both_processes(grpo: Callable, rows: list, tmp_path: Path) -> None:
    bad = [
        row | ({"solution": "{}"} if number == 11 else {})
        for number, row in enumerate(rows, start=1)
    ]
    run = two(grpo, bad, tmp_path, "torchrun")
    assert run.code != 0
    assert run.steps == []
    assert f"row 11 of {tmp_path / 'train.jsonl'}: expected" in run.text
