"""What becomes of single boxes that cannot be used as they are written. Each is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..data.box_faults import ROUNDING, TOLERANCE, beyond
from ..geometry.boxes import Boxes
from ..geometry.frames import Size
from .sample import Phrase, Sample, is_whole
from .tally import Tally

FLAT = "boxes without area"
OUTSIDE = "boxes entirely outside their image"
TWICE = "boxes that occur twice with the same category"
LOOSE = f"boxes that left their image by up to {TOLERANCE:g} pixels"
FAR = f"boxes that left their image by more than {TOLERANCE:g} pixels"
LOST = "expressions and phrases of boxes that cannot be used"
HALF = "boxes with half a character in their label"
HALF_PHRASE = "expressions and phrases with half a character"
HALF_IMAGE = "images with half a character in their name"
DECIMALS = 3  # of a pixel that are kept


def mend_all(samples: Sequence[Sample], tally: Tally) -> list[Sample]:
    """`mended` for many samples at once: only those with an unusual box are looked at one by
    one."""
    counts = np.array([len(sample.boxes_xyxy) for sample in samples])
    if not counts.sum():
        return list(samples)
    raw = np.concatenate([sample.boxes_xyxy for sample in samples])
    sizes = np.repeat([sample.size for sample in samples], counts, axis=0).astype(np.float64)
    boxes = np.round(np.clip(raw, 0, np.hstack([sizes, sizes])), DECIMALS)
    place = np.repeat(np.arange(len(samples)), counts)
    odd = (boxes[:, :2] >= boxes[:, 2:]).any(axis=1) | (beyond(raw, sizes) > ROUNDING)
    # Equal boxes of an image have equal keys; other boxes seldom do, and then nothing is lost.
    keys = raw @ np.array([1.0, 31.7, 1009.3, 32003.9]) + place * 1e9
    order = np.argsort(keys)
    equal = np.flatnonzero(np.diff(keys[order]) == 0)
    odd[order[equal]] = True
    unusual = set(place[odd].tolist())
    parts = np.split(boxes, np.cumsum(counts)[:-1])
    return [
        mended(sample, tally)
        if index in unusual
        else replace(sample, boxes_xyxy=part)
        if len(part)
        else sample
        for index, (sample, part) in enumerate(zip(samples, parts, strict=True))
    ]


def mended(sample: Sample, tally: Tally) -> Sample:
    """The sample with boxes that lie inside its image, have an area and occur once.

    A category that loses its only box is neither asked for nor taken for absent.

    Args:
        sample: with its size, and boxes in pixels.
        tally: counts what is mended or left out.
    """
    if not len(sample.boxes_xyxy):
        return sample
    assert sample.size is not None
    labels = () if sample.phrases else sample.labels
    fit = fit_boxes(sample.boxes_xyxy, sample.size, labels, DECIMALS)
    for reason, mask in fit.left_out.items():
        tally.drop(reason, f"image {sample.id}", int(mask.sum()))
    for reason, mask in fit.clipped.items():
        tally.mend(f"{reason}, clipped", f"image {sample.id}", int(mask.sum()))
    if fit.kept.all():
        return replace(sample, boxes_xyxy=fit.boxes_xyxy)
    return _only(sample, fit.boxes_xyxy, fit.kept, tally)


@dataclass(frozen=True, eq=False)
class FittedBoxes:
    """The boxes of an image, and which of them can be used.

    Attributes:
        boxes_xyxy: (n, 4) in pixels, cut off at the border of the image.
        left_out: reason -> (n,) the boxes that cannot be used; only reasons that occur.
        clipped: reason -> (n,) the used boxes that left the image.
    """

    boxes_xyxy: Boxes
    left_out: dict[str, NDArray[np.bool_]]
    clipped: dict[str, NDArray[np.bool_]]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(n,) whether a box is used."""
        kept = np.ones(len(self.boxes_xyxy), dtype=np.bool_)
        for mask in self.left_out.values():
            kept &= ~mask
        return kept


