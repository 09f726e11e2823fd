"""ms-swift's Ray driver and workers: the plugin is there, and the driver scores rollouts in the
declared stage."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

pytest.importorskip("swift", reason="needs the extra `swift`")
ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow

from swift.infer_engine.protocol import (  # noqa: E402
    ChatCompletionResponse,
    ChatCompletionResponseChoice,
    ChatMessage,
    RolloutOutput,
    UsageInfo,
)
from swift.ray.megatron.pipeline import MegatronRayPipeline  # noqa: E402
from swift.ray.megatron.resource_pool import ResourcePool  # noqa: E402
from swift.ray.megatron.worker_group import WorkerGroup  # noqa: E402

from swift_plugin_visionr1 import SettingsError, SolutionError, load_settings  # noqa: E402
from swift_plugin_visionr1.commands.plugin_path import PLUGIN  # noqa: E402
from swift_plugin_visionr1.data.ground_truth import read_solution  # noqa: E402
from swift_plugin_visionr1.models.model_io import Limits, model_io  # noqa: E402
from swift_plugin_visionr1.reward.scorer import Scorer  # noqa: E402

from . import without_megatron  # noqa: E402

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "configs/megatron/ray_qwen3_vl_30b_a3b.yaml"
SOLUTION = {
    "width": 112,
    "height": 112,
    "boxes": [[0, 0, 20, 20], [40, 0, 60, 20]],
    "labels": ["a", "b"],
}
# In pixels of an image that --max_pixels 3136 shrinks to 56 x 56.
PERFECT = '[{"bbox_2d": [0, 0, 10, 10], "label": "a"}, {"bbox_2d": [20, 0, 30, 10], "label": "b"}]'
HALF = '[{"bbox_2d": [0, 0, 10, 6], "label": "a"}]'  # IoU .6 with one of two
ANSWERS = [PERFECT, HALF, "a cat", ""]
BEGINNER, ADVANCED = [3, 1 + 0.5 + 0.6, 0, 0], [3, 1, 0, 0]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Ray on this machine, with two GPUs that are only numbers."""
    ray.init(num_cpus=4, num_gpus=2, include_dashboard=False)
    yield
    ray.shutdown()


def probe() -> type:
    class Probe:  # in a function, so that Ray sends it by value: a worker cannot import the tests
        def registered(self, *plugins: str) -> tuple[bool, str]:
            from swift.utils import import_external_file

            for file in plugins:
                import_external_file(file)
            from swift.rewards import orms

            return "vision_r1" in orms, os.environ.get("RANK", "")

    return Probe


def test_the_plugin_loads_in_workers_as_ms_swift_starts_them(cluster: None) -> None:
    pool = ResourcePool([2])
    pool.create()
    group = WorkerGroup.from_pool("train", pool, worker_cls=ray.remote(num_gpus=0)(probe()))
    assert group.broadcast("registered") == [(True, "0"), (True, "1")]
    group.shutdown()
    pool.destroy()


def test_without_autoload_workers_need_the_external_plugin(cluster: None) -> None:
    environment = {"env_vars": {"VISION_R1_NO_AUTOLOAD": "1"}}
    worker = ray.remote(probe()).options(runtime_env=environment).remote()
    assert ray.get(worker.registered.remote()) == (False, "")
    assert ray.get(worker.registered.remote(str(PLUGIN))) == (True, "")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, tmp_path: Path) -> Any:
    """`driver(rows, **settings)`: the recipe's driver-side trainer on the small model, with its
    data loaded."""
    without_megatron.install(monkeypatch)
    for name, value in {"USE_HF": "1", "HF_HUB_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)
    image = tmp_path / "image.png"
    Image.new("RGB", (112, 112)).save(image)

    def make(solutions: list[dict], **settings: object) -> Any:
        data = tmp_path / "train.jsonl"
        message = {"role": "user", "content": "<image>Where?"}
        rows = [
            {"messages": [message], "images": [str(image)], "solution": json.dumps(each)}
            for each in solutions
        ]
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings))
        monkeypatch.setenv("VISION_R1_CONFIG", str(tmp_path / "settings.yaml"))
        recipe = yaml.safe_load(RECIPE.read_text()) | {
            "model": str(checkpoint),
            "model_type": "qwen2_5_vl",
            "template": "qwen2_5_vl_pruned",
            "external_plugins": [str(checkpoint.parent / "pruned_template.py")],
            "torch_dtype": "float32",
            "dataset": str(data),
            "max_pixels": 3136,
            "output_dir": str(tmp_path / "out"),
        }
        (tmp_path / "ray.yaml").write_text(yaml.safe_dump(recipe))
        pipeline = MegatronRayPipeline(str(tmp_path / "ray.yaml"))
        trainer = pipeline._create_trainer()
        trainer.set_data_info(pipeline._build_dataset())
        return trainer

    return make


def rollout(answer: str) -> RolloutOutput:
    choice = ChatCompletionResponseChoice(0, ChatMessage("assistant", answer), "stop")
    return RolloutOutput(response=ChatCompletionResponse("small", [choice], UsageInfo(0, 0, 0)))


def scored(trainer: Any) -> list[float]:
    """What the driver's training loop does with the answers to the first prompt."""
    samples = trainer.expand_for_generation([trainer._data_info["train_dataset"][0]])
    samples = trainer._postprocess_rollout(samples, [rollout(answer) for answer in ANSWERS])
    return trainer.score_completions(samples)[:, 0].tolist()


@pytest.mark.parametrize(("stage", "expected"), [("beginner", BEGINNER), ("advanced", ADVANCED)])
def test_the_driver_scores_in_the_declared_stage(
    driver: Any, stage: str, expected: list[float]
) -> None:
    trainer = driver([SOLUTION], fixed_stage=stage)
    trainer._prepare_state()
    assert trainer.reward_func_names == ["VisionR1"]
    rewards = scored(trainer)
    assert rewards == pytest.approx(expected)

    alone = Scorer(load_settings(), model_io(load_settings(), "qwen2_5_vl", Limits({}, 3136, {})))
    truth = read_solution(json.dumps(SOLUTION))
    assert rewards == pytest.approx([alone.score(answer, truth, stage).total for answer in ANSWERS])


def test_a_group_sets_its_criteria_without_a_step(driver: Any) -> None:
    """The four answers achieve (1 + .3 + 0 + 0) / 4."""
    trainer = driver([SOLUTION], schedule="adaptive", adaptive={"low": 0.1, "high": 0.3})
    trainer._prepare_state()
    assert scored(trainer) == pytest.approx(ADVANCED)


def test_model_type_and_max_pixels_are_the_runs(driver: Any) -> None:
    trainer = driver([SOLUTION], fixed_stage="beginner")
    trainer._prepare_state()
    reward = trainer.reward_funcs[0]
    assert reward.run.model_type == "qwen2_5_vl"
    assert reward.scorer.io.resize.view((112, 112)).processed == (56, 56)


def test_without_a_declared_stage_the_run_stops_before_the_first_rollout(driver: Any) -> None:
    with pytest.raises(
        SettingsError, match="declare `fixed_stage: beginner` or `advanced` in the settings file"
    ):
        driver([SOLUTION]).train()  # which would fail for want of workers next


def test_the_driver_checks_all_rows_before_the_first_rollout(driver: Any) -> None:
    bad = SOLUTION | {"width": 999}
    with pytest.raises(
        SolutionError,
        match="row 2 of .*train.jsonl: expected width and height to be those of the image file",
    ):
        driver([SOLUTION, bad], fixed_stage="beginner").train()
