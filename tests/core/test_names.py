"""Names in both packages: each says what it holds, and a class name means one thing."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# They say where a value came from, not what it is.
EMPTY = {"found", "own", "got", "_found", "_own", "_got"}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Every node of the packages' sources, with its place."""
    for package in ("swift_plugin_visionr1", "mmdet_eval"):
        for file in sorted((ROOT / package).glob("**/*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                yield f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", node


def name_of(node: ast.AST) -> str | None:
    """The name that a node gives or uses, of a variable, parameter, attribute or function."""
    for kind, field in (
        (ast.Name, "id"),
        (ast.arg, "arg"),
        (ast.keyword, "arg"),
        (ast.Attribute, "attr"),
        (ast.FunctionDef | ast.ClassDef, "name"),
    ):
        if isinstance(node, kind):
            return getattr(node, field)
    return None


def test_names_say_what_they_hold() -> None:
    assert [f"{place} {name_of(node)}" for place, node in nodes() if name_of(node) in EMPTY] == []


def test_a_class_name_exists_once() -> None:
    counted = Counter(node.name for _, node in nodes() if isinstance(node, ast.ClassDef))
    assert [name for name, count in counted.items() if count > 1] == []
