"""Megatron: the recipes' names and batch sizes, the stage, the check of the rows, and the callback
of its own kind.

Training needs CUDA. ms-swift's own classes do what can be done without: see without_megatron.py.
"""

import json
import logging
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

pytest.importorskip("swift", reason="needs the extra `swift`")

import torch.distributed
from swift.cli.main import parse_yaml_args
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import score_completions
from swift.rlhf_trainers.utils import make_reward_weights, resolve_reward_funcs
from swift.utils import parse_args

from swift_plugin_visionr1 import SettingsError, SolutionError, load_settings
from swift_plugin_visionr1.ms_swift.hooks import wrap_megatron_train, wrap_trainer

from . import without_megatron

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "configs/megatron").glob("*.yaml"))
SOLUTION = json.dumps(
    {"width": 112, "height": 112, "boxes": [[0, 0, 20, 20], [40, 0, 60, 20]], "labels": ["a", "b"]}
)
# IoU .6 with one of two: 2.1 for a beginner, then 1
HALF = '[{"bbox_2d": [0, 0, 20, 12], "label": "a"}]'


@pytest.fixture(autouse=True)
def megatron(monkeypatch: pytest.MonkeyPatch) -> None:
    without_megatron.install(monkeypatch)


@pytest.fixture(scope="module")
def state() -> Any:
    """The class of the trainer's state, which rewards get."""
    return without_megatron.class_from("trainers/utils.py", "TrainerState", dataclass=dataclass)


