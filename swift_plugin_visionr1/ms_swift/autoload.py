"""Registers the plugin when ms-swift's registries are imported, so that no command line has to name
it.

ms-swift has no entry points for plugins. `autoload.pth`, installed beside the package, puts a
finder on `sys.meta_path` that does nothing until one of the modules below is imported, and calls
`find_spec` here then.
VISION_R1_NO_AUTOLOAD=1 turns it off.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from .register import (
    register_callbacks,
    register_loader,
    register_megatron_callback,
    register_preprocessors,
    register_rewards,
)

_REGISTER: dict[str, Callable[[], None]] = {
    "swift.rewards.orm": register_rewards,
    "swift.callbacks.mapping": register_callbacks,
    "swift.dataset.preprocessor.core": register_preprocessors,
    "swift.dataset.loader": register_loader,
    "swift.megatron.callbacks.mapping": register_megatron_callback,
}


def find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """The registry module's own spec, whose loader also registers the plugin once the module is
    there."""
    spec = PathFinder.find_spec(name, path)
    if spec is None or spec.loader is None:
        return spec
    loader, execute = spec.loader, spec.loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        try:
            _REGISTER[name]()
        except Exception as error:  # whatever it is, ms-swift must go on working without the plugin
            print(f"swift_plugin_visionr1 could not register itself: {error!r}", file=sys.stderr)

    loader.exec_module = exec_module  # type: ignore[method-assign]
    return spec
