"""What is left out of a COCO file before anybody uses it; each change is reported with its
count."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..text import did_you_mean, listed

Records = Sequence[dict[str, Any]]


def without_unused_twins(categories: Records, annotations: Records, changes: list[str]) -> Records:
    """Without the categories that share another's name and have no annotation, as Roboflow's
    supercategories do.

    Raises:
        InputError: two categories with annotations share a name, so a label would be ambiguous.
    """
    names = Counter(str(record["name"]) for record in categories)
    if len(names) == len(categories):
        return categories
    used = {record["category_id"] for record in annotations}
    kept: dict[str, dict[str, Any]] = {}
    for record in categories:
        name, twin = str(record["name"]), kept.get(str(record["name"]))
        if twin and record["id"] in used and twin["id"] in used:
            raise InputError(
                f"expected each category to have a name of its own, got {name!r} as the name of "
                f"categories {twin['id']} and {record['id']}: rename one, or merge them"
            )
        if twin is None or record["id"] in used:
            kept[name] = record
    left = [record["id"] for record in categories if kept[str(record["name"])] is not record]
    changes.append(
        f"categories left out because another has the same name and they have no annotation: "
        f"{listed(left)}"
    )
    return [record for record in categories if kept[str(record["name"])] is record]


def of_classes(
    categories: Records,
    annotations: Records,
    classes: Sequence[str],
    path: Path,
    changes: list[str],
) -> tuple[Records, Records]:
    """The categories with those names, in the file's order, and their annotations.

    Raises:
        InputError: no category of `path` has one of the names.
    """
    names = [str(category["name"]) for category in categories]
    for name in classes:
        if name not in names:
            raise InputError(
                f"expected {path} to have the category {name!r}, got "
                f"{listed(map(repr, names), 100)}{did_you_mean(name, names)}"
                f"{_separated(name, names)}; is it the file that the class names were written for?"
            )
    kept = [category for category in categories if str(category["name"]) in classes]
    if len(kept) == len(categories):
        return categories, annotations
    ids = {category["id"] for category in kept}
    left = [record for record in annotations if record["category_id"] in ids]
    out = [name for name in names if name not in classes]
    changes.append(
        f"{len(out)} of {len(names)} categories left out with {len(annotations) - len(left)} of "
        f"{len(annotations)} annotations, because the data set's class list lacks them: "
        f"{', '.join(map(repr, out))}"
    )
    return kept, left


def _separated(name: str, names: Sequence[str]) -> str:
    """What to type where several names were given as one, with commas."""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 1 or not set(parts) <= set(names):
        return ""
    shown = " ".join(f'"{part}"' if " " in part else part for part in parts)
    return f"; names are separated by spaces: --classes {shown}"
