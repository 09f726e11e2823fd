"""What is registered with which module of ms-swift; `autoload.py` sees to when.

The registered modules register themselves as their last act, so it does not matter which of them,
or which part of ms-swift, is imported first. Registering twice does nothing.
"""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

CALLBACKS = "vision_r1.callbacks"  # the group of entry points


def register_rewards() -> None:
    """Add the rewards to `swift.rewards.orms`."""
    import swift_plugin_visionr1.ms_swift.rewards  # noqa: F401


def register_callbacks() -> None:
    """Add the callbacks to `swift.callbacks.callbacks_map`: ours, and those of packages that stand
    on this one, such as the evaluator's `vision_r1_eval`."""
    from swift.callbacks.mapping import callbacks_map

    import swift_plugin_visionr1.ms_swift.callback  # noqa: F401

    for entry in entry_points(group=CALLBACKS):
        callbacks_map[entry.name] = _loaded_when_used(entry)


def register_megatron_callback() -> None:
    """Add the callback of Megatron's trainer to
    `swift.megatron.callbacks.megatron_callbacks_map`."""
    import swift_plugin_visionr1.ms_swift.megatron_callback  # noqa: F401


def register_preprocessors() -> None:
    """Make `--dataset` read published data sets in runs with our reward."""
    import swift_plugin_visionr1.ms_swift.dataset_hook  # noqa: F401


def register_arguments() -> None:
    """Let data sets know which run they are loaded for."""
    from swift.arguments.base_args.base_args import BaseArguments

    from .hooks import wrap_arguments

    wrap_arguments(BaseArguments)


def register_loader() -> None:
    """In runs with our reward, refuse files that are not data sets, and tell rows which file they
    come from."""
    from swift.dataset.loader import DatasetLoader

    import swift_plugin_visionr1.ms_swift.dataset_refusal  # noqa: F401

    from .hooks import wrap_loader

    wrap_loader(DatasetLoader)


def register_trainer() -> None:
    """Let rewards know the trainer that builds them."""
    from swift.rlhf_trainers.grpo_trainer import GRPOTrainer

    from .hooks import wrap_rollout_log, wrap_trainer

    wrap_trainer(GRPOTrainer)
    wrap_rollout_log(GRPOTrainer)


def register_megatron_trainer() -> None:
    """As `register_trainer`, for Megatron's; that one is given its data sets when it trains."""
    from swift.megatron.trainers.grpo_trainer import MegatronGRPOTrainer

    from .hooks import wrap_megatron_train, wrap_trainer

    wrap_trainer(MegatronGRPOTrainer)
    wrap_megatron_train(MegatronGRPOTrainer)


def register_ray_trainer() -> None:
    """As `register_trainer`, for the driver of Ray."""
    from swift.ray.megatron.grpo_trainer import GRPOTrainer

    from .hooks import wrap_trainer

    wrap_trainer(GRPOTrainer)


def register_models() -> None:
    """Add Griffon-G to `swift.model` and `swift.template`, and what PaliGemma and Gemma 4 need."""
    import swift_plugin_visionr1.ms_swift.gemma
    import swift_plugin_visionr1.ms_swift.griffon_g  # noqa: F401


def _loaded_when_used(entry: EntryPoint) -> Callable[[Any, Any], Any]:
    """A callback's constructor, whose module is imported when a run names the callback."""
    return lambda args, trainer: entry.load()(args, trainer)


REGISTER: dict[str, Callable[[], None]] = {
    "swift.model": register_models,
    "swift.rewards.orm": register_rewards,
    "swift.callbacks.mapping": register_callbacks,
    "swift.megatron.callbacks.mapping": register_megatron_callback,
    "swift.dataset.preprocessor.core": register_preprocessors,
    "swift.dataset.loader": register_loader,
    "swift.arguments.base_args.base_args": register_arguments,
    "swift.rlhf_trainers.grpo_trainer": register_trainer,
    "swift.megatron.trainers.grpo_trainer": register_megatron_trainer,
    "swift.ray.megatron.grpo_trainer": register_ray_trainer,
}
