"""Time of one reward call on 64 completions with 20 boxes each, beside the authors' released
functions.

    python benchmarks/reward_speed.py                                  ours, each preset
    python benchmarks/reward_speed.py --released visionr1_qwen.py      and the released code, in
    turns

The released file is `Vision-R1/vision_r1/visionr1_qwen.py` of the authors' repository, which is not
part of this one. Only its reward functions are run, with torchvision's generalized_box_iou in the
place of the authors' own.
Each round times every candidate once, so that a busy machine slows all of them; medians over the
rounds are shown.
"""

import argparse
import ast
import json
import os
import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from swift_plugin_visionr1 import PRESETS, Scorer, get_format, model_io

COMPLETIONS, BOXES, SIZE = 64, 20, (644, 476)  # a size that the processor keeps
CLASSES = ("cat", "dog", "bird")
FUNCTIONS = (
    "parse_json",
    "extract_bbox_label",
    "extract",
    "BoxPriorMatcher",
    "modify_list",
    "modify_tensor",
    "dual_format_reward",
    "recall_reward",
    "precision_reward",
)


class Batch(NamedTuple):
    """Completions, our solutions and the authors' solutions."""

    texts: list[str]
    solutions: list[str]
    pairs: list[str]


def make_batch(seed: int) -> Batch:
    """20 boxes each, off by up to 8 pixels."""
    rng = np.random.default_rng(seed)
    texts, solutions, pairs = [], [], []
    for _ in range(COMPLETIONS):
        corners = rng.integers(0, (560, 400), (BOXES, 2))
        boxes = np.concatenate([corners, corners + rng.integers(20, 70, (BOXES, 2))], axis=1)
        labels = [CLASSES[i] for i in rng.integers(0, len(CLASSES), BOXES)]
        noisy = (boxes + rng.integers(-8, 9, boxes.shape)).clip(0)
        texts.append(get_format("qwen2_5_vl").write(noisy, labels))
        width, height = SIZE
        solutions.append(
            json.dumps(
                {"width": width, "height": height, "boxes": boxes.tolist(), "labels": labels}
            )
        )
        pairs.append(json.dumps([list(pair) for pair in zip(labels, boxes.tolist(), strict=True)]))
    return Batch(texts, solutions, pairs)


def ours(preset: str) -> Callable[[Batch], list[list[float]]]:
    """The three parts as one trainer step computes them."""
    scorer = Scorer(PRESETS[preset], model_io(PRESETS[preset]))

    def call(batch: Batch) -> list[list[float]]:
        breakdowns = scorer(batch.texts, {"solution": batch.solutions}, "beginner")
        return [[b.format, b.recall, b.precision] for b in breakdowns]

    return call


def released(file: Path) -> Callable[[Batch], list[list[float]]]:
    """The three released functions."""
    import torch
    from scipy.optimize import linear_sum_assignment
    from torchvision.ops import generalized_box_iou

    tree = ast.parse(file.read_text())
    body = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in FUNCTIONS
    ]
    space: dict[str, Any] = {
        "json": json,
        "re": re,
        "torch": torch,
        "partial": partial,
        "linear_sum_assignment": linear_sum_assignment,
        "generalized_box_iou": generalized_box_iou,
    }
    exec(compile(ast.Module(body=body, type_ignores=[]), str(file), "exec"), space)
    width, height = SIZE
    columns = {
        "step": None,
        "num_instances": [BOXES] * COMPLETIONS,
        "width": [width] * COMPLETIONS,
        "height": [height] * COMPLETIONS,
        "input_widths": [width] * COMPLETIONS,
        "input_heights": [height] * COMPLETIONS,
        "target_id_maps": [json.dumps({name: i + 1 for i, name in enumerate(CLASSES)})]
        * COMPLETIONS,
    }

    def call(batch: Batch) -> list[list[float]]:
        completions = [[{"content": text}] for text in batch.texts]
        rows = columns | {"completions": completions, "solution": batch.pairs}
        parts = [space[f"{name}_reward"](**rows) for name in ("dual_format", "recall", "precision")]
        return [[float(value) for value in values] for values in zip(*parts, strict=True)]

    return call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--released", type=Path, help="the authors' visionr1_qwen.py")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    candidates = {preset: ours(preset) for preset in PRESETS}
    if args.released:
        candidates["released code"] = released(args.released)
        trial = make_batch(seed=10**6)
        assert np.allclose(
            candidates["released code"](trial), candidates["official"](trial), atol=1e-5
        ), "rewards differ"
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(args.rounds):
        for place, (name, call) in enumerate(candidates.items()):
            batch = make_batch(
                number * len(candidates) + place
            )  # new to everyone: nothing comes from a cache
            start = time.perf_counter()
            call(batch)
            times[name].append(time.perf_counter() - start)
    slowest = statistics.median(times["released code"]) if args.released else None
    print(
        f"{COMPLETIONS} completions x {BOXES} boxes, median of {args.rounds} rounds, "
        f"{os.cpu_count()} cores"
    )
    for name, values in times.items():
        middle = statistics.median(values)
        ratio = (
            f"   {slowest / middle:6.1f} times faster than the released code"
            if slowest and middle < slowest
            else ""
        )
        print(f"{name:20}{1000 * middle:8.1f} ms{ratio}")


if __name__ == "__main__":
    main()
