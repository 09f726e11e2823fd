"""Registers the plugin as ms-swift is imported, so that no command line has to name it.

ms-swift has no entry points for plugins. `autoload.pth`, installed beside the package, puts a
finder on `sys.meta_path` that does nothing until one of ms-swift's registries is imported, and
calls `find_spec` here then. VISION_R1_NO_AUTOLOAD=1 turns that off; then `plugin.py` calls
`install` instead.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from .register import REGISTER


class Registrar:
    """A finder on `sys.meta_path` that registers the plugin with each module of ms-swift once it is
    loaded: as it is imported, or at the next import if its own had already begun."""

    def __init__(self) -> None:
        self.pending = set(REGISTER)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, whose loader also registers; None for all other modules."""
        self.register_loaded()
        spec = PathFinder.find_spec(name, path) if name in self.pending else None
        if spec is None or spec.loader is None:
            return spec
        loader, execute = spec.loader, spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._register(name)

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def register_loaded(self) -> None:
        """Register with the modules that are already imported, but not while one is being
        imported."""
        for name in tuple(self.pending):
            module = sys.modules.get(name) if name in self.pending else None
            if module and not getattr(module.__spec__, "_initializing", False):
                self._register(name)

    def _register(self, name: str) -> None:
        self.pending.discard(name)
        try:
            REGISTER[name]()
        except Exception as error:  # whatever it is, ms-swift must keep working without the plugin
            print(_why(name, error), file=sys.stderr)


def _why(name: str, error: Exception) -> str:
    """What of the module `name` is missing, else the error itself."""
    from .pieces import lacking, sentence

    missing = lacking(module=name) if isinstance(error, ImportError | AttributeError) else []
    if missing:
        return "\n".join(sentence(piece) for piece in missing)
    return f"swift_plugin_visionr1 could not register itself: {error!r}"


def install() -> Registrar:
    """Put the registrar on `sys.meta_path`, once, and register with modules already imported."""
    registrars = [finder for finder in sys.meta_path if isinstance(finder, Registrar)]
    registrar = registrars[0] if registrars else Registrar()
    if not registrars:
        sys.meta_path.insert(0, registrar)
    registrar.register_loaded()
    return registrar


def find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """What `autoload.pth` asks for the first of ms-swift's registries."""
    return install().find_spec(name, path)
