"""Published evaluations that read the answers' text themselves: GroundingME, ODinW-13 and counting
in lmms-eval. The first two try several frames for a box and keep the one that fits the annotation
best; as meant, coordinates are pixels."""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from published_boxes import first_stats

from mmdet_eval.metrics.counting import PUBLISHED, counting, fsc147_count

Case = dict[str, Any]
Box = list[float]
NUMBER = r"(-?\d+(?:\.\d+)?)"
QUAD = re.compile(r"[\s,]+".join([NUMBER] * 4))
NOTHING = [0.0] * 4
BOX_KEYS = ("bbox_2d", "bbox", "box_2d", "box")
LABEL_KEYS = ("label", "class", "category", "name", "class_name")
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


def _scaled(box: Box, width: float, height: float) -> Box:
    return [value * side for value, side in zip(box, (width, height) * 2, strict=True)]


def _iou(a: Box, b: Box) -> float:
    """Corners in the wrong order are not mended: GroundingME does not either."""
    width, height = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
    inter = max(width, 0.0) * max(height, 0.0)
    union = sum((one[2] - one[0]) * (one[3] - one[1]) for one in (a, b)) - inter
    return inter / union if union else 0.0


def _clipped_iou(a: Box, b: Box) -> float:
    """IoU where a box with corners in the wrong order has no area, as ODinW-13's."""
    return _iou(*([*one[:2], max(one[0], one[2]), max(one[1], one[3])] for one in (a, b)))


def _has_centre(truth: Box, box: Box) -> bool:
    return all(truth[k] <= (box[k] + box[k + 2]) / 2 <= truth[k + 2] for k in (0, 1))


def _one_box(text: str) -> Box:
    """GroundingME's box; four zeros for `null` and for text that cannot be read."""
    whole = re.search(r'\{.*"bbox_2d".*\}', text, re.DOTALL)
    try:
        box = json.loads(whole[0])["bbox_2d"] if whole else ()
        if box is None:
            return NOTHING
        if isinstance(box, list) and len(box) == 4:
            return [float(value) for value in box]
    except (ValueError, KeyError):
        pass
    quads = QUAD.findall(text)
    return [float(value) for value in quads[-1]] if quads else NOTHING


def _frames(box: Box, width: int, height: int) -> Iterator[Box]:
    yield box
    by = 1 if all(value <= 1 for value in box) else 999
    yield _scaled(box, width / by, height / by)
    for least, most, smallest in ((8, 4096, 0), (4, 16384, 28)):
        sides = _resized(height, width, least * 28**2, most * 28**2, smallest)
        yield _scaled(box, width / sides[0], height / sides[1])  # swapped, as published


def _resized(height: int, width: int, least: int, most: int, smallest: int) -> tuple[int, int]:
    sides = [max(smallest, round(side / 28) * 28) for side in (height, width)]
    if math.prod(sides) > most:
        by = math.sqrt(height * width / most)
        sides = [max(smallest, math.floor(side / by / 28) * 28) for side in (height, width)]
    elif math.prod(sides) < least:
        by = math.sqrt(least / (height * width))
        sides = [math.ceil(side * by / 28) * 28 for side in (height, width)]
    return sides[0], sides[1]


def _groundingme(tries_frames: bool) -> Callable[[Case], Case]:
    def check(case: Case) -> Case:
        pairs = list(zip(case["docs"], case["responses"], strict=True))
        items = [_groundingme_item(doc, text, tries_frames) for doc, text in pairs]
        found = {"per_item": items, "aggregates": _groundingme_means(case["docs"], items)}
        return {"expected": found} if tries_frames else found["aggregates"]

    return check


def _groundingme_item(doc: Case, text: str, tries_frames: bool) -> Case:
    raw, absent = _one_box(text), doc["subtask_l1"] == "Rejection"
    truth = NOTHING if absent else doc["bbox"]
    boxes = [*_frames(raw, doc["width"], doc["height"])] if tries_frames else [raw]
    ious = [float(box == NOTHING) if absent else _iou(truth, box) for box in boxes]
    if absent and not tries_frames:  # only `null` and zeros say that there is nothing
        ious = [ious[0] * bool(re.search(r"null|0\D+0\D+0\D+0", text))]
    best = ious.index(max(ious))
    hits = [ious[best] >= round(0.5 + 0.05 * step, 2) for step in range(10)]
    return {
        "pred": boxes[best],
        "iou": ious[best],
        "center_acc": _has_centre(truth, boxes[best]),
        "acc_5": hits[0],
        "acc_75": hits[5],
        "acc_9": hits[8],
        "macc": float(np.mean(hits)),
    }


