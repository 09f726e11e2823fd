"""Values from files, checked by msgspec against what a frozen dataclass declares; errors are in the
words of the file."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from .errors import InputError
from .text import did_you_mean, short

T = TypeVar("T")
LARGEST = 2**53  # of whole numbers: beyond, a float is another number
WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def read_declared(kind: type[T], data: object, where: str) -> T:
    """`data`, a mapping of names to plain values, as the dataclass `kind`; `where` is in errors.

    Raises:
        InputError: it is not a mapping, has an unknown name, lacks one without a default, or has a
            value of another kind.
    """
    values = declared_values(kind, data, where)
    lacking = [f.name for f in fields(kind) if f.name not in values and not _has_default(f)]  # type: ignore[arg-type]
    if lacking:
        raise InputError(f"expected {', '.join(lacking)} in {where}, got none")
    return kind(**values)


def declared_values(kind: type, data: object, where: str) -> dict[str, Any]:
    """`read_declared` for some of the fields."""
    if not isinstance(data, Mapping):
        raise InputError(f"expected `name: value` lines in {where}, got a {type(data).__name__}")
    hints = get_type_hints(kind)
    for name in data:
        if name not in hints:
            meant = did_you_mean(name, hints)
            raise InputError(
                f"expected the names {', '.join(hints)} in {where}, got {short(name)!r}{meant}"
            )
    return {
        name: check_value(value, hints[name], f"{name} of {where}") for name, value in data.items()
    }


def check_value(value: Any, kind: Any, name: str) -> Any:
    """The value as the annotation `kind` has it: a list as a tuple, an integer as a float.

    Raises:
        InputError: it is of another kind.
    """
    try:
        if isinstance(value, int) and abs(value) > LARGEST:
            raise msgspec.ValidationError
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError):  # half a surrogate pair
        choices = [part for part in _parts(kind) if isinstance(part, str)]
        raise InputError(
            f"expected {name} to be {in_words(kind)}, got {_shown(value)}"
            f"{did_you_mean(value, choices)}"
        ) from None


def in_words(kind: Any) -> str:
    """What an annotation allows: `'box' or 'box_label'`, `a whole number or null`."""
    return " or ".join(_word(part) for part in _parts(kind))


def _parts(kind: Any) -> Iterator[Any]:
    """Choices and plain types of an annotation, those of its unions and literals one by one."""
    inner = get_args(kind)
    if not inner or get_origin(kind) in (tuple, dict):
        yield kind
        return
    for part in inner:
        yield from _parts(part)


def _word(part: Any) -> str:
    if isinstance(part, str):
        return repr(part)
    if get_origin(part) is tuple:
        members = get_args(part)
        count = "" if members[-1] is ... else f" of {len(members)}"
        return f"a list{count}, each {in_words(members[0])}"
    if get_origin(part) is dict:
        return "`name: value` lines"
    return WORDS.get(part, getattr(part, "__name__", str(part)).lower())


def _shown(value: Any) -> str:
    """A text in quotes, so that it is not taken for a number."""
    return repr(short(value)) if isinstance(value, str) else short(value)


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
