"""Finds the modules beside a Python file that it imports."""

import ast
from collections.abc import Iterator
from pathlib import Path


def local_imports(file: Path) -> list[Path]:
    """The files in the folder of `file` that importing it also runs, as far as `import` statements
    tell; ms-swift puts the folder of an external plugin on the path."""
    folder, seen = file.parent, dict[Path, None]()
    left = [file]
    while left:
        path = left.pop()
        for name in _imported(path, folder):
            files = [place for place in _files_of(folder, name) if place not in seen]
            left += files
            seen |= dict.fromkeys(files)
    return sorted(path for path in seen if path != file)


def _imported(path: Path, folder: Path) -> Iterator[str]:
    """The dotted names that a file imports, seen from `folder`; none if it is not Python."""
    try:
        nodes = ast.walk(ast.parse(path.read_bytes()))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.parent.relative_to(folder).parts
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def _files_of(folder: Path, name: str) -> Iterator[Path]:
    """The files that importing a dotted name runs: of each package on the way, and its own."""
    place = folder
    for part in filter(None, name.split(".")):
        place = place / part
        for file in (place.with_name(f"{part}.py"), place / "__init__.py"):
            if file.is_file():
                yield file
