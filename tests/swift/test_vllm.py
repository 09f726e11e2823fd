"""vLLM, on a CPU too: `swift infer` answers as with transformers, and GRPO learns from its rollouts
(today.yaml).

Before vLLM's first use on a CPU its linear layers are packed for oneDNN and the weights dropped, so
that the trainer could not bring new ones. Where oneDNN knows no bfloat16, ONEDNN_MAX_CPU_ISA=AVX2,
they are kept.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from PIL import Image

pytest.importorskip("swift", reason="needs the extra `swift`")

from mmdet_eval.asking.asked_model import AskedModel
from mmdet_eval.asking.session import Answered, run
from mmdet_eval.suites.protocols import load_protocol
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1 import PRESETS, Scorer, model_io
from swift_plugin_visionr1.models.families import Limits
from swift_plugin_visionr1.recipes.overlays import merged

from .conftest import SWIFT, Row, Run, free_port
from .stand_ins.cases import CONFIGS, OVER
from .stand_ins.on_vllm import ENGINE, OFFLINE, ON_CPU, flags, needs_vllm

pytestmark = pytest.mark.slow

STEPS, GROUP = 4, 8
BLANK = 6  # of 16 images, which are answered alike by the whole group
TEMPLATE = {"model_type": "qwen2_5_vl", "template": "qwen2_5_vl_pruned"}


def small(checkpoint: Path) -> list[str]:
    return flags(**TEMPLATE, external_plugins=checkpoint.parent / "pruned_template.py")


@pytest.fixture(scope="module")
def scenes(rows: list[Row]) -> DatasetSpec:
    folder = Path(str(rows[0]["images"][0])).parents[2]
    return DatasetSpec("val", folder / "val.json", folder / "images")


@needs_vllm
def test_answers_are_those_of_the_transformers_backend(
    scenes: DatasetSpec, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        **OFFLINE,
        **ON_CPU,
        "MAX_PIXELS": "9408",
    }.items():  # 12 visual tokens: the scenes have 16
        monkeypatch.setenv(name, value)
    options = {"transformers": small(checkpoint), "vllm": small(checkpoint) + flags(**ENGINE)}
    told = {}
    for backend, own in options.items():
        model = AskedModel(
            str(checkpoint),
            backend,
            options=(*own, *flags(torch_dtype="float32", max_new_tokens=160)),
        )
        (answered,), asked, _ = run(
            model, [scenes], load_protocol("vision_r1_coco"), tmp_path / backend
        )
        assert asked == 4
        told[backend] = responses(answered)
    assert told["vllm"] == told["transformers"]
    assert any("bbox_2d" in text for text in told["vllm"])


def responses(answered: Answered) -> list[str]:
    return [json.loads(line)["response"] for line in answered.answers.read_text().splitlines()]


@pytest.fixture(scope="module", params=["transformers", pytest.param("vllm", marks=needs_vllm)])
def trained(
    request: pytest.FixtureRequest,
    rows: list[Row],
    checkpoint: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Qwen2.5-VL-7B's recipe under today.yaml on the small model; both stages; steps large enough
    to be noticed."""
    out = tmp_path_factory.mktemp("today")
    blank = out / "blank.png"
    Image.new("RGB", (112, 112), "white").save(blank)
    empty = {
        "images": [str(blank)],
        "solution": '{"width": 112, "height": 112, "boxes": [], "labels": []}',
    }
    mixed = [row | (empty if number < BLANK else {}) for number, row in enumerate(rows)]
    (out / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in mixed))
    recipe = merged([OVER["rlhf"], CONFIGS / "overlays" / "today.yaml"])
    if request.param == "transformers":
        recipe, engine = {name: value for name, value in recipe.items() if "vllm" not in name}, {}
    else:
        engine = ENGINE | {"sleep_level": 0}  # vLLM sleeps on GPUs only
    (out / "mine.yaml").write_text(yaml.safe_dump(recipe))
    changed = {
        "model": checkpoint,
        "dataset": out / "train.jsonl",
        "output_dir": out / "run",
        "max_steps": STEPS,
        "learning_rate": 1e-3,
        "max_completion_length": 128,
        "attn_impl": "sdpa",
        "deepspeed": "",
        "use_cpu": "true",
        "report_to": "none",
        "check_model": "false",
    }
    result = subprocess.run(
        [SWIFT, "rlhf", str(out / "mine.yaml"), *flags(**changed, **engine), *small(checkpoint)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env=os.environ
        | OFFLINE
        | ON_CPU
        | {"VISION_R1_CONFIG": "paper", "MASTER_PORT": free_port()},
        cwd=CONFIGS.parent,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    return Run(result.returncode, result.stdout, out / "run")


def kept(trained: Run) -> list[dict]:
    """The completions of each step as the trainer logs them: those that are trained on."""
    lines = (trained.out / "completions.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines][:STEPS]  # ms-swift writes the last step twice


def test_every_step_is_scored_by_its_stage(trained: Run) -> None:
    """Also the completions that dynamic sampling draws within a step, by further calls of the
    reward."""
    scorer = Scorer(
        PRESETS["paper"], model_io(PRESETS["paper"], "qwen2_5_vl", Limits({"MAX_PIXELS": "401408"}))
    )
    assert [row["vision_r1/stage"] for row in trained.steps] == [1, 1, 2, 2]
    stages = ("beginner", "beginner", "advanced", "advanced")
    for step, stage, row in zip(kept(trained), stages, trained.steps, strict=True):
        totals = [
            each.total for each in scorer(step["completion"], {"solution": step["solution"]}, stage)
        ]
        assert step["VisionR1"] == pytest.approx(totals, abs=1e-5)
        assert row["rewards/VisionR1/mean"] == pytest.approx(sum(totals) / len(totals), abs=1e-5)


def test_groups_of_equal_rewards_are_drawn_again(trained: Run) -> None:
    for step in kept(trained):
        groups = [
            step["VisionR1"][start : start + GROUP]
            for start in range(0, len(step["VisionR1"]), GROUP)
        ]
        assert len(groups) == 2
        assert all(max(group) > min(group) for group in groups)
    scored = [
        sum(row[f"vision_r1/{part}"] for part in ("format", "recall", "precision"))
        for row in trained.steps
    ]
    assert scored != pytest.approx(
        [row["reward"] for row in trained.steps]
    )  # vision_r1/* are of all that was scored


def test_rollouts_come_from_the_weights_that_are_trained(trained: Run) -> None:
    """vLLM's probabilities of the tokens against the trainer's."""
    distances = [row.get("rollout_correction/k3_kl") for row in trained.steps]
    assert (
        all(kl < 0.001 for kl in distances)
        if "use_vllm=True" in trained.text
        else distances == [None] * STEPS
    )
