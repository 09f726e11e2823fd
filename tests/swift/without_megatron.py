"""ms-swift's own Megatron classes where Megatron is not installed: it needs CUDA as soon as it is
imported.

`swift/megatron/__init__.py` imports megatron-core, and `swift/megatron/arguments` mcore-bridge,
which imports Transformer Engine. The classes that tests need do without them: their modules are
executed from ms-swift's files, with the imports of those packages, and statements that need them,
left out.
"""

import __future__

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SWIFT = Path(importlib.util.find_spec("swift").submodule_search_locations[0])
LEFT_OUT = ("megatron", "mcore_bridge", "swift.megatron")
ARGUMENTS = [f"arguments/{name}_args.py" for name in ("megatron", "megatron_base", "sft", "rlhf")]
MODULES = {
    "swift.megatron.arguments": ARGUMENTS,
    "swift.megatron.callbacks.base": ["callbacks/base.py"],
}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the modules in place of those that cannot be imported."""
    if importlib.util.find_spec("transformer_engine") and importlib.util.find_spec("megatron"):
        return
    monkeypatch.setitem(sys.modules, "swift.megatron", ModuleType("swift.megatron"))
    for name, files in MODULES.items():
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        for file in files:
            path = SWIFT / "megatron" / file
            exec(compile(_without_megatron(path), str(path), "exec"), vars(module))
    # Which order Python gives Optional[Union[str, List[str]]] depends on what was imported before,
    # and transformers' argument parser reads only one of them.
    sys.modules["swift.megatron.arguments"].MegatronArguments.__annotations__["cp_comm_type"] = (
        list[str] | None
    )


def class_from(file: str, name: str, **names: object) -> Any:
    """A class of one of ms-swift's Megatron files.

    Args:
        file: under swift/megatron.
        name: of the class.
        names: what the class refers to, apart from annotations, and its methods, as far as they are
            called.
    """
    path = SWIFT / "megatron" / file
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if getattr(node, "name", None) == name]
    exec(compile(tree, str(path), "exec", flags=__future__.annotations.compiler_flag), names)
    return names[name]


def _without_megatron(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if not _needs_megatron(node)]
    return tree


def _needs_megatron(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or any(f"{node.module}.".startswith(f"{name}.") for name in LEFT_OUT)
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in LEFT_OUT for alias in node.names)
    return isinstance(node, ast.Assign) and "megatron.core" in ast.unparse(node)
