"""Labels against the category list of the prompt: a label that is not asked for cannot be
answered."""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from ...text import listed, share
from ..findings import Finding, note, ok, problem, warning
from ..rows import DoctorRow

_LIST = re.compile(
    r"(?:category|categories|class|classes|labels?)(?: set| list| "
    r"names?)?\s?(?:includes?|are|is|:|=)\s*(.+)",
    re.IGNORECASE | re.DOTALL,
)
_NEAR = 64  # characters around a name that are searched for what separates it from others
_COMPARED = 1000  # names of a list that a label is compared with for a likely misspelling
WASTEFUL = 0.01  # share of boxes with unknown labels from which on it is not a slip


def category_list(prompt: str) -> str | None:
    """The part of a prompt that lists the categories; None if it has no list.

    >>> category_list("Locate every item. The category set includes cat, dog.")
    'cat, dog.'
    """
    match = _LIST.search(prompt)
    return match.group(1) if match else None


def label_findings(rows: Sequence[DoctorRow], labels_count: bool) -> list[Finding]:
    """Labels that the row's own prompt does not list.

    Args:
        rows: of the data set.
        labels_count: whether the settings let labels change the reward.
    """
    lists = {row.prompt: category_list(row.prompt) for row in rows}
    listing = [row for row in rows if lists[row.prompt] is not None and row.labels]
    if not listing:
        return []
    unknown: Counter[str] = Counter()
    places: dict[str, tuple[str, str]] = {}
    for row in listing:
        names = lists[row.prompt] or ""
        for label in row.labels:
            if not _is_listed(label, names):
                unknown[label] += 1
                places.setdefault(label, (row.place, names))
    total = sum(len(row.labels) for row in listing)
    if not unknown:
        classes = len({label for row in listing for label in row.labels})
        return [ok("labels", f"labels: {classes} classes, each in its prompt's category list")]
    return [_unknown(unknown, places, total, labels_count)]


def comma_findings(rows: Sequence[DoctorRow]) -> list[Finding]:
    """Names that contain commas, in prompts that separate names by commas."""
    lists = {row.prompt: category_list(row.prompt) or "" for row in rows}
    bad = [
        (label, row) for row in rows for label in row.labels if "," in label and lists[row.prompt]
    ]
    if not bad:
        return []
    names = listed(map(repr, dict.fromkeys(label for label, _ in bad)))
    text = (
        f"category names with commas: {names}, the first in {bad[0][1].place}. In a prompt that "
        "lists names with commas between them they read as several: rename them, or ask with "
        "another joint, such as `vision-r1 prepare --prompt '... {:; } ...'`"
    )
    return [warning("comma_labels", text)]


def _unknown(
    unknown: Counter[str], places: dict[str, tuple[str, str]], total: int, labels_count: bool
) -> Finding:
    count = sum(unknown.values())
    common = [label for label, _ in unknown.most_common()]
    named = listed([_described(label, *places[label]) for label in common[:5]] + common[5:])
    text = (
        f"{share(count, total)} boxes have unknown labels, not in their prompt's category list: "
        f"{named}. "
    )
    text += "Rename them, or list them in the prompt: the model is not asked for them"
    wasteful = labels_count or count / total >= WASTEFUL
    return (problem if wasteful else note)("unknown_labels", text)


def _is_listed(label: str, names: str) -> bool:
    """Whether the label is a whole item of the list; it may contain commas itself."""
    at = names.find(label.strip())
    while label.strip() and at >= 0:
        end = at + len(label.strip())
        before = names[max(0, at - _NEAR) : at].rstrip(" \"'[(")
        after = names[end : end + _NEAR].lstrip(" \"'])")
        if (
            not before or before[-1] in ",;:\n" or before.endswith(" and") or before.endswith(" or")
        ) and (not after or after[0] in ",;.\n?!" or after.startswith(("and ", "or "))):
            return True
        at = names.find(label.strip(), at + 1)
    return not label.strip()


def _described(label: str, place: str, names: str) -> str:
    items = [item.strip(" \"'.[]()") for item in names.split(",", _COMPARED)[:_COMPARED]]
    close = get_close_matches(
        label.casefold(), [item.casefold() for item in items], n=1, cutoff=0.8
    )
    meant = next((item for item in items if close and item.casefold() == close[0]), None)
    return f"{label!r} in {place}" + (f" (nearly {meant!r})" if meant else "")