def _groundingme_means(docs: Sequence[Case], items: Sequence[Case]) -> dict[str, float]:
    names = {
        "IoU": "iou",
        "ACC@0.5": "acc_5",
        "ACC@0.75": "acc_75",
        "ACC@0.9": "acc_9",
        "Center_ACC": "center_acc",
        "MACC": "macc",
    }
    found = {name: float(np.mean([item[key] for item in items])) for name, key in names.items()}
    tasks = [doc["subtask_l1"] for doc in docs]
    for task in dict.fromkeys(tasks):
        hits = [item["acc_5"] for item, one in zip(items, tasks, strict=True) if one == task]
        name = "Rejection_ACC" if task == "Rejection" else f"{task}_ACC@0.5"
        found[name] = float(np.mean(hits))
    return found


def _objects(text: str) -> Any:
    """The answer's JSON: all of it, else the first fence that can be read, else every object."""
    fences = re.findall(r"```(?:json)?\s*(.*?)```", text, re.DOTALL | re.IGNORECASE)
    for part in (text, *fences):
        try:
            return json.loads(part)
        except ValueError:
            continue
    objects, at = [], text.find("{")
    while at >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, at)
            objects.append(value)
        except ValueError:
            end = at + 1
        at = text.find("{", end)
    return objects


def _labelled_boxes(text: str) -> list[Case]:
    """Last things first, as the published code pops its stack."""
    found, stack = [], [_objects(text)]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            box = next((node[key] for key in BOX_KEYS if key in node), None)
            if isinstance(box, list) and len(box) == 4:
                label = next((node[key] for key in LABEL_KEYS if key in node), None)
                found.append({"bbox": [float(value) for value in box], "label": label})
            else:
                stack += node.values()
    quads = [] if found else QUAD.findall(text)
    return found + [{"bbox": [float(v) for v in quad], "label": None} for quad in quads]


def _key(label: Any) -> str:
    return str(label).strip().lower()


def _fitting_frame(box: Box, truths: Sequence[Box], doc: Case) -> Box:
    width, height, highest = doc["image_width"], doc["image_height"], max(box)
    boxes = [box]
    boxes += [_scaled(box, width, height)] if highest <= 1 else []
    boxes += [_scaled([v / 1000 for v in box], width, height)] if highest <= 1000 else []
    return max(boxes, key=lambda one: max(_clipped_iou(truth, one) for truth in truths))


def _read(doc: Case, text: str, tries_frames: bool) -> list[Case]:
    boxes = _labelled_boxes(text)
    for one in boxes if tries_frames else ():
        pairs = zip(doc["bboxes"], doc["labels"], strict=True)
        truths = [box for box, label in pairs if _key(label) == _key(one["label"])]
        one["bbox"] = _fitting_frame(one["bbox"], truths, doc) if truths else one["bbox"]
    return boxes


def _pairs(doc: Case, boxes: Sequence[Case]) -> list[tuple[float, bool]]:
    """IoU and whether the centre lies inside, of each pair within a label: best pairs first."""
    overlaps = [
        (_clipped_iou(truth, one["bbox"]), t, b)
        for t, (truth, label) in enumerate(zip(doc["bboxes"], doc["labels"], strict=True))
        for b, one in enumerate(boxes)
        if _key(one["label"]) == _key(label)
    ]
    taken: set[tuple[str, int]] = set()
    found = []
    for overlap, t, b in sorted(overlaps, key=lambda one: -one[0]):
        if overlap > 0 and not taken & {("truth", t), ("box", b)}:
            taken |= {("truth", t), ("box", b)}
            found.append((overlap, _has_centre(doc["bboxes"][t], boxes[b]["bbox"])))
    return found


