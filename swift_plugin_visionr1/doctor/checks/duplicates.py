"""The same thing twice: boxes within a row, and images in training and validation data."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path

from ...data.images import local_image
from ...errors import ImageError
from ...text import listed, share
from ..findings import Finding, warning
from ..rows import DoctorRow

TELLING = 3  # a row with this many boxes that all recur in another row has the same annotations


def box_duplicates(rows: Sequence[DoctorRow]) -> list[Finding]:
    """Rows that have a box with the same label more than once."""
    bad = [(row, count) for row in rows if (count := _repeated(row))]
    if not bad:
        return []
    boxes = sum(count for _, count in bad)
    text = (
        f"{share(len(bad), len(rows))} rows have a box twice with the same label, {boxes} boxes in "
        f"all: {listed(row.place for row, _ in bad)}. The right answer has to name it twice: leave "
        "one out"
    )
    return [warning("duplicate_boxes", text)]


def _repeated(row: DoctorRow) -> int:
    labels = row.labels if len(row.labels) == len(row.boxes) else ("",) * len(row.boxes)
    pairs = zip(map(tuple, row.boxes.tolist()), labels, strict=True)
    return len(row.boxes) - len(set(pairs))


def overlap_findings(train: Sequence[DoctorRow], val: Sequence[DoctorRow]) -> list[Finding]:
    """Validation rows whose image, or whose annotations, are in the training data too."""
    known = {key for row in train for key in _keys(row)}
    bad = [row for row in val if known.intersection(_keys(row))]
    if not bad:
        return []
    text = (
        f"{share(len(bad), len(val))} rows of the validation data are in the training data, by "
        f"their image file or by their annotations: {listed(row.place for row in bad)}. What is "
        "measured on them says nothing about new images: leave them out of one of the two"
    )
    return [warning("val_in_train", text)]


def _keys(row: DoctorRow) -> Iterator[Hashable]:
    """What identifies an image: its file or bytes, and its annotations for renamed copies."""
    image = row.image
    if isinstance(image, Mapping) and image.get("bytes"):
        yield bytes(image["bytes"])
    else:
        yield _path(image)
    if len(row.boxes) >= TELLING:
        yield row.size, row.boxes.tobytes(), row.labels


def _path(image: object) -> Hashable:
    try:
        source = local_image(image)
    except (ImageError, OSError, ValueError):
        source = None
    return source.absolute() if isinstance(source, Path) else str(image)
