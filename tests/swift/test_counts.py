"""What is logged of a step against a count by hand of all that was scored in it, where images are
answered alike; and the warning that comes of it."""

import itertools
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import free_port

pytest.importorskip("swift", reason="needs the extra `swift`")
pytestmark = pytest.mark.slow

from swift_plugin_visionr1 import PRESETS, Scorer, model_io, read_solution  # noqa: E402
from swift_plugin_visionr1.runs.alarms import PATIENCE  # noqa: E402
from swift_plugin_visionr1.runs.run_record import find_record, past_alarms  # noqa: E402

PARTS = ("format", "recall", "precision", "predicted", "truths")
REWARDS = ["vision_r1", *(f"vision_r1_{part}" for part in PARTS[:3]), "record_calls"]
# Greedy, so that all completions of a prompt are the same and each group is drawn again.
ARGUMENTS = [
    *("--reward_funcs", *REWARDS, "--reward_weights", 1, 0, 0, 0, 0),
    *("--callbacks", "vision_r1", "--top_k", 1, "--log_completions", "true"),
    *("--per_device_train_batch_size", 4, "--gradient_accumulation_steps", 2),
    *("--dynamic_sample", "true", "--max_resample_times", 2, "--save_strategy", "no"),
    *("--max_completion_length", 192),  # the longest answers, so that none is cut off
]
TWO = {"NPROC_PER_NODE": "2", "OMP_NUM_THREADS": "1"}
STEPS = PATIENCE + 2


@pytest.fixture(scope="module")
def alike(rows: list, tmp_path_factory: pytest.TempPathFactory) -> list:
    """16 rows: 12 files of one scene with one annotation, and 4 of another."""
    folder, made = tmp_path_factory.mktemp("alike"), []
    for number in range(16):
        row = rows[0] if number % 4 else rows[1]
        image = folder / f"{number}.png"
        image.write_bytes(Path(row["images"][0]).read_bytes())
        made.append(row | {"images": [str(image)]})
    return made


@pytest.fixture(scope="module", params=["one process", "two processes"])
def run(
    request: pytest.FixtureRequest,
    grpo: Callable,
    alike: list,
    tmp_path_factory: pytest.TempPathFactory,
) -> object:
    """Seven steps, each of several reward calls."""
    out = tmp_path_factory.mktemp("counts")
    two = request.param == "two processes"
    launch = ["--use_cpu", "true", "--ddp_backend", "gloo"] if two else []
    done = grpo(
        alike,
        out,
        *ARGUMENTS,
        "--max_steps",
        STEPS,
        *launch,
        plugins=(str(Path(__file__).with_name("record_calls.py")),),
        CALLS=str(out),
        **({**TWO, "MASTER_PORT": free_port()} if two else {}),
    )
    assert done.code == 0, done.text[-3000:]
    return done


def calls(out: Path) -> dict[int, list[dict]]:
    """The reward calls of all processes, by step."""
    found = defaultdict(list)
    for file in [*out.glob("0.jsonl"), *out.glob("1.jsonl")]:
        for call in map(json.loads, file.read_text().splitlines()):
            found[call["step"]].append(call)
    return found


def by_hand(step: list[dict], number: int) -> dict[str, float]:
    scorer = Scorer(PRESETS["paper"], model_io(PRESETS["paper"]))
    stage = scorer.schedule.at(number, STEPS).name
    scored = [
        scorer.score(text, read_solution(solution), stage)
        for call in step
        for text, solution in zip(call["completions"], call["solution"], strict=True)
    ]
    return {part: sum(getattr(own, part) for own in scored) / len(scored) for part in PARTS}


def test_the_means_are_those_of_all_completions(run: object) -> None:
    recorded = calls(run.out)
    assert len(run.steps) == STEPS
    for number, row in enumerate(run.steps):
        assert len(recorded[number]) > 1, "dynamic sampling drew again"
        logged = {part: row[f"vision_r1/{part}"] for part in PARTS}
        assert logged == pytest.approx(by_hand(recorded[number], number), abs=1e-6)


def test_the_case_is_there(run: object) -> None:
    """Two calls in a row, of different completions with the same texts and annotations."""
    pairs = [
        (one, other) for step in calls(run.out).values() for one, other in itertools.pairwise(step)
    ]
    same = [(a, b) for a, b in pairs if a["completions"] == b["completions"]]
    assert any(a["solution"] == b["solution"] and a["ids"] != b["ids"] for a, b in same)


def test_one_warning_says_that_nothing_is_learnt(run: object) -> None:
    warning = "Vision-R1: all completions of each group earn the same"
    assert run.text.count(warning) == 1
    line = next(line for line in run.text.splitlines() if warning in line)
    assert f"up to step {PATIENCE}." in line
    assert f"`vision-r1 explain --row {run.out}/completions.jsonl:" in line
    assert past_alarms(run.out) == {"spread": PATIENCE}


def test_the_run_remembers_its_settings(run: object) -> None:
    record, _ = find_record(run.out)
    assert record.settings == PRESETS["paper"]
    assert (record.model_type, record.chat.template) == ("qwen2_5_vl", "qwen2_5_vl_pruned")