def _odinw13(tries_frames: bool) -> Callable[[Case], Case]:
    def check(case: Case) -> Case:
        sets: dict[str, list[tuple[Case, list[Case]]]] = {}
        every = []
        for doc, text in zip(case["docs"], case["responses"], strict=True):
            every.append(_read(doc, text, tries_frames))
            sets.setdefault(doc["dataset_name"], []).append((doc, every[-1]))
        rates = [one for some in sets.values() if (one := _set_rates(some))]
        aps = [one for some in sets.values() if (one := _set_ap(some))]
        found = _means(rates, _set_names()) | _means(aps, ("mAP", "mAP50", "mAP75"))
        chosen = {"preds_after_frame_choice": every}
        return {"expected": found | chosen} if tries_frames else found

    return check


def _set_names() -> list[str]:
    return ["IoU", *(f"ACC@{level}" for level in LEVELS), "Center_ACC"]


def _means(rows: Sequence[dict[str, float]], names: Sequence[str]) -> Case:
    return {name: float(np.mean([row[name] for row in rows])) if rows else 0.0 for name in names}


def _set_rates(pairs: Sequence[tuple[Case, list[Case]]]) -> dict[str, float]:
    truths = sum(len(doc["bboxes"]) for doc, _ in pairs)
    matched = [one for doc, boxes in pairs for one in _pairs(doc, boxes)]
    sums = [sum(overlap for overlap, _ in matched)]
    sums += [sum(overlap >= level for overlap, _ in matched) for level in LEVELS]
    sums.append(sum(centre for _, centre in matched))
    return {n: s / truths for n, s in zip(_set_names(), sums, strict=True)} if truths else {}


def _set_ap(pairs: Sequence[tuple[Case, list[Case]]]) -> dict[str, float]:
    names = [_key(name) for doc, _ in pairs for name in doc["categories"]]
    ids = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
    truths, results = [], []
    for doc, boxes in pairs:
        of_image = [
            {"bbox": box, "label": label}
            for box, label in zip(doc["bboxes"], doc["labels"], strict=True)
        ]
        truths += _records(of_image, doc["image_id"], ids)
        results += [one | {"score": 1.0} for one in _records(boxes, doc["image_id"], ids)]
    if not truths:
        return {}
    truth = {
        "images": [{"id": doc["image_id"]} for doc, _ in pairs],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
        "annotations": [one | {"id": number, "iscrowd": 0} for number, one in enumerate(truths, 1)],
    }
    return {f"m{name}": value for name, value in first_stats(truth, results).items()}


def _records(boxes: Sequence[Case], image: int, ids: dict[str, int]) -> list[Case]:
    sizes = [
        (one, max(0.0, one["bbox"][2] - one["bbox"][0]), max(0.0, one["bbox"][3] - one["bbox"][1]))
        for one in boxes
        if _key(one["label"]) in ids
    ]
    return [
        {
            "image_id": image,
            "category_id": ids[_key(one["label"])],
            "bbox": [*one["bbox"][:2], width, height],
            "area": width * height,
        }
        for one, width, height in sizes
    ]


def _counting(case: Case) -> Case:
    rows = [_count(row["count"], row["response"]) for row in case["rows"]]
    flat = [row | row["fsc147"] for row in rows]
    names = ("countbench", "countbenchqa", "pixmo_count", "fsc147_exact_match", "fsc147_mae")
    means = {name: float(np.mean([row[name] for row in flat])) for name in names}
    return {"expected": means | {"per_row": rows}}


def _count(target: int, text: str) -> Case:
    exact = {name: float(is_exact(text, target)) for name, is_exact in PUBLISHED.items()}
    fsc147 = counting([fsc147_count(text)], [target])
    assert fsc147 is not None
    names = {"fsc147_exact_match": exact.pop("fsc147"), "fsc147_mae": fsc147.mae}
    return exact | {"fsc147": names}


FRAME_CHECKS: dict[str, Callable[[Case], Case]] = {
    "groundingme": _groundingme(tries_frames=True),
    "odinw13_lmms_eval": _odinw13(tries_frames=True),
    "counting": _counting,
}
FRAMES_MEANT = {
    "groundingme": {
        "frames chosen by the annotation, and text that cannot be read as a right rejection": (
            _groundingme(tries_frames=False)
        )
    },
    "odinw13_lmms_eval": {"frames chosen by the annotation": _odinw13(tries_frames=False)},
}
