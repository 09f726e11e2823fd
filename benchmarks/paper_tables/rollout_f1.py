"""A reward of weight 0 that only watches: F1 of each rollout, by one rule whatever is rewarded.

ms-swift logs its mean at every step as `rewards/RolloutF1/mean`, so learning curves of different
rewards can be compared. A pair counts from an IoU of .5 on and with the right label; an empty
answer to an empty scene scores 1.
"""

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from swift.rewards import ORM, orms

from swift_plugin_visionr1 import QwenResize, get_format, read_solution
from swift_plugin_visionr1.geometry.boxes import iou

FORMAT = get_format("qwen2_5_vl")


def rollout_f1(completion: str, solution: str) -> float:
    """F1 at an IoU of .5 of one answer of Qwen2.5-VL, labels included, in [0, 1]."""
    truth = read_solution(solution)
    answer = FORMAT.parse(completion)
    if not len(truth.boxes) and not len(answer.boxes):
        return 1.0
    if not len(truth.boxes) or not len(answer.boxes):
        return 0.0
    processed = np.tile(QwenResize().processed_size(truth.size), 2)
    boxes_xyxy = answer.boxes * (np.tile(truth.size, 2) / processed)
    same = np.array(answer.labels)[:, None] == np.array(truth.labels)[None, :]
    right = (iou(boxes_xyxy, truth.boxes) >= 0.5) & same
    pairs = linear_sum_assignment(right, maximize=True)
    return float(2 * right[pairs].sum() / (len(boxes_xyxy) + len(truth.boxes)))


class RolloutF1(ORM):
    """`rollout_f1` of every completion."""

    def __call__(self, completions: list[str], solution: list[str], **_: Any) -> list[float]:
        return [rollout_f1(*pair) for pair in zip(completions, solution, strict=True)]


orms["rollout_f1"] = RolloutF1
