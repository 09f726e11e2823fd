"""Registers the rewards and the callback with ms-swift: `--external_plugins "$(vision-r1 plugin-path)"`.

After `pip install` that option is not needed, see `autoload.py`. ms-swift loads this file by path, in every
dataloader worker again: imports are absolute, and registering twice does nothing. The modules register themselves
as their last act, so it does not matter which of them, or which part of ms-swift, is imported first.
"""


def register_rewards() -> None:
    """Add the rewards to `swift.rewards.orms`."""
    import swift_plugin_visionr1.rewards  # noqa: F401


def register_callbacks() -> None:
    """Add the callback to `swift.callbacks.callbacks_map`."""
    import swift_plugin_visionr1.callbacks  # noqa: F401


if __name__ != "swift_plugin_visionr1.plugin":  # loaded by path
    register_rewards()
    register_callbacks()
