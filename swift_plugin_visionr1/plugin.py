"""Registers rewards, callbacks and published data sets with ms-swift: `--external_plugins "$(vision-r1 plugin-path)"`.

After `pip install` that option is not needed, see `autoload.py`. ms-swift loads this file by path, in every
dataloader worker again: imports are absolute, and registering twice does nothing. The modules register themselves
as their last act, so it does not matter which of them, or which part of ms-swift, is imported first.
"""

import sys
from importlib import import_module
from typing import Any


def register_rewards() -> None:
    """Add the rewards to `swift.rewards.orms`."""
    import swift_plugin_visionr1.rewards  # noqa: F401


def register_callbacks() -> None:
    """Add the callbacks to `swift.callbacks.callbacks_map`."""
    from swift.callbacks.mapping import callbacks_map

    import swift_plugin_visionr1.callbacks  # noqa: F401

    callbacks_map["vision_r1_eval"] = evaluation_callback


def register_megatron_callback() -> None:
    """Add the callback of Megatron's trainer to `swift.megatron.callbacks.megatron_callbacks_map`."""
    import swift_plugin_visionr1.megatron_callback  # noqa: F401


def register_preprocessors() -> None:
    """Make `--dataset` read published data sets in runs with our reward."""
    import swift_plugin_visionr1.preprocessors  # noqa: F401


def evaluation_callback(args: Any, trainer: Any) -> Any:
    """The callback `vision_r1_eval`, which lives beside the evaluator: training without it needs none of that."""
    return import_module("mmdet_eval.training").VisionR1EvalCallback(args, trainer)


if __name__ != "swift_plugin_visionr1.plugin":  # loaded by path
    register_rewards()
    register_callbacks()
    register_preprocessors()
    if "swift.megatron" in sys.modules:  # importing it without megatron-core fails
        register_megatron_callback()
