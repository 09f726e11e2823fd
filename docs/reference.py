"""Writes docs/settings.md's tables from the dataclasses: python docs/reference.py"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, asdict, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml
from tables import put

from swift_plugin_visionr1.formats import JsonLayout
from swift_plugin_visionr1.reward.logging_settings import LoggingSettings
from swift_plugin_visionr1.reward.schedule import Criteria
from swift_plugin_visionr1.reward.schedule_settings import (
    AdaptiveSettings,
    ContinuousSettings,
    StageSettings,
)
from swift_plugin_visionr1.reward.settings import PRESETS, Settings, describe

PAGE = Path(__file__).with_name("settings.md")


def attributes(kind: type) -> dict[str, str]:
    """What the docstring's Attributes section says of each field."""
    section = inspect.getdoc(kind).split("Attributes:\n")[1].split("\n\n")[0]
    entries = re.split(r"^    (?=\w+: )", section, flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.split()) for name, text in (entry.split(": ", 1) for entry in entries)
    }


def values(kind: Any) -> str:
    """The values that an annotation allows."""
    names = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "true, false",
        Fraction: "fraction",
        type(None): "null",
        Criteria: "xi0, xi1, xi2",
        JsonLayout: "box, label, order, decimals",
        StageSettings: "list of stages",
        ContinuousSettings: "begins, ends",
        AdaptiveSettings: "low, high",
    }

    def each(part: Any) -> Iterator[str]:
        if part in names:
            yield names[part]
        elif isinstance(part, str):
            yield f"`{part}`"
        elif getattr(part, "__origin__", None) is tuple and ... not in get_args(part):
            yield "four keys"
        else:
            for inner in get_args(part):
                yield from each(inner)

    return ", ".join(dict.fromkeys(each(kind)))


def table(kind: type) -> str:
    """A line for each field of a dataclass: values, default, meaning."""
    told, hints = attributes(kind), get_type_hints(kind)
    lines = ["| name | values | default | |", "|---|---|---|---|"]
    for field in fields(kind):
        if field.name in told:
            text = told[field.name]
            default = "" if field.default is MISSING else f"`{_plain(field.default)}`"
            lines.append(f"| `{field.name}` | {values(hints[field.name])} | {default} | {text} |")
    return "\n".join(lines)


def presets() -> str:
    """What each preset changes of `paper`, as its YAML says it."""
    plain = {name: yaml.safe_load(describe(settings)) for name, settings in PRESETS.items()}
    lines = ["| preset | differs from `paper` in |", "|---|---|"]
    for name, own in plain.items():
        differences = [
            f"`{key}: {_plain(value)}`"
            for key, value in own.items()
            if plain["paper"].get(key) != value
        ]
        lines.append(f"| `{name}` | {', '.join(differences) or 'nothing'} |")
    return "\n".join(lines)


def _plain(value: Any) -> str:
    """As YAML writes it."""
    value = (
        asdict(value)
        if is_dataclass(value)
        else str(value)
        if isinstance(value, Fraction)
        else value
    )
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False)
        .removesuffix("\n...\n")
        .strip()
    )


def main() -> None:
    page = PAGE.read_text("utf-8")
    for name, text in [
        ("settings", table(Settings)),
        ("logging", table(LoggingSettings)),
        ("criteria", table(Criteria)),
        ("stages", table(StageSettings)),
        ("continuous", table(ContinuousSettings)),
        ("adaptive", table(AdaptiveSettings)),
        ("json", table(JsonLayout)),
        ("presets", presets()),
    ]:
        page = put(page, name, text)
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
