"""Repairs annotations before the metric sees them; each change is described in words."""

from collections.abc import Sequence
from typing import Any

Records = list[dict[str, Any]]


def repaired(annotations: Sequence[dict[str, Any]], repairs: list[str]) -> Records:
    """Copies with distinct nonzero ids, area and iscrowd; the changes are appended to `repairs`."""
    fixed = [dict(record) for record in annotations]
    ids = [record.get("id") for record in fixed]
    # COCOeval marks a match with the annotation's id and reads 0 as "no match"; duplicate ids hide
    # one another.
    if any(type(i) is not int or i == 0 for i in ids) or len(set(ids)) < len(ids):
        repairs.append("annotation ids renumbered from 1: they were not distinct nonzero integers")
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
