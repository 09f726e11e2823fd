"""How `peer_rewards.py` calls each reward on a neutral case: `{image_size, gt: [{box, label, ...}],
pred: [...]}`, all boxes xyxy in one frame."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peer_published import first_integers, is_equal_text, match_last_boxes

from swift_plugin_visionr1 import PRESETS, GroundTruth
from swift_plugin_visionr1.geometry.boxes import Boxes, as_boxes
from swift_plugin_visionr1.reward.released_code import _extract, read_official, score_official
from swift_plugin_visionr1.reward.zoo import (
    perception_r1,
    r1_sgg,
    rex_omni,
    rex_thinker,
    v_triune,
    vision_reasoner,
    visual_rft,
    vlm_r1,
)
from swift_plugin_visionr1.reward.zoo.answer import PeerAnswer

Case = dict[str, Any]
Check = Callable[[Case, Case, Any], Any]  # input, the reward's own entry, expected


def _answer(case: Case) -> PeerAnswer:
    predicted, truths = case["pred"], case["gt"]
    return PeerAnswer(
        _boxes(predicted),
        tuple(one["label"] for one in predicted),
        _boxes(truths),
        tuple(one["label"] for one in truths),
        tuple(case["image_size"]),
        tuple(one["confidence"] for one in predicted if "confidence" in one),
    )


def _boxes(objects: Sequence[Case]) -> Boxes:
    return as_boxes([one["box"] for one in objects])


def _points(objects: Sequence[Case]) -> NDArray[np.float64]:
    return np.array([one["point"] for one in objects], np.float64).reshape(-1, 2)


def _rec(least: float) -> Check:
    def check(case: Case, reward: Case, expected: Any) -> float:
        first = first_integers([one["box"] for one in case["pred"]])
        return vlm_r1.rec_iou(as_boxes([first] if first else []), _boxes(case["gt"])[:1], least)

    return check


def _detection(function: Callable[[PeerAnswer], float]) -> Check:
    """The same number whichever way nothing is written, but for `weighted_sum`."""

    def check(case: Case, reward: Case, expected: Any) -> Any:
        value = function(_answer(case))
        return dict.fromkeys(expected, value) if isinstance(expected, Mapping) else value

    return check


def _weighted_sum(case: Case, reward: Case, expected: Any) -> Any:
    """An annotation written as `None` is met by the answer `none` alone, not by `[]`."""
    values = _detection(vlm_r1.weighted_sum)(case, reward, expected)
    unmet = "empty_prediction_as_list__empty_gt_as_none"
    return {**values, unmet: 0.0} if isinstance(values, dict) and unmet in values else values


def _repetition(case: Case, reward: Case, expected: Any) -> float:
    return vlm_r1.repetition([(*one["box"], one["label"]) for one in case["pred"]])


def _visual_rft(function: Callable[[PeerAnswer], float]) -> Check:
    def check(case: Case, reward: Case, expected: Any) -> dict[str, float]:
        boxes_only = function(_answer(case))
        equal = is_equal_text(_visual_rft_text(case["pred"]), _visual_rft_text(case["gt"]))
        published = 1.0 if equal else boxes_only
        return {"boxes_only": boxes_only, "with_math_verify_0_9_0": published}

    return check


def _visual_rft_meant(function: Callable[[PeerAnswer], float]) -> Check:
    return lambda case, reward, expected: dict.fromkeys(expected, function(_answer(case)))


def _visual_rft_text(objects: Sequence[Case]) -> str:
    items = [{"Position": one["box"], "Confidence": one.get("confidence", 1.0)} for one in objects]
    return f"<think> I look. </think><answer>{items}</answer>"


def _vision_reasoner(case: Case, reward: Case, expected: Any) -> dict[str, float]:
    predicted, truths = (
        vision_reasoner.DescribedObjects(_boxes(side), _points(side))
        for side in (case["pred"], case["gt"])
    )
    values = {
        "accuracy": vision_reasoner.accuracy(predicted, truths),
        "format": 3.0 if case["pred"] else 1.0,
        "non_repeat": 1.0,
    }
    return values | {"total": sum(values.values())}


def _seg_zero(case: Case, reward: Case, expected: Any) -> dict[str, float]:
    predicted, truth = case["pred"][:1], case["gt"][0]
    values = vision_reasoner.seg_zero(
        _boxes(predicted),
        np.array(predicted[0]["points"] if predicted else [], np.float64).reshape(-1, 2),
        _boxes([truth]),
        np.array(truth["points"], np.float64),
    )
    values |= {"format": float(bool(predicted)), "thinking": 1.0}
    total = sum(values.values())
    return values | {"total": total, "total_strict": total}


def _point_in_box(case: Case, reward: Case, expected: Any) -> float:
    answer = _answer(case)
    return rex_omni.point_in_box(
        _points(case["pred"]), answer.labels, answer.truths, answer.truth_labels
    )


def _v_triune(matchers: Mapping[str, v_triune.Strategy]) -> Check:
    def check(case: Case, reward: Case, expected: Any) -> dict[str, dict[str, float]]:
        return {key: _v_triune_terms(case, reward["ratios"], key, matchers) for key in expected}

    return check


def _v_triune_terms(
    case: Case, ratios: Case, key: str, matchers: Mapping[str, v_triune.Strategy]
) -> dict[str, float]:
    """`key`: det_reward_ratio / DET_IOU_THRESHOLD / step of 100."""
    mix, threshold, step = key.split("/")
    if threshold == "average":
        thresholds: tuple[float, ...] = v_triune.AVERAGED
    elif threshold == "dynamic":
        thresholds = (v_triune.dynamic_threshold(int(step.removeprefix("step")) / 100),)
    else:
        thresholds = (float(threshold),)
    every = (*matchers, *v_triune.AVERAGE_PRECISIONS)
    score = v_triune.detection_score(_answer(case), ratios[mix], thresholds, matchers, every)
    return {
        "final_score": score.final,
        "format": float(any(_is_ordered(one["box"]) for one in case["pred"])),
        "size_penalty": score.size_penalty,
        "pure_iou_score_max_iou": score.strategies["iou_max_iou_first"],
        "pure_iou_score_max_label": score.strategies["iou_max_label_first"],
        "pure_map_score": score.strategies["map"],
        "pure_map50_score": score.strategies["map50"],
        "pure_map75_score": score.strategies["map75"],
    }


def _is_ordered(box: Sequence[float]) -> bool:
    return box[0] <= box[2] and box[1] <= box[3]


def _rex_thinker(case: Case, reward: Case, expected: Any) -> dict[str, float]:
    accuracy = rex_thinker.choice_f1(_boxes(case["pred"]), _boxes(case["gt"]))
    return {"overall": 0.9 * accuracy + 0.1, "format": 1.0, "accuracy": accuracy}


def _vision_r1(case: Case, reward: Case, expected: Any) -> dict[str, Any]:
    size = tuple(case["image_size"])
    truth = GroundTruth(size, _boxes(case["gt"]), tuple(one["label"] for one in case["gt"]))
    items = [{"bbox_2d": one["box"], "label": one["label"]} for one in case["pred"]]
    text = f"```json\n{json.dumps(items)}\n```"
    values: dict[str, Any] = {}
    for step in ("None", "0", "1500"):
        settings = PRESETS["official" if step == "None" else "official-adaptive"]
        criteria = settings.refinement.at(0 if step == "None" else int(step), 3000).criteria
        reading = read_official(text, truth, size)
        score = score_official(reading, criteria, settings.differentiation)
        values["dual_format"] = score.format
        values[f"recall/step_{step}"] = score.recall
        values[f"precision/step_{step}"] = score.precision
    return values


def _vision_r1_published(case: Case, reward: Case, expected: Any) -> dict[str, Any]:
    """Boxes where nothing is annotated crash the published functions."""
    values = _vision_r1(case, reward, expected)
    items = json.dumps([{"bbox_2d": one["box"], "label": one["label"]} for one in case["pred"]])
    crashes = not case["gt"] and _extract(items)
    return {
        name: "error:ValueError" if crashes and name != "dual_format" else value
        for name, value in values.items()
    }


CHECKS: dict[str, Check] = {
    "vlm_r1_rec_iou": _rec(vlm_r1.PIXEL),
    "vlm_r1_rec_iou_internvl": _rec(vlm_r1.PIXEL),
    "vlm_r1_rec_iou_glm": _rec(0.0),
    "vlm_r1_map": _detection(vlm_r1.od_ap),
    "vlm_r1_od_ap": _detection(vlm_r1.od_ap),
    "vlm_r1_od_ap50": _detection(lambda answer: vlm_r1.od_ap(answer, (0.5,))),
    "vlm_r1_odLength": _detection(vlm_r1.od_length),
    "vlm_r1_weighted_sum": _weighted_sum,
    "vlm_r1_repetition": _repetition,
    "vlm_r1_cosine_length": lambda case, *_: vlm_r1.cosine_length(case["tokens"]),
    "visual_rft_iou": _visual_rft(visual_rft.iou_reward),
    "visual_rft_confidence": _visual_rft(visual_rft.confidence_reward),
    "pr1_grounding": lambda case, *_: perception_r1.grounding_reward(
        _boxes(case["pred"]), _boxes(case["gt"])
    ),
    "vision_reasoner": _vision_reasoner,
    "seg_zero": _seg_zero,
    "rexomni_box_iou": _detection(rex_omni.box_iou),
    "rexomni_point_in_box": _point_in_box,
    "v_triune": _v_triune({**v_triune.STRATEGIES, "iou_max_iou_first": match_last_boxes}),
    "rex_thinker": _rex_thinker,
    "r1_sgg_nodes": lambda case, *_: r1_sgg.node_rewards(_answer(case)),
    "vision_r1": _vision_r1_published,
}
MEANT: dict[str, dict[str, Check]] = {  # by what is wrong with the published function
    "vlm_r1_weighted_sum": {
        "telling [] from None where nothing is annotated": _detection(vlm_r1.weighted_sum)
    },
    "visual_rft_iou": {"math-verify on the whole text": _visual_rft_meant(visual_rft.iou_reward)},
    "visual_rft_confidence": {
        "math-verify on the whole text": _visual_rft_meant(visual_rft.confidence_reward)
    },
    "v_triune": {"the hidden variable in iou_max_iou_first": _v_triune(v_triune.STRATEGIES)},
    "vision_r1": {"the crash on boxes where nothing is annotated": _vision_r1},
}
