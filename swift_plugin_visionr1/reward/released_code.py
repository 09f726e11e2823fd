"""The authors' released reward functions, reproduced from their behaviour (presets `official`,
`official-adaptive`).

They differ from the paper: GIoU instead of IoU, raw-pixel L1 in the matcher together with the
label, strict comparisons, a lenient format check that is inverted for images without objects,
recall whose f never tightens. Where the released code would crash (boxes on an empty ground truth,
absurd JSON) the reward is 0.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.ground_truth import GroundTruth
from ..errors import SettingsError
from ..formats import Format, get_format
from ..geometry.boxes import LIMIT, Boxes, as_boxes, giou
from ..geometry.frames import Size, convert
from .equations import RewardBreakdown
from .matching import NO_MATCH, Match, canonical_order, label_key
from .schedule import Criteria

_FENCE = re.compile(r"```json\n|\n```")
_COORDINATE = r"(\d{1,3}|1000)"
_ENTRY = re.compile(
    r'\{"bbox_2d": \[' + ", ".join([_COORDINATE] * 4) + r'\], "label": "([^"]+)"\}'
)  # the released code's fallback; spacing and the 1000 are its own

Entry = tuple[list[int], object]
FARTHEST = 10**30  # float32 holds it, and farther coordinates give the same rewards


def require_official_format(format: Format) -> None:
    """Raise SettingsError for a format that the released code does not read: it only knows the
    paper's Qwen2.5-VL."""
    if format != (released := get_format("qwen2_5_vl")):
        raise SettingsError(
            f"expected the format {released.name}, {released.frame.describe()}, no reasoning, "
            f"with the official rules, which read no other, got {format.name}, "
            f"{format.frame.describe()}, reasoning "
            f"{getattr(format, 'reasoning', 'none')}: use `preset: paper` for this model"
        )


@dataclass(frozen=True, eq=False)
class ReleasedReading:
    """A completion as the released functions read and match it, whatever the criteria.

    Attributes:
        format_reward: 1 or 0; inverted where nothing is annotated.
        boxes_xyxy: (n, 4) in pixels of the original image.
        labels: of the boxes.
        truths: number of annotated boxes.
        pairs: with their GIoU.
    """

    format_reward: float
    boxes_xyxy: Boxes
    labels: tuple[str, ...]
    truths: int
    pairs: Match


def read_official(text: str, truth: GroundTruth, processed: Size) -> ReleasedReading:
    """Read and match one completion.

    Args:
        text: the completion.
        truth: annotations in the original frame.
        processed: (width, height) of the image that the model saw, in pixels.
    """
    count, well_formed = len(truth.boxes), _format(text)
    entries = _extract(text)
    written = written_boxes(entries)
    pixels_xyxy = convert(np.clip(written, -LIMIT, LIMIT), processed, truth.size)
    labels = tuple(str(label or "") for _, label in entries)
    pairs = _match(written, entries, truth, processed) if count and entries else NO_MATCH
    format_reward = well_formed if count else 1.0 - well_formed
    return ReleasedReading(format_reward, pixels_xyxy, labels, count, pairs)


def score_official(
    reading: ReleasedReading, criteria: Criteria, differentiation: bool
) -> RewardBreakdown:
    """What the released functions return for one completion.

    Args:
        reading: the completion, read and matched.
        criteria: xi0 gates recall; xi1 and xi2 bound f for precision.
        differentiation: whether recall goes through f with its fixed .5 and .75 (the code's `step`
            is given).
    """
    predicted, pairs = len(reading.boxes_xyxy), reading.pairs
    recall = precision = float(not predicted and not reading.truths)
    if predicted and reading.truths:
        gious = pairs.ious.astype(np.float32)
        achieved = _clamp(gious, criteria.xi0, criteria.xi0).sum() / reading.truths
        low, high = (0.5, 0.75) if differentiation else (0.0, 1.0)
        recall = float(_clamp(np.array([achieved]), low, high)[0])
        precision = float(_clamp(gious, criteria.xi1, criteria.xi2).mean())
    return RewardBreakdown(
        reading.format_reward,
        recall,
        precision,
        predicted,
        reading.truths,
        pairs,
        (),
        reading.boxes_xyxy,
        reading.labels,
        pairs.ious,
    )


