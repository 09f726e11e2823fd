"""Files that a user gives: text in UTF-8, JSON, YAML. A file that cannot be used is an InputError
of one line, which names the file and the place in it."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml
from yaml.error import MarkedYAMLError

from .errors import InputError
from .text import clipped

LARGEST_YAML = 2**20  # bytes
MOST_DIGITS = 1000  # of an integer in YAML
MOST_VALUES = 30_000  # of a YAML file once its aliases are written out
# Longest first: the mark of UTF-16-LE begins the one of UTF-32-LE.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_bytes(path: Path, most: int = -1) -> bytes:
    """The file's content, or its first `most` bytes.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise InputError(f"expected a file at {path}, got: {reason_of(error)}") from None


def reason_of(error: OSError) -> str:
    """Why a file cannot be opened, in the system's words."""
    return error.strerror or str(error)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark; raises InputError."""
    return decoded(read_bytes(path), path)


def decoded(raw: bytes, path: Path) -> str:
    """`read_text` for the file's content."""
    raise_unless_utf8(raw, path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"line {line} of {path}: {not_utf8(raw[error.start])}") from None


def not_utf8(byte: int) -> str:
    """What is wrong about a byte, for the end of an error."""
    return f"expected text in UTF-8, got the byte 0x{byte:02X}: save the file as UTF-8"


def raise_unless_utf8(start: bytes, path: Path) -> None:
    """Raise InputError if a file's first bytes show that it is in UTF-16 or UTF-32."""
    name = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if name is None and start[:1] and (start[1:2] == b"\0" or start[:1] == b"\0"):
        name = "UTF-16 or binary data"
    if name:
        raise InputError(f"expected text in UTF-8 in {path}, got {name}: save the file as UTF-8")


def read_json(path: Path) -> Any:
    """What a JSON file holds; NaN and Infinity are read as Python's json does.

    Raises:
        InputError: it cannot be read, or is not JSON.
    """
    return json_in(read_bytes(path), path)


def json_in(raw: bytes, path: Path) -> Any:
    """`read_json` for the file's content."""
    text = decoded(raw, path)
    try:
        return msgspec.json.decode(text)  # the same values in less than half the time
    except (msgspec.DecodeError, RecursionError, ValueError):
        pass  # json also reads NaN and halves of surrogate pairs, and names the place of an error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f"line {error.lineno} of " if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"{line}{path}: expected JSON, got {json_error(error)}") from None


def json_error(error: Exception) -> str:
    """What json found, without the line number, which the callers know."""
    if isinstance(error, json.JSONDecodeError):
        return f"text that is not JSON: {error.msg} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "brackets nested too deeply"
    return clipped(str(error))  # an integer of more digits than Python reads


def load_yaml(path: Path) -> Any:
    """What a YAML file holds: plain values only, each key once; None if it is empty.

    Raises:
        InputError: it cannot be read, is not YAML, has a key twice, or expands to more than
            `MOST_VALUES`, as nested aliases do.
    """
    raw = read_bytes(path, LARGEST_YAML + 1)
    if len(raw) > LARGEST_YAML:
        raise InputError(f"expected a YAML file of at most 1 MiB at {path}, got a larger one")
    text = decoded(raw, path)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node)
        return loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        wrong = f"line {line} of {path}: expected YAML, got the control character U+"
        raise InputError(f"{wrong}{error.character:04X}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{_place(error)}{path}: expected YAML, got {_problem(error)}") from None
    except RecursionError:
        raise InputError(f"{path}: expected YAML, got values nested too deeply") from None
    except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
        # PyYAML's constructors of numbers and dates raise whatever Python raises.
        reason = clipped(f"{type(error).__name__}: {error}")
        raise InputError(f"{path}: expected YAML, got an unreadable value: {reason}") from None


class _Loader(yaml.SafeLoader):
    """Stops at a key that comes twice and at `MOST_VALUES`: PyYAML reads 25,000 a second."""

    values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """PyYAML's, counted."""
        self.values += 1
        if self.values > MOST_VALUES:
            raise yaml.YAMLError(f"more than {MOST_VALUES:,} values")
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        """PyYAML's, without integers that Python would not print."""
        node = super().compose_scalar_node(anchor)
        if node.tag.endswith(":int") and len(node.value) > MOST_DIGITS:
            problem = f"an integer of {len(node.value)} characters"
            raise MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """PyYAML's, checked."""
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in lines:
                twice = f"{clipped(key.value)!r} twice, on line {lines[key.value]} too"
                raise MarkedYAMLError(problem=twice, problem_mark=key.start_mark)
            lines[key.value] = key.start_mark.line + 1
        return node


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1} of " if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    words = [getattr(error, name, None) for name in ("problem", "context")]
    problem = ", ".join(word for word in words if word) or str(error)
    problem = problem.removeprefix("but ").removeprefix("found ")
    advice = ": indent with spaces, not tabs" if r"'\t'" in problem else ""
    return clipped(problem) + advice


def _check_size(root: yaml.Node) -> None:
    """Raise YAMLError if the values with all aliases written out are too many."""
    sizes: dict[int, int] = {}
    above: set[int] = set()

    def size(node: yaml.Node) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        if id(node) in above:
            raise yaml.YAMLError("an alias inside what it stands for")
        if id(node) not in sizes:
            above.add(id(node))
            sizes[id(node)] = 1 + sum(map(size, _children(node)))
            above.remove(id(node))
        return sizes[id(node)]

    if size(root) > MOST_VALUES:
        raise yaml.YAMLError(f"aliases that come to more than {MOST_VALUES:,} values")


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    for child in node.value:
        yield from child if isinstance(child, tuple) else (child,)
