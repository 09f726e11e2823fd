"""Faults planted in rows, and the doctor run on them."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from swift_plugin_visionr1 import QwenResize
from swift_plugin_visionr1.commands import doctor
from swift_plugin_visionr1.curate.coco import convert_coco

Row = dict[str, object]


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    args = parser.parse_args(["doctor", *map(str, words)])
    code: int = args.run(args)
    return code


def changed(rows: list[Row], change: Callable[[dict], None]) -> list[Row]:
    """The rows with each solution changed."""
    out = []
    for row in rows:
        solution = json.loads(row["solution"])
        change(solution)
        out.append(row | {"solution": json.dumps(solution)})
    return out


def boxes_to(convert: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[dict], None]:
    """A change of boxes: `convert` takes (n, 4) boxes and [width, height, width, height]."""

    def change(solution: dict) -> None:
        boxes = np.array(solution["boxes"], dtype=float).reshape(-1, 4)
        size = np.array([solution["width"], solution["height"]] * 2)
        solution["boxes"] = np.rint(convert(boxes, size)).tolist()

    return change


def resized(boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    return boxes / size * np.array(QwenResize().processed_size(tuple(int(v) for v in size[:2])) * 2)


def photographs(folder: Path, annotations: str, out: Path) -> list[Row]:
    convert_coco(folder / f"{annotations}.json", folder / "images", out / "photographs.jsonl")
    return [json.loads(line) for line in (out / "photographs.jsonl").read_text().splitlines()]
