"""Two processes, plain and under DeepSpeed, compared number by number with one process on the same
batches."""

import json
import math
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
    "answer",
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
SOURCES = ("indoors", "outdoors", "streets")
PARTS = ("format", "recall", "precision")
ROUNDED = ("loss", "grad_norm", "kl")  # sums of float32 in another order
REWARDS = ("VisionR1", "Answer")
ANSWER = (str(Path(__file__).parents[2] / "configs" / "plugins" / "answer_reward.py"),)
TIMES = ("step_time", "elapsed_time", "remaining_time", "train_speed(s/it)")


@pytest.fixture(scope="module")
def mixed(rows: list) -> list:
    """The rows by three sources, so that a process lacks one in every step, and a question in each
    half that only `answer` judges."""
    question = {
        "messages": [{"role": "user", "content": "<image>How many colours?"}],
        "solution": None,
        "task": "general",
        "answer": "3",
    }
    return [
        {**row, "task": "detection", "answer": None, "source": SOURCES[number % 3]}
        | (question if number in (2, 9) else {})
        for number, row in enumerate(rows)
    ]


def two(grpo: Callable, rows: list, out: Path, launch: str, *arguments: object) -> object:
    """16 completions a step as 2 processes x 4 completions x 2 accumulation steps."""
    plugins = ANSWER
    if launch != "torchrun":
        plugins += (str(Path(__file__).with_name("cpu_group.py")),)
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
def one(grpo: Callable, mixed: list, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Four steps in one process: 4 completions x 4 accumulation steps."""
    out = tmp_path_factory.mktemp("one")
    run = grpo(mixed, out, *ARGUMENTS, "--gradient_accumulation_steps", 4, plugins=ANSWER)
    assert run.code == 0, run.text[-3000:]
    return run


@pytest.fixture(scope="module", params=list(LAUNCH))
def pair(
    request: pytest.FixtureRequest,
    grpo: Callable,
    mixed: list,
    tmp_path_factory: pytest.TempPathFactory,
) -> object:
    """The same steps in two processes, each with half of every batch."""
    if request.param != "torchrun":
        pytest.importorskip("deepspeed", reason="needs DeepSpeed")
    run = two(grpo, mixed, tmp_path_factory.mktemp(request.param), request.param)
    assert run.code == 0, run.text[-3000:]
    return run


def test_each_completion_gets_the_same_reward(one: object, pair: object) -> None:
    expected, logged = completions(one), completions(pair)
    assert len({reward for row in expected for reward in row["VisionR1"]}) > 4
    for row, other in zip(expected, logged, strict=True):
        assert len(row["completion"]) == 16
        for column in ("step", "prompt", "solution", "completion", *REWARDS, "advantages"):
            # as text, in which NaN (not judged) equals NaN
            assert str(other[column]) == str(row[column]), f"{column} of step {row['step'][0]}"


def test_stage_rewards_and_logs_agree(one: object, pair: object) -> None:
    assert [row["vision_r1/stage"] for row in one.steps] == [1, 1, 2, 2]
    assert any(row["kl"] > 5e-5 for row in one.steps)
    for row, other in zip(one.steps, pair.steps, strict=True):
        assert other.keys() == row.keys()
        for name in row.keys() - set(TIMES):
            tolerance = (
                {"rel": 1e-2, "abs": 1e-6} if name in ROUNDED else {"rel": 1e-6, "abs": 1e-7}
            )
            expected = (
                row[name]
                if isinstance(row[name], str)
                else pytest.approx(row[name], nan_ok=True, **tolerance)
            )
            assert other[name] == expected, f"{name} of step {row['global_step/max_steps']}"


def test_the_parts_are_means_over_both_processes(pair: object, mixed: list) -> None:
    """Over all completions, and over those of each source and task."""
    names = {row["solution"]: (row["source"], row["task"]) for row in mixed if row["solution"]}
    for row, table in zip(pair.steps, completions(pair), strict=False):
        rewards: dict[str, list[float]] = {}
        for solution, reward in zip(table["solution"], table["VisionR1"], strict=True):
            assert math.isnan(reward) == (solution is None)
            for name in ("", *names[solution]) if solution else ():
                rewards.setdefault(name and f"{name}/", []).append(reward)
        for name, ours in rewards.items():
            total = sum(row[f"vision_r1/{name}{part}"] for part in PARTS)
            assert total == pytest.approx(sum(ours) / len(ours), abs=1e-5), name
        logged = {key.rsplit("/", 1)[0] for key in row if key.endswith("/recall")}
        assert logged == {f"vision_r1/{name}".rstrip("/") for name in rewards}


@pytest.mark.parametrize("pair", ["zero3"], indirect=True)
def test_a_sharded_run_goes_on_from_its_checkpoint(
    pair: object, grpo: Callable, mixed: list, tmp_path: Path
) -> None:
    resumed = two(
        grpo, mixed, tmp_path, "zero3", "--resume_from_checkpoint", pair.out / "checkpoint-2"
    )
    assert resumed.code == 0, resumed.text[-3000:]
    for row, other in zip(completions(pair)[2:], completions(resumed), strict=True):
        for column in ("step", "completion", *REWARDS):
            assert str(other[column]) == str(row[column])
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