def fit_boxes(
    raw_xyxy: Boxes, size: Size, labels: Sequence[str], decimals: int | None = None
) -> FittedBoxes:
    """Cut boxes off at the border of their image, and find those that cannot be used.

    Args:
        raw_xyxy: (n, 4) in pixels as annotated.
        size: (width, height) of the image in pixels.
        labels: of the boxes; without them no box counts as listed twice.
        decimals: of a pixel that are kept; None for all.
    """
    limits = np.array([*size, *size], dtype=np.float64)
    boxes = np.clip(raw_xyxy, 0, limits)
    if decimals is not None:
        boxes = np.round(boxes, decimals)
    has_area = (raw_xyxy[:, :2] < raw_xyxy[:, 2:]).all(axis=1)
    inside = (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
    first = np.ones(len(boxes), dtype=np.bool_)
    seen = set()
    for index, key in enumerate(zip(labels, map(tuple, raw_xyxy.tolist()), strict=False)):
        first[index] = key not in seen
        seen.add(key)
    kept = has_area & inside & first
    over = beyond(raw_xyxy, limits[None, :2])
    left_out = {FLAT: ~has_area, OUTSIDE: has_area & ~inside, TWICE: has_area & inside & ~first}
    clipped = {
        LOOSE: kept & (over > ROUNDING) & (over <= TOLERANCE),
        FAR: kept & (over > TOLERANCE),
    }
    return FittedBoxes(boxes, _that_occur(left_out), _that_occur(clipped))


def _that_occur(masks: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
    return {reason: mask for reason, mask in masks.items() if mask.any()}


def with_whole_names(sample: Sample, tally: Tally) -> Sample | None:
    """The sample without names that no file can hold: half a character comes from a text that was
    cut within an escape such as `\\ud83d`. None if it is in the name of the image."""
    if not all(map(is_whole, (str(sample.id), str(sample.image), sample.split, sample.same_as))):
        tally.drop(HALF_IMAGE, ascii(sample.id))
        return None
    phrases = tuple(phrase for phrase in sample.phrases if is_whole(phrase.text))
    if lost := len(sample.phrases) - len(phrases):
        tally.drop(HALF_PHRASE, f"image {sample.id}", lost)
    kept = np.ones(len(sample.boxes_xyxy), dtype=np.bool_)
    kept[: len(sample.labels)] = list(map(is_whole, sample.labels))
    if not kept.all():
        tally.drop(HALF, f"image {sample.id}", int((~kept).sum()))
    slim = _only(replace(sample, phrases=phrases), sample.boxes_xyxy, kept, tally)
    names = {
        name: tuple(filter(is_whole, getattr(slim, name)))
        for name in ("absent", "not_exhaustive", "unsure")
    }
    return replace(slim, **names)


def _only(sample: Sample, boxes: Boxes, kept: NDArray[np.bool_], tally: Tally) -> Sample:
    places = np.cumsum(kept) - 1
    phrases = []
    for phrase in sample.phrases:
        if all(kept[box] for box in phrase.boxes):
            phrases.append(
                Phrase(phrase.text, tuple(int(places[box]) for box in phrase.boxes), phrase.task)
            )
        else:
            tally.drop(LOST, f"{phrase.text!r} of image {sample.id}")
    labels = tuple(label for label, keep in zip(sample.labels, kept, strict=False) if keep)
    known = {(label, *box) for label, box in zip(labels, boxes[kept].tolist(), strict=False)}
    lost = [
        label
        for label, box, keep in zip(sample.labels, boxes.tolist(), kept, strict=False)
        if not keep and (label, *box) not in known
    ]
    return replace(
        sample,
        boxes_xyxy=boxes[kept],
        labels=labels,
        phrases=tuple(phrases),
        unsure=tuple(dict.fromkeys([*sample.unsure, *lost])),
    )
