"""Registers the rewards and the callback with ms-swift: `--external_plugins "$(vision-r1 plugin-path)"`.

After `pip install` that option is not needed, see `autoload.py`. ms-swift loads this file by path, in every
dataloader worker again: imports are absolute, and registering twice does nothing.
"""


def register_rewards() -> None:
    """Add the rewards to `swift.rewards.orms`."""
    from swift.rewards.orm import orms

    from swift_plugin_visionr1.rewards import REWARDS

    orms.update(REWARDS)


def register_callbacks() -> None:
    """Add the callback to `swift.callbacks.callbacks_map`."""
    from swift.callbacks.mapping import callbacks_map

    from swift_plugin_visionr1.callbacks import VisionR1Callback

    callbacks_map["vision_r1"] = VisionR1Callback


if __name__ != "swift_plugin_visionr1.plugin":  # loaded by path
    register_rewards()
    register_callbacks()
