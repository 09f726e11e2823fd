"""One run of five tasks, number by number against what each task earns alone."""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

pytest.importorskip("swift", reason="needs the extra `swift`")

import torch
from swift.rl_core.advantage import compute_advantages
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import compute_rewards_per_func

from swift_plugin_visionr1 import Scorer, model_io
from swift_plugin_visionr1.ms_swift.rewards import VisionR1
from swift_plugin_visionr1.reward.batch_rows import PARTS
from swift_plugin_visionr1.reward.settings import load_settings

ROOT = Path(__file__).parents[2]
GENERATIONS = 4


@pytest.fixture(scope="module")
def answer_reward() -> type:
    from swift.rewards.orm import orms
    from swift.utils import import_external_file

    import_external_file(str(ROOT / "configs" / "plugins" / "answer_reward.py"))
    return orms.pop("answer")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """Rows of five tasks on 12 scenes."""
    out = tmp_path_factory.mktemp("mixed")
    script = ROOT / "examples" / "mixed" / "data.py"
    subprocess.run([sys.executable, script, "--out", out, "--scenes", "12"], check=True)
    return [json.loads(line) for line in (out / "mixed.jsonl").read_text().splitlines()]


def by_task(rows: list[dict], task: str) -> list[dict]:
    return [row for row in rows if row["task"] == task]


# ms-swift's own functions on written answers: what advantages a mixed batch has.


