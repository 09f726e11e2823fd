"""Sets that say how many things there are, without boxes: CountBench, PixMo-Count, FSC147, and
one's own rows.

    {"image": "street.jpg", "label": "parked cars", "count": 3}

An image's entry has the question or the label as its caption, and the number as `annotated_count`.
There are no annotations, so only counting is measured.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.image_paths import find_image
from swift_plugin_visionr1.data.row_files import read_file
from swift_plugin_visionr1.declared import check_value
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import read_json, read_text
from swift_plugin_visionr1.geometry.frames import Size
from swift_plugin_visionr1.writing import write_file

from ...coco.annotations import COUNT
from ..spec import DatasetSpec
from .content import Content, Expression, content_of, size_in

SUBJECTS = ("question", "label", "category", "text")  # the first of them that a row has
NUMBERS = ("count", "number")
FILES = ("image", "file_name", "image_sha256")  # where a row names its image
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")


def read_counts(spec: DatasetSpec) -> Content:
    """Rows of JSON or parquet: an image, what is counted, and its number.

    CountBench has `text` or `question` and `number`, PixMo-Count `label` and `count`. An image is
    named by its file, or by `image_sha256`, which is then the file's name without its ending.
    Images inside a parquet file are written to the folder of images, if they are not there yet.
    Rows without an image are left out and counted.

    Raises:
        InputError: a row lacks what is counted, or its number.
    """
    dropped: Counter[str] = Counter()
    sizes: dict[str, Size] = {}
    data = content_of(_rows(spec, dropped, sizes), spec)
    return Content(data, tuple(f"left out: {n} {reason}" for reason, n in dropped.items()))


def _rows(spec: DatasetSpec, dropped: Counter[str], sizes: dict[str, Size]) -> Iterator[Expression]:
    for number, row in read_file(spec.ann):
        if isinstance(row, str):
            raise InputError(f"row {number} of {spec.ann}: {row}")
        subject = next((row[key] for key in SUBJECTS if isinstance(row.get(key), str)), None)
        count = next((row[key] for key in NUMBERS if row.get(key) is not None), None)
        if not subject or count is None or not _is_count(count):
            raise InputError(
                f"expected {' or '.join(SUBJECTS)} and {' or '.join(NUMBERS)}, a whole number, in "
                f"row {number} of {spec.ann}, got {sorted(row)}"
            )
        name = _file_name(row, spec, number)
        if name is None:
            dropped["rows without an image"] += 1
            continue
        size = size_in(spec.images, name, sizes)
        yield Expression(name, size, subject, (), {COUNT: int(count)})


def _is_count(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and value >= 0 and value == int(value)


def _file_name(row: Mapping[str, Any], spec: DatasetSpec, number: int) -> str | None:
    """The row's image, relative to the folder of images; None if it has none."""
    value = next((row[key] for key in FILES if row.get(key)), None)
    if isinstance(value, Mapping):
        return _unpacked(value, spec.images, f"{spec.name}-{number:05d}")
    if not isinstance(value, str):
        return None
    if Path(value).suffix.lower() in ENDINGS:
        return value
    names = (value + ending for ending in ENDINGS)
    return next((name for name in names if find_image(spec.images, name)), None)


def _unpacked(image: Mapping[str, Any], folder: Path, name: str) -> str | None:
    if not image.get("bytes"):
        path = image.get("path")
        return str(path) if path else None
    ending = Path(str(image.get("path") or "")).suffix.lower()
    file = name + (ending if ending in ENDINGS else ".jpg")
    if not (folder / file).exists():
        write_file(folder / file, bytes(image["bytes"]))
    return file


def read_fsc147(spec: DatasetSpec) -> Content:
    """FSC-147 as published: `annotation_FSC147_384.json` with a point for each object, beside
    `Train_Test_Val_FSC_147.json` with the splits and `ImageClasses_FSC147.txt` with the classes.

    Raises:
        InputError: a file has another form, or an image of the split has no points or no class.
    """
    splits, classes = spec.needs[:2]
    entries = check_value(
        read_json(spec.ann), dict[str, dict[str, Any]], f"the content of {spec.ann}"
    )
    of_splits = check_value(read_json(splits), dict[str, list[str]], f"the content of {splits}")
    lines = read_text(classes).splitlines()
    names = dict(line.split("\t", 1) for line in lines if "\t" in line)
    pictures = _pictures(spec, entries, of_splits.get(spec.split, ()), names)
    return Content(content_of(pictures, spec), files=(spec.ann, *spec.needs))


def _pictures(
    spec: DatasetSpec,
    entries: Mapping[str, Mapping[str, Any]],
    files: Sequence[str],
    classes: Mapping[str, str],
) -> Iterator[Expression]:
    sizes: dict[str, Size] = {}
    for name in files:
        points = entries.get(name, {}).get("points")
        if not isinstance(points, list) or name not in classes:
            raise InputError(
                f"expected points and a class for {name} of the split {spec.split!r} in {spec.ann} "
                f"and {spec.needs[1]}, got none"
            )
        size = size_in(spec.images, name, sizes)
        yield Expression(name, size, classes[name].strip(), (), {COUNT: len(points)})