def flags(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A recipe as ms-swift's command line, or its Ray driver, hands it on."""
    if "train" in yaml.safe_load(recipe.read_text()):
        from swift.ray.megatron.driver_utils import _dict_to_argv, merge_group_dict, parse_ray_yaml

        ray, groups, shared = parse_ray_yaml(str(recipe))
        assert (ray.train_gpus, ray.rollout_gpus) == (8, 8)
        return _dict_to_argv(
            {**shared, **merge_group_dict(shared, groups["train"]), **groups["rollout"]}
        )
    for name in yaml.safe_load(recipe.read_text())["ENV"]:
        monkeypatch.setenv(name, "")  # so that what the recipe sets does not outlive the test
        monkeypatch.delenv(name)
    argv = [str(recipe), "--dataset", "train.jsonl"]
    parse_yaml_args(argv)
    return argv


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_a_recipe_is_one_of_ms_swifts_megatron(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Path, tmp_path: Path
) -> None:
    if "train" in yaml.safe_load(recipe.read_text()):
        pytest.importorskip("ray")
    from swift.megatron.arguments import MegatronRLHFArguments

    monkeypatch.chdir(ROOT)
    small = {
        "model": checkpoint,
        "model_type": "qwen2_5_vl",
        "template": "qwen2_5_vl",
        "output_dir": tmp_path,
    }
    argv = flags(recipe, monkeypatch) + [
        part for name, value in small.items() for part in (f"--{name}", str(value))
    ]
    args, unknown = parse_args(MegatronRLHFArguments, [*argv, "--skip_megatron_init", "true"])
    assert unknown == []
    assert (args.reward_funcs, args.tuner_type, args.beta, args.lr) == (
        ["vision_r1"],
        "full",
        0.2,
        1e-6,
    )
    assert (args.global_batch_size, args.num_generations, args.num_train_epochs) == (64, 4, 1)
    assert args.vllm_max_model_len == args.max_length + args.max_completion_length
    model_parallel = (
        args.tensor_model_parallel_size
        * args.pipeline_model_parallel_size
        * args.context_parallel_size
    )
    args.validate_batch_dp_alignment(
        args.generation_batch_size,
        args.num_generations,
        8 // model_parallel,
        args.micro_batch_size,
        8,
    )
    load_settings()


@pytest.mark.parametrize(
    "name", [recipe.stem for recipe in RECIPES if (ROOT / "configs/train" / recipe.name).exists()]
)
def test_a_recipe_has_the_limits_and_step_of_the_other_engine(name: str) -> None:
    megatron, plain = (
        yaml.safe_load((ROOT / "configs" / kind / f"{name}.yaml").read_text())
        for kind in ("megatron", "train")
    )
    assert megatron["model"] == plain["model"]
    assert megatron["ENV"] == {
        name: plain["ENV"][name] for name in ("MAX_PIXELS", "VISION_R1_CONFIG")
    }


def test_a_ray_recipe_leaves_out_what_ms_swift_does_not_read_or_refuses() -> None:
    for recipe in RECIPES:
        options = yaml.safe_load(recipe.read_text())
        assert not ("train" in options and {"ENV", "callbacks"} & set(options))


@pytest.mark.parametrize("stage", ["beginner", "advanced"])
def test_the_settings_of_the_two_ray_runs_are_the_papers_but_for_the_stage(stage: str) -> None:
    settings = load_settings(str(ROOT / f"configs/reward/fixed_{stage}.yaml"))
    assert settings.refinement.at(0, 1).name == stage
    assert settings.refinement.needs == "nothing"
    assert settings.refinement.criteria(stage) == load_settings("paper").refinement.criteria(stage)


def run_args(**options: Any) -> SimpleNamespace:
    return SimpleNamespace(
        model_type="qwen2_5_vl", max_pixels=None, reward_weights=None, use_ray=False, **options
    )


def rewards(args: Any, state: Any) -> list[float]:
    """What Megatron's trainer does to score: one completion, with its state."""
    funcs, _ = resolve_reward_funcs(["vision_r1"], args=args)
    messages = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": HALF}]
    sample = GRPOSample(messages=messages, extra={"solution": SOLUTION})
    return score_completions([sample], funcs, [None], False, torch.device("cpu"), state)[
        :, 0
    ].tolist()


def test_the_stage_follows_megatrons_iterations(state: Any) -> None:
    args = run_args()
    values = [rewards(args, state(max_steps=4, iteration=iteration))[0] for iteration in range(4)]
    assert values == pytest.approx([2.1, 2.1, 1, 1])


def test_megatrons_trainer_hands_its_state_to_rewards() -> None:
    """The premise of the test above, for the version of ms-swift that is installed."""
    source = (without_megatron.SWIFT / "megatron/trainers/grpo_trainer.py").read_text()
    assert "trainer_state=self.state," in source
    assert (
        "self.state = TrainerState(max_steps=args.train_iters)"
        in (without_megatron.SWIFT / "megatron/trainers/base.py").read_text()
    )


class Base:
    """In the place of what Megatron's GRPO trainer is derived from: it only trains."""

    def train(self, train_dataset: Any, val_dataset: Any) -> None:
        raise AssertionError("training began")


@pytest.fixture
def grpo_trainer() -> Any:
    """A trainer of ms-swift's own class, as far as it builds rewards and is told to train."""
    names = {
        "MegatronRolloutMixin": Base,
        "MegatronRLHFTrainer": object,
        "GRPOSample": GRPOSample,
        "profiling_decorator": lambda method: method,
        "contextmanager": contextmanager,
        "resolve_reward_funcs": resolve_reward_funcs,
        "make_reward_weights": make_reward_weights,
    }
    trainer_class = without_megatron.class_from(
        "trainers/grpo_trainer.py", "MegatronGRPOTrainer", **names
    )
    wrap_trainer(trainer_class)
    wrap_megatron_train(trainer_class)
    trainer = trainer_class.__new__(trainer_class)
    trainer.args = run_args(reward_funcs=["vision_r1", "vision_r1_recall"])
    trainer.template = SimpleNamespace(
        model_meta=SimpleNamespace(model_type="qwen3_vl"),
        template_meta=SimpleNamespace(template_type="qwen3_vl"),
        max_pixels=None,
        _get_response_prefix=lambda: "",
    )
    trainer.use_gym_env = trainer.dynamic_sample = False
    trainer.truncation_strategy, trainer.device = "left", "cpu"
    trainer._prepare_rewards()
    return trainer


def test_megatrons_rewards_know_its_template(grpo_trainer: Any) -> None:
    own, other = grpo_trainer.reward_funcs
    assert own.run is other.run
    assert (own.run.model_type, own.scorer.io.format.name) == ("qwen3_vl", "qwen3_vl")


def test_all_rows_are_checked_before_megatrons_trainer_trains(grpo_trainer: Any) -> None:
    datasets = pytest.importorskip("datasets")
    bad = datasets.Dataset.from_list([{"solution": SOLUTION, "images": []}])
    with pytest.raises(
        SolutionError, match='row 1 of train_dataset as loaded: expected an image in "images"'
    ):
        grpo_trainer.train(bad, None)


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class of the callback, as ms-swift finds it by name."""
    if "mapping" not in vars(sys.modules.get("swift.megatron.callbacks", object)):
        mapping = ModuleType(
            "swift.megatron.callbacks.mapping"
        )  # the real one needs Megatron for its other callbacks
        mapping.megatron_callbacks_map = {}  # type: ignore[attr-defined]
        monkeypatch.setitem(
            sys.modules, "swift.megatron.callbacks", ModuleType("swift.megatron.callbacks")
        )
        monkeypatch.setitem(sys.modules, "swift.megatron.callbacks.mapping", mapping)
        monkeypatch.delitem(
            sys.modules, "swift_plugin_visionr1.ms_swift.megatron_callback", raising=False
        )
    from swift_plugin_visionr1.ms_swift.register import register_megatron_callback

    register_megatron_callback()
    return sys.modules["swift.megatron.callbacks.mapping"].megatron_callbacks_map["vision_r1"]


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/group", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def trainer_of(state: Any, callback: Any, logged: list[dict]) -> Any:
    """Megatron's own loop of steps, logs and evaluations; a step only scores a completion."""
    from swift.megatron.callbacks.base import MegatronCallback

    flow = without_megatron.class_from(
        "callbacks/default_flow.py", "DefaultFlowCallback", MegatronCallback=MegatronCallback
    )
    base = without_megatron.class_from(
        "trainers/base.py",
        "BaseMegatronTrainer",
        ABC=object,
        abstractmethod=lambda method: method,
        torch=torch,
        maybe_finalize_async_save=lambda *args, **kwargs: None,
        should_disable_forward_pre_hook=lambda args: False,
        get_forward_backward_func=lambda: lambda **kwargs: [],
        contextmanager=contextmanager,
    )

    class Keep(MegatronCallback):  # type: ignore[misc, valid-type]
        def on_log(self, logs: dict) -> None:
            logged.append(dict(logs))

    class Trainer(base):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            self.args = run_args(
                global_batch_size=1,
                logging_steps=1,
                eval_steps=1,
                eval_iters=1,
                save_steps=0,
                train_iters=4,
                manual_gc=False,
                manual_gc_steps=0,
                manual_gc_eval=False,
                num_microbatches=1,
                seq_length=1,
                micro_batch_size=1,
            )
            self.state, self.wrapped_models, self._train_metrics = state(max_steps=4), [], {}
            self._metrics, self._start_iteration = {"train": defaultdict(list)}, 0
            self.config = self.eval_metrics = None
            self.callbacks = [each(self) for each in (callback, flow, Keep)]
            self.reward_funcs, _ = resolve_reward_funcs(["vision_r1"], args=self.args)

        def train_step(self, data: Any) -> tuple[list, float, bool]:
            self.reward_funcs[0]([HALF], trainer_state=self.state, solution=[SOLUTION])
            return [], 0.0, True

        def _replace_data_iterator(self, data: Any) -> None:  # of an evaluation
            self.reward_funcs[0](["a cat"] * 5, trainer_state=self.state, solution=[SOLUTION] * 5)

        def _aggregated_metrics(self, metrics: Any, total: dict) -> None:
            total["n_steps"] = 1

        def _get_reported_learning_rate(self) -> None:
            return None

        def _log_callback(self, logs: dict, n_steps: int) -> None:
            logs.update(
                {name: values.pop() for name, values in self._metrics["train"].items() if values}
            )

        def save_checkpoint(self) -> None:
            pass

        def _determine_best_metric(self, metrics: Any) -> None:
            pass

    return Trainer()


def test_the_callback_logs_with_megatrons_trainer(
    state: Any,
    callback: Any,
    process_group: None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("swift"), "propagate", True)
    logged: list[dict] = []
    trainer = trainer_of(state, callback, logged)
    trainer.call_event("on_train_begin")
    for _ in range(4):
        trainer.run_train_step(None, None)
    steps = [logs for logs in logged if "grad_norm" in logs]
    assert [logs["vision_r1/stage"] for logs in steps] == [1, 1, 2, 2]
    assert [logs["vision_r1/recall"] for logs in steps] == [0.5, 0.5, 0, 0]
    assert [logs["vision_r1/format"] for logs in steps] == [
        1,
        1,
        1,
        1,
    ]  # without the evaluations' garbage
    evaluations = [logs for logs in logged if "grad_norm" not in logs]
    assert len(evaluations) == 4
    assert not any("vision_r1/format" in name for logs in evaluations for name in logs)
    assert "from step 2, of 4 steps; now at step 0; model type qwen2_5_vl" in caplog.text


def test_the_callback_is_refused_in_rays_workers(callback: Any, state: Any) -> None:
    trainer = SimpleNamespace(args=SimpleNamespace(use_ray=True), state=state())
    with pytest.raises(SettingsError, match="expected no callback vision_r1 with --use_ray"):
        callback(trainer)
