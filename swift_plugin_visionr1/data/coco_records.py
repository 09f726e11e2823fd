"""Single records of COCO files, checked alike in annotations and results. Errors name record and
field."""

import sys
from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from ..errors import InputError
from ..geometry.boxes import LIMIT
from ..geometry.frames import Size
from ..text import short

Record = Mapping[str, Any]
KINDS = {int: "a number", str: "text"}
AT_ONCE = 10_000  # records that exist twice


class _PlainTruth(msgspec.Struct):
    """What most annotations have."""

    image_id: int | str
    category_id: int | str
    bbox: tuple[float, float, float, float]
    area: float = 0.0
    iscrowd: Literal[0, 1] = 0


def are_plain(
    records: Sequence[Record], images: Container[Any], categories: Container[Any]
) -> bool:
    """Whether all annotations certainly pass `check_record` and `check_truth`, told in a fraction
    of the time. If not, these find the one that does not, or that it is right in another form."""
    parts = (records[start : start + AT_ONCE] for start in range(0, len(records), AT_ONCE))
    return all(_are_plain(part, images, categories) for part in parts)


def _are_plain(
    records: Sequence[Record], images: Container[Any], categories: Container[Any]
) -> bool:
    try:
        plain = msgspec.convert(records, list[_PlainTruth])
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError):
        return False
    numbers = np.array([(*one.bbox, one.area) for one in plain]).reshape(-1, 5)
    return (
        bool(np.isfinite(numbers).all() and (numbers[:, 4] >= 0).all())
        and all(key in images for key in {one.image_id for one in plain})
        and all(key in categories for key in {one.category_id for one in plain})
    )


def check_record(
    record: Record, what: str, images: Container[Any], categories: Container[Any]
) -> None:
    """Check that the record's image and category are known and its bbox is four finite numbers.

    Args:
        record: an annotation or a result with image_id, category_id and bbox.
        what: names it in the error.
        images: ids of the images.
        categories: ids of the categories.

    Raises:
        InputError: one of these does not hold.
    """
    for name, known in (("image_id", images), ("category_id", categories)):
        value = record.get(name)
        if not isinstance(value, Hashable) or value not in known:
            raise InputError(
                f"expected {what} to have as {name} one that the annotation file lists, got "
                f"{short(value) if value is None or type(value) is not str else repr(value)}"
                f"{_other_kind(value, known)}"
            )
    box = record.get("bbox")
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(is_finite_number, box)):
        raise InputError(
            f"expected {what} to have a bbox of four finite numbers [x, y, width, height], got "
            f"{short(repr(box))}"
        )


def _other_kind(value: object, known: Container[Any]) -> str:
    """The remedy where ids are 7 here and "7" there."""
    if isinstance(value, str):
        return "; ids are numbers there and text here" if value.isdigit() else ""
    if type(value) is int and str(value) in known:
        return "; ids are text there and a number here: write both alike"
    return ""


def check_truth(record: Record, what: str) -> None:
    """Check the area and iscrowd of an annotation, which may lack them: COCOeval takes any text for
    a crowd.

    Args:
        record: an annotation.
        what: names it in the error.

    Raises:
        InputError: the area is not a finite number that is at least 0, or iscrowd is neither 0 nor
            1.
    """
    area, crowd = record.get("area"), record.get("iscrowd")
    if area is not None and not (is_finite_number(area) and area >= 0):
        raise InputError(
            f"expected {what} to have as area a number of square pixels, got {short(repr(area))}"
        )
    if crowd is not None and not (
        isinstance(crowd, bool) or (is_finite_number(crowd) and crowd in (0, 1))
    ):
        raise InputError(f"expected {what} to have an iscrowd of 0 or 1, got {short(repr(crowd))}")


def is_finite_number(value: object) -> bool:
    """Whether `value` is a number, neither NaN nor infinite nor too large for a float."""
    plain = type(value) in (int, float) or isinstance(value, np.integer | np.floating)
    return plain and bool(abs(value) <= sys.float_info.max)  # type: ignore[arg-type]


def required(record: Record, name: str, what: str) -> Any:
    """A field that the record must have.

    Raises:
        InputError: it is missing or null.
    """
    if record.get(name) is None:
        has = "null" if name in record else f"only {', '.join(sorted(record)) or 'an empty entry'}"
        raise InputError(f'expected {what} of the annotation file to have "{name}", got {has}')
    return record[name]


def read_size(record: Record, what: str) -> Size:
    """(width, height) of an image's record, in whole pixels: 640.0 is 640.

    Raises:
        InputError: a side is missing, or not a whole number of pixels that an image could have.
    """
    sides = [required(record, side, what) for side in ("width", "height")]
    if not all(is_finite_number(side) and 0 < side < LIMIT and side == side // 1 for side in sides):
        raise InputError(
            f"expected {what} to have its width and height in pixels, whole numbers above 0, got "
            f"{short(repr(tuple(sides)))}"
        )
    return int(sides[0]), int(sides[1])


def with_whole_ids(
    records: Sequence[dict[str, Any]], names: Iterable[str]
) -> tuple[Sequence[dict[str, Any]], int]:
    """The records with 7.0, as pandas writes ids, read as 7; and how many records had such."""
    names = tuple(names)
    if not any(type(record.get(name)) is float for record in records for name in names):
        return records, 0
    changed = [
        {name: int(record[name]) for name in names if _is_whole_float(record.get(name))}
        for record in records
    ]
    fixed = [record | change for record, change in zip(records, changed, strict=True)]
    return fixed, sum(map(bool, changed))


def _is_whole_float(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()
