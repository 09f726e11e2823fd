"""What published reward code does beside its formulas: how it checks texts, and its bugs.

`peer_rewards.py` compares these with what the published functions gave. Presets do not use them.
Each is restated from the repository that the file of the same work in
swift_plugin_visionr1/reward/zoo names.
"""

import json
import re
from collections.abc import Callable, Sequence

from swift_plugin_visionr1.reward.released_code import _extract, _format
from swift_plugin_visionr1.reward.zoo import v_triune, vision_reasoner
from swift_plugin_visionr1.reward.zoo.overlap import Overlaps

INTEGERS = r"\[\d+,\s*\d+,\s*\d+,\s*\d+\]"
THINK_ANSWER = re.compile(r"<think>.*?</think>\s*<answer>.*?</answer>", re.DOTALL)


def match_last_boxes(ious: Overlaps, same: v_triune.Same, threshold: float) -> v_triune.Pairs:
    """V-Triune's `iou_max_iou_first` as published: an inner variable hides the pair of largest IoU,
    so the last free boxes are taken off, and that IoU is added if their labels agree."""
    pairs = []
    rows, columns = ious.shape
    while rows and columns and ious[:rows, :columns].max() >= threshold:
        largest = float(ious[:rows, :columns].max())
        rows, columns = rows - 1, columns - 1
        pairs.append((largest, bool(same[rows, columns])))
    return pairs


def is_equal_text(text: str, truth: str) -> bool:
    """Visual-RFT's first step: whether math-verify takes the whole answer for the annotation."""
    try:
        from math_verify import parse, verify
    except ImportError:
        raise SystemExit(
            "expected math-verify 0.9.0, which Visual-RFT's published reward asks: "
            "pip install math-verify==0.9.0"
        ) from None
    return float(verify(parse(text), parse(truth))) > 0


def _searched(pattern: str) -> Callable[[str], float]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda text: float(compiled.search(text) is not None)


def _has_think_and_answer(text: str) -> float:
    return float(THINK_ANSWER.fullmatch(text) is not None)


def _has_think_and_answer_in_a_line(text: str) -> float:
    return float(re.fullmatch(r"<think>.*?</think><answer>.*?</answer>", text) is not None)


def pr1_grounding(text: str) -> float:
    """Perception-R1's pattern has `|` where a bar is meant, so it is a list of alternatives; the
    first is the sign `<`."""
    alternatives = ("<", "object_ref_start", ">.*?<", "object_ref_end", "><", "box_start")
    return float(re.match("|".join(alternatives), text, re.DOTALL) is not None)


def pr1_grounding_meant(text: str) -> float:
    """The pattern with its bars escaped."""
    pattern = (
        r"<\|object_ref_start\|>.*?<\|object_ref_end\|><\|box_start\|>"
        r"\(\d+,\s*\d+\),\s*\(\d+,\s*\d+\)<\|box_end\|>"
    )
    return float(re.match(pattern, text, re.DOTALL) is not None)


def vision_reasoner_format(text: str) -> float:
    """1 for the tags, and the means over the items of having four numbers and two, in [0, 3]."""
    answer = re.search(r"<answer>\s*(.*?)\s*</answer>", text, re.DOTALL)
    try:
        items = json.loads(answer[1]) if answer else None
    except (ValueError, RecursionError):
        items = None
    tags = _has_think_and_answer(text)
    if not isinstance(items, list) or not items:
        return tags
    return tags + sum(map(_shape, items)) / len(items)


def _shape(item: object) -> float:
    if not isinstance(item, dict):
        return 0.0
    wanted = {"bbox_2d": 4, "point_2d": 2}
    values = [(item.get(key), number) for key, number in wanted.items()]
    return float(sum(isinstance(v, list) and len(v) == number for v, number in values))


def v_triune_detection(text: str) -> float:
    """1 for the tags on lines of their own and at least one whole item."""
    lower = text.lower()
    if "\n<answer>\n" not in lower or lower.count("\n</answer>") != 1:
        return 0.0
    inner = lower.split("\n<answer>\n", 1)[1].split("\n</answer>")[0]
    numbers = r"\[\s*[\d.]+(?:\s*,\s*[\d.]+){3}\s*\]"
    return float(re.search(r"""['"]bbox_2d['"]\s*:\s*""" + numbers, inner) is not None)


TEXT_CHECKS: dict[str, Callable[[str], object]] = {
    "vlm_r1_qwen_rec": _searched(
        r"<think>.*?</think>\s*<answer>.*?\{.*" + INTEGERS + r".*\}.*?</answer>"
    ),
    "vlm_r1_internvl_rec": _searched(
        r"<think>.*?</think>\s*<answer>.*?" + INTEGERS + r".*?</answer>"
    ),
    "vlm_r1_glm_rec": _searched(r"<think>.*?<answer>.*?</answer>"),
    "vlm_r1_jsonl": _has_think_and_answer,
    "visual_rft": _has_think_and_answer,
    "pr1_think": _has_think_and_answer_in_a_line,
    "pr1_grounding": pr1_grounding,
    "vision_reasoner": vision_reasoner_format,
    "vision_reasoner_non_repeat": vision_reasoner.non_repeat,
    "v_triune_detection": v_triune_detection,
    "rex_thinker": _has_think_and_answer,
    "vision_r1_dual_format": _format,
    "vision_r1_boxes_read": lambda text: [
        {"bbox": box, "category_name": label} for box, label in _extract(text)
    ],
}


def first_integers(boxes: Sequence[Sequence[float]]) -> Sequence[float] | None:
    """The first box that VLM-R1's pattern of four whole numbers reads; None without one."""
    for box in boxes:
        if all(isinstance(value, int) and value >= 0 for value in box):
            return box
    return None