def answers(row: dict) -> list[str]:
    """A right one, a wrong one, an empty one and half of a right one."""
    solution = json.loads(row["solution"] or '{"boxes": []}')
    boxes = [
        {"bbox_2d": box, "label": label}
        for box, label in zip(solution["boxes"], solution.get("labels", ()), strict=False)
    ]
    points = [
        {"point_2d": [(box[0] + box[2]) // 2, (box[1] + box[3]) // 2], "label": label}
        for box, label in zip(solution["boxes"], solution.get("labels", ()), strict=False)
    ]
    right = {
        "pointing": json.dumps(points),
        "counting": str(len(boxes)),
        "general": row["answer"],
    }.get(row["task"], json.dumps(boxes))
    return [str(right), "no idea", "", str(right)[: len(str(right)) // 2]]


def samples(rows: list[dict]) -> list[GRPOSample]:
    return [
        GRPOSample.from_row(
            {
                **row,
                "messages": [*row["messages"], {"role": "assistant", "content": text}],
                "prompt_id": f"p{number}",
                "request_id": uuid4().hex,
            }
        )
        for number, row in enumerate(rows)
        for text in answers(row)
    ]


def advantages(
    rows: list[dict], functions: list, scale: str = "group"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rewards by function, and advantages, as ms-swift computes both."""
    rewards = compute_rewards_per_func(
        samples(rows), functions, [None] * len(functions), torch.device("cpu")
    )
    weights = torch.ones(len(functions))
    return rewards, compute_advantages(rewards, weights, GENERATIONS, scale_rewards=scale)[0]


@pytest.fixture
def our_reward() -> VisionR1:
    reward = VisionR1.__new__(VisionR1)
    settings = load_settings("configs/reward/fixed_beginner.yaml")
    scorer = Scorer(settings, model_io(settings, "qwen2_5_vl"), mixed=True)
    reward.run = type("Run", (), {"scorer": scorer, "tells_step": True})()
    return reward


@pytest.mark.parametrize("scale", ["group", "none"])
def test_advantages_of_a_mixed_batch_are_those_of_separate_runs(
    rows: list[dict], our_reward: VisionR1, answer_reward: type, scale: str
) -> None:
    """Whatever the order of the tasks; and a task that one reward judges has no part of the
    other's."""
    functions = [our_reward, answer_reward()]
    together, mixed = advantages(rows, functions, scale)
    assert torch.isnan(together).sum(dim=1).tolist() == [1] * len(together)  # one judges each
    places = torch.tensor([place for place, row in enumerate(rows) for _ in range(GENERATIONS)])
    for task in ("detection", "grounding", "pointing", "counting", "general"):
        own = by_task(rows, task)
        alone_by = [answer_reward()] if task == "general" else [our_reward]
        rewards, alone = advantages(own, alone_by, scale)
        where = torch.isin(places, torch.tensor([n for n, r in enumerate(rows) if r in own]))
        column = 1 if task == "general" else 0
        assert torch.equal(together[where, column], rewards[:, 0])
        assert torch.equal(mixed[where], alone)
        assert rewards[:, 0].reshape(-1, GENERATIONS)[:, 0].gt(0).all()  # right answers pay
        assert alone.abs().max() > 0


@pytest.mark.parametrize("scale", ["batch", "gdpo"])
def test_scales_over_the_batch_mix_the_tasks(
    rows: list[dict], our_reward: VisionR1, answer_reward: type, scale: str
) -> None:
    """What docs/mixed_tasks.md says of these: one factor for all of a task's advantages."""
    mixed = advantages(rows, [our_reward, answer_reward()], scale)[1]
    own = by_task(rows, "detection")
    alone = advantages(own, [our_reward], scale)[1]
    places = [n for n, row in enumerate(rows) if row in own for _ in range(GENERATIONS)]
    index = torch.tensor([n * GENERATIONS + place % GENERATIONS for place, n in enumerate(places)])
    ratios = (mixed[index] / alone)[alone.abs() > 1e-3]
    assert ratios.std() < 1e-3
    assert abs(float(ratios.mean()) - 1) > 1e-3


# The real trainer, two steps of the example.


@pytest.fixture(scope="module")
def run(swift: Callable, rows: list[dict], tmp_path_factory: pytest.TempPathFactory) -> object:
    """Two steps of examples/mixed/grpo.yaml, 8 prompts each in two portions."""
    out = tmp_path_factory.mktemp("run")
    data = out / "mixed.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = yaml.safe_load((ROOT / "examples" / "mixed" / "grpo.yaml").read_text())
    plugins = recipe.pop("external_plugins")
    settings = recipe.pop("ENV")["VISION_R1_CONFIG"]
    changed = {
        "dataset": data,
        "output_dir": out,
        "max_steps": 2,
        "per_device_train_batch_size": 16,
        "max_completion_length": 48,
    }
    words: list[object] = []
    for name, value in (recipe | changed).items():
        if name not in ("model", "model_type", "template", "torch_dtype"):
            words += [f"--{name}", *(value if isinstance(value, list) else [value])]
    done = swift(
        "rlhf", *words, out=out, plugins=(str(ROOT / plugins[1]),), VISION_R1_CONFIG=settings
    )
    assert done.code == 0, done.text[-3000:]
    return done


def logged(run: object) -> Iterator[tuple[dict, list[dict]]]:
    """Each step's line of the log, and its completions."""
    lines = [json.loads(line) for line in (run.out / "completions.jsonl").read_text().splitlines()]
    for step, table in zip(run.steps, lines, strict=False):
        names = [name for name, values in table.items() if len(values) == len(table["completion"])]
        yield (
            step,
            [
                {name: table[name][place] for name in names}
                for place in range(len(table["completion"]))
            ],
        )


@pytest.mark.slow
def test_a_mixed_run_logs_what_separate_runs_would(run: object, rows: list[dict]) -> None:
    settings = load_settings("strict")
    tasks = set()
    for number, (step, completions) in enumerate(logged(run)):
        assert len(completions) == 32
        of_source: dict[str, list] = {}
        for one in completions:
            task = one["task"]
            tasks.add(task)
            judged = task != "general"
            assert math.isnan(one["VisionR1"]) != judged
            assert math.isnan(one["Answer"]) == judged
            if judged:
                alone = Scorer(settings, model_io(settings, "qwen2_5_vl"))
                columns = {"solution": [one["solution"]], "task": [task]}
                standard = alone.schedule.at(number, 2)
                (breakdown,) = alone([one["completion"]], columns, standard)
                assert one["VisionR1"] == pytest.approx(breakdown.total, abs=1e-6)
                for name in (task, "shapes"):
                    of_source.setdefault(name, []).append(breakdown)
        for name, breakdowns in of_source.items():
            for part in PARTS:
                mean = sum(getattr(each, part) for each in breakdowns) / len(breakdowns)
                assert step[f"vision_r1/{name}/{part}"] == pytest.approx(mean, abs=1e-6)
        names = {key.split("/")[1] for key in step if key.count("/") == 2 and "vision_r1" in key}
        assert names - {"issues"} == set(of_source)
        for part in PARTS:  # all sources together are what is logged without their names
            assert step[f"vision_r1/{part}"] == pytest.approx(
                sum(getattr(each, part) for each in of_source["shapes"]) / len(of_source["shapes"])
            )
    assert len(tasks) >= 4
    assert "rows are left to answer" in run.text


@pytest.mark.slow
def test_advantages_of_the_run_are_those_of_its_groups_alone(run: object) -> None:
    for _, completions in logged(run):
        for start in range(0, len(completions), GENERATIONS):
            group = completions[start : start + GENERATIONS]
            name = "Answer" if group[0]["task"] == "general" else "VisionR1"
            rewards = torch.tensor([[one[name]] for one in group])
            alone, _ = compute_advantages(rewards, torch.ones(1), GENERATIONS)
            assert [one["advantages"] for one in group] == pytest.approx(alone.tolist(), abs=1e-5)