def written_boxes(entries: Sequence[Entry]) -> Boxes:
    """(n, 4) as written, cut off at +-FARTHEST, since answers may hold any integer."""
    return as_boxes([[max(-FARTHEST, min(v, FARTHEST)) for v in box] for box, _ in entries])


def _clamp(x: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    """f with the released comparisons: 0 below `low`, 1 strictly above `high`."""
    return np.where(x < low, 0, np.where(x > high, 1, x)).astype(x.dtype)


def _format(text: str) -> float:
    try:
        data = json.loads(_FENCE.sub("", text).strip())
    except (ValueError, RecursionError):
        return 0.0
    entries = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    boxes = [item["bbox_2d"] for item in entries if "bbox_2d" in item and "label" in item]
    return float(all(isinstance(box, list) and len(box) == 4 for box in boxes))


def _extract(text: str) -> list[Entry]:
    text = text.strip()
    data = _parse(text)
    entries = [entry for item in data if (entry := _entry(item))] if isinstance(data, list) else []
    if entries:
        return entries
    matches = [([int(v) for v in groups[:4]], groups[4]) for groups in _ENTRY.findall(text)]
    return [(box, label) for box, label in matches if box[0] < box[2] and box[1] < box[3]]


def _parse(text: str) -> object:
    lines = text.splitlines()
    if lines and lines[0].startswith("```json"):
        text = "\n".join(lines[1:])
    try:
        return json.loads(text.split("```")[0])
    except (ValueError, RecursionError):
        return None


def _entry(item: object) -> Entry | None:
    box = item.get("bbox_2d") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(box, list) or len(box) != 4:
        return None
    try:
        x1, y1, x2, y2 = (int(v) for v in box)
    except (TypeError, ValueError, OverflowError):
        return None
    return ([x1, y1, x2, y2], item.get("label")) if x1 < x2 and y1 < y2 else None


def _match(written: Boxes, entries: list[Entry], truth: GroundTruth, processed: Size) -> Match:
    """Pairs with their GIoU; L1 in raw pixels - GIoU - 1 where the labels agree, in float32 as
    released. Between assignments of equal cost the order of the answer does not decide."""
    truths = truth.boxes.astype(np.float32)
    with np.errstate(all="ignore"):  # areas beyond float32 become inf, as in the released code
        boxes = written.astype(np.float32)
        for axis in (0, 1):
            boxes[:, axis::2] = (
                boxes[:, axis::2] / np.float32(processed[axis]) * np.float32(truth.size[axis])
            )
        overlap = giou(boxes, truths)  # type: ignore[arg-type]  # float32 on purpose
        distance = np.abs(boxes[:, None] - truths).sum(axis=2)
    number = {label.lower(): place for place, label in enumerate(truth.labels)}
    theirs = np.array([number[label.lower()] for label in truth.labels])
    named = [label.strip().lower() if isinstance(label, str) else None for _, label in entries]
    predicted = np.array([-1 if name is None else number.get(name, -1) for name in named])
    same = (predicted[:, None] == theirs).astype(np.float32)
    cost = np.nan_to_num(distance - same - overlap, nan=1e30, posinf=1e30, neginf=-1e30)
    first = canonical_order(written, named, key=lambda name: (name or "", name is None))
    second = canonical_order(truth.boxes, truth.labels, label_key)
    # Here, because it takes longer to import than this whole package.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost[first][:, second])
    rows, columns = first[rows], second[columns]
    ascending = np.argsort(rows)
    rows, columns = rows[ascending], columns[ascending]
    return Match(rows, columns, np.nan_to_num(overlap[rows, columns]))
