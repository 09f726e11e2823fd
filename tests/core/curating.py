"""What a test of `vision-r1 prepare` runs and reads."""

import json
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.cli import main


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def prepare(source: Path, out: Path, *options: object) -> list[dict[str, Any]]:
    assert main(["prepare", "--source", str(source), "--out", str(out), *map(str, options)]) == 0
    return rows_of(out)


def boxes(row: dict[str, Any]) -> list[list[float]]:
    return json.loads(row["solution"])["boxes"]


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "card.json").read_text())
