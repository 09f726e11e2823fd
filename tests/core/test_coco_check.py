"""Faults of a whole COCO file: what is recognised, and what is left alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1.data.coco import read_coco
from swift_plugin_visionr1.data.coco_check import CocoCheck, check_coco

from .coco_files import Box, rewritten, sound, write

Change = Callable[[Box, tuple[int, int]], Box]
LAYOUTS: dict[str, tuple[str, Change]] = {
    "corners": ("xyxy", lambda b, s: [b[0], b[1], b[0] + b[2], b[1] + b[3]]),
    "middle and size": ("cxcywh", lambda b, s: [b[0] + b[2] / 2, b[1] + b[3] / 2, b[2], b[3]]),
    "y first corners": ("y_first", lambda b, s: [b[1], b[0], b[1] + b[3], b[0] + b[2]]),
    "y first": ("swapped_boxes", lambda b, s: [b[1], b[0], b[3], b[2]]),
    "0-1": (
        "norm1",
        lambda b, s: [b[0] / s[0], b[1] / s[1], b[2] / s[0], b[3] / s[1]],
    ),
    "0-1 middle": (
        "norm1",
        lambda b, s: [
            (b[0] + b[2] / 2) / s[0],
            (b[1] + b[3] / 2) / s[1],
            b[2] / s[0],
            b[3] / s[1],
        ],
    ),
    "0-1000": (
        "norm1000",
        lambda b, s: [1000 * v / s[i % 2] for i, v in enumerate(b)],
    ),
    "0-1000 corners": (
        "norm1000",
        lambda b, s: [
            1000 * b[0] / s[0],
            1000 * b[1] / s[1],
            1000 * (b[0] + b[2]) / s[0],
            1000 * (b[1] + b[3]) / s[1],
        ],
    ),
    "twice as large": ("other_size", lambda b, s: [2 * v for v in b]),
    "larger at another ratio": (
        "other_size",
        lambda b, s: [v * (3, 2)[i % 2] for i, v in enumerate(b)],
    ),
}


def checked(path: Path, stored: Any = None) -> CocoCheck:
    file = read_coco(path)
    return check_coco(file.images, file.annotations, stored)


def code(check: CocoCheck) -> str | None:
    return check.fault.code if check.fault else None


def of(data: Any, folder: Path) -> CocoCheck:
    return checked(write(folder, data))


@pytest.mark.parametrize("images", [4, 12, 100])
@pytest.mark.parametrize("case", LAYOUTS)
def test_boxes_written_another_way(tmp_path: Path, case: str, images: int) -> None:
    expected, change = LAYOUTS[case]
    assert code(of(rewritten(sound(images), change), tmp_path)) == expected


@pytest.mark.parametrize("every", [2, 5])
@pytest.mark.parametrize("case", LAYOUTS)
def test_a_source_of_which_a_part_is_wrong(tmp_path: Path, case: str, every: int) -> None:
    expected, change = LAYOUTS[case]
    assert code(of(rewritten(sound(100), change, every), tmp_path)) == expected


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1024, 1024), (4000, 3000)])
@pytest.mark.parametrize("images", [1, 4, 100])
def test_a_sound_file_is_left_alone(tmp_path: Path, size: tuple[int, int], images: int) -> None:
    for seed in range(5):
        file = sound(images, size=size, seed=seed)
        (tmp_path / "ann.json").write_text(json.dumps(file))
        check = checked(tmp_path / "ann.json")
        assert (check.fault, check.counts) == (None, {})
