"""Registers rewards, callbacks and published data sets with ms-swift.

`autoload.py` does it as ms-swift's registries are imported; `plugin.py` is the file for
`--external_plugins`. The registered modules register themselves as their last act, so it does not
matter which of them, or which part of ms-swift, is imported first. Registering twice does nothing.
"""

import sys
from importlib import import_module
from typing import Any


def register_rewards() -> None:
    """Add the rewards to `swift.rewards.orms`."""
    import swift_plugin_visionr1.ms_swift.rewards  # noqa: F401


def register_callbacks() -> None:
    """Add the callbacks to `swift.callbacks.callbacks_map`."""
    from swift.callbacks.mapping import callbacks_map

    import swift_plugin_visionr1.ms_swift.callback  # noqa: F401

    callbacks_map["vision_r1_eval"] = evaluation_callback


def register_megatron_callback() -> None:
    """Add the callback of Megatron's trainer to
    `swift.megatron.callbacks.megatron_callbacks_map`."""
    import swift_plugin_visionr1.ms_swift.megatron_callback  # noqa: F401


def register_preprocessors() -> None:
    """Make `--dataset` read published data sets in runs with our reward."""
    import swift_plugin_visionr1.ms_swift.dataset_hook  # noqa: F401


def register_loader() -> None:
    """Make `--dataset` refuse what is no data set in runs with our reward."""
    import swift_plugin_visionr1.ms_swift.dataset_refusal  # noqa: F401


def evaluation_callback(args: Any, trainer: Any) -> Any:
    """The callback `vision_r1_eval`, which lives beside the evaluator: training without it needs
    none of that."""
    return import_module("mmdet_eval.during_training.callback").VisionR1EvalCallback(args, trainer)


def register_all() -> None:
    """Register everything that this process of ms-swift can use."""
    register_rewards()
    register_callbacks()
    register_preprocessors()
    register_loader()
    if "swift.megatron" in sys.modules:  # importing it without megatron-core fails
        register_megatron_callback()
