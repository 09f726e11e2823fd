"""What is changed in annotations before the metric sees them; each change is told in words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import did_you_mean

Records = list[dict[str, Any]]


def keep_classes(
    categories: Records,
    annotations: Records,
    classes: Sequence[str],
    path: Path,
    repairs: list[str],
) -> tuple[Records, Records]:
    """The categories with those names, in the file's order, and their annotations; `repairs` says
    what was left out.

    Raises:
        InputError: no category of `path` has one of the names.
    """
    names = [str(category["name"]) for category in categories]
    for name in classes:
        if name not in names:
            listed = ", ".join(map(repr, names[:100]))
            raise InputError(
                f"expected {path} to have the category {name!r}, got "
                f"{listed}{did_you_mean(name, names)}; "
                "is it the file that the class names were written for?"
            )
    kept = [category for category in categories if str(category["name"]) in classes]
    if len(kept) == len(categories):
        return categories, annotations
    ids = {category["id"] for category in kept}
    left = [record for record in annotations if record["category_id"] in ids]
    out = [name for name in names if name not in classes]
    repairs.append(
        f"{len(out)} of {len(names)} categories left out with {len(annotations) - len(left)} of "
        f"{len(annotations)} "
        f"annotations, because the data set's class list lacks them: {', '.join(map(repr, out))}"
    )
    return kept, left


def repaired(annotations: Records, repairs: list[str]) -> Records:
    """Copies with distinct ids other than 0, area and iscrowd; `repairs` says what was changed."""
    fixed = [dict(record) for record in annotations]
    ids = [record.get("id") for record in fixed]
    # COCOeval marks a match with the annotation's id and reads 0 as "no match"; twins hide one
    # another.
    if any(type(i) is not int or i == 0 for i in ids) or len(set(ids)) < len(ids):
        repairs.append(
            "annotation ids renumbered from 1: they were not distinct integers other than 0"
        )
        for number, record in enumerate(fixed, start=1):
            record["id"] = number
    for name in ("area", "iscrowd"):
        without = [record for record in fixed if record.get(name) is None]
        if without:
            meaning = "width x height of the box" if name == "area" else "0"
            repairs.append(
                f'"{name}" missing in {len(without)} of {len(fixed)} annotations, set to {meaning}'
            )
        for record in without:
            record[name] = record["bbox"][2] * record["bbox"][3] if name == "area" else 0
    return fixed
