"""Signs that the boxes in a file use another layout, frame or image size, or other category ids.

A sample of the best boxes is compared with the annotations. Findings become warnings and never
change a number. Results that agree with the annotations are not examined further.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from swift_plugin_visionr1.data.box_faults import WORDS, BoxEvidence, find_box_fault
from swift_plugin_visionr1.geometry.boxes import LAYOUTS, Boxes, is_valid, xywh_to_xyxy
from swift_plugin_visionr1.geometry.frames import Size, convert
from swift_plugin_visionr1.text import share

from ..coco.annotations import Annotations, Id
from ..coco.detections import Detections
from .trials import best_pairs

IMAGES = 100  # looked at, spread over the data set
PER_IMAGE = 20  # boxes of each, the best by score
AGREES = 0.5  # of the annotated boxes: no further questions
FEW = 4  # boxes, all of which another reading may find; fewer have to fit nearly exactly
EXACT = 0.9  # IoU
LOST = 0.05  # of them: the boxes by themselves are asked, too
FOUND = 0.2  # of the annotated boxes, or of those given: less may be chance
TIMES, AND = 2, 3  # another reading has to find so many times as many boxes, and so many more
SEEN = 5  # pairs for each category, before any mapping of the categories is believed
MOST = 0.5  # of the pairs that another numbering of the categories has to bring together
FACTORS = (0.25, 0.5, 2, 4)  # of the original image's sides
SIDES = (224, 256, 320, 416, 448, 512, 608, 640, 672, 768, 800, 896, 1024, 1280, 1333)  # detectors'
# codes of faults that loose boxes or a bad detector may have
UNTOLD = ("out_of_image", "corner_order", "no_area")
Layout = Callable[[Boxes], Boxes]  # (n, 4) numbers to corners


@dataclass(frozen=True)
class _Sample:
    """One image: (n, 4) boxes as written and (m, 4) xyxy annotations, each with their
    categories."""

    size: Size
    written: Boxes
    names: tuple[Id, ...]
    there: Boxes
    truths: tuple[Id, ...]


@dataclass(frozen=True)
class _Reading:
    """One way to interpret the numbers of a box.

    Attributes:
        words: its description.
        layout: what the four numbers are.
        side: image size -> (width, height) of the frame that the numbers refer to.
    """

    words: str
    layout: Layout
    side: Callable[[Size], tuple[float, float]]

    def corners(self, sample: _Sample) -> Boxes:
        """(n, 4) xyxy in pixels of the original image."""
        return convert(self.layout(sample.written), self.side(sample.size), sample.size)


def _y_first(layout: Layout) -> Layout:
    return lambda boxes: layout(boxes[:, [1, 0, 3, 2]])


def _scaled(factor: float) -> Callable[[Size], tuple[float, float]]:
    return lambda size: (factor * size[0], factor * size[1])


def _longest(side: int) -> Callable[[Size], tuple[float, float]]:
    return lambda size: (size[0] * side / max(size), size[1] * side / max(size))


def _stretched(side: float) -> Callable[[Size], tuple[float, float]]:
    return lambda size: (side, side)


AS_GIVEN = _Reading(WORDS["xywh"], LAYOUTS["xywh"], _scaled(1))


def _readings() -> Iterator[_Reading]:
    for code in ("xyxy", "cxcywh"):
        yield _Reading(WORDS[code], LAYOUTS[code], _scaled(1))
    for code in ("xywh", "xyxy"):
        words, layout = WORDS[code], LAYOUTS[code]
        yield _Reading(f"{words} with y first", _y_first(layout), _scaled(1))
        yield _Reading(f"{words} in fractions of the image", layout, _stretched(1))
        yield _Reading(f"{words} in percent of the image", layout, _stretched(100))
        yield _Reading(f"{words} in thousandths of the image", layout, _stretched(1000))
        for factor in FACTORS:
            of = f"{words} in pixels of images {factor:g} times as large"
            yield _Reading(of, layout, _scaled(factor))
        for side in SIDES:
            of = f"{words} in pixels of images resized to"
            yield _Reading(f"{of} a longest side of {side}", layout, _longest(side))
            yield _Reading(f"{of} {side} x {side}", layout, _stretched(side))


def given_box_warnings(annotations: Annotations, detections: Detections) -> tuple[str, ...]:
    """Evidence in the annotations against boxes in pixels as [x, y, width, height], and against
    their categories."""
    samples = _samples(annotations, detections)
    total = sum(len(sample.there) for sample in samples)
    pairs = _pairs(samples, AS_GIVEN)
    text = None
    if len(pairs) < AGREES * total:
        text = _other_layout(samples, len(pairs), total)
        text = text or _other_images(annotations, detections, len(pairs))
    if len(pairs) < LOST * total and not text:
        text = _fault_of_boxes(samples)
    return (text,) if text else _other_numbering(pairs, annotations.categories)


def _other_layout(samples: Sequence[_Sample], before: int, total: int) -> str | None:
    counts = (
        (len(_pairs(samples, one)), len(_pairs(samples, one, EXACT)), one.words)
        for one in _readings()
    )
    best, exact, words = max(counts, key=lambda one: one[:2])
    given = sum(len(sample.names) for sample in samples)
    all_of_few = best == min(total, given) and best >= TIMES * before
    all_of_few = all_of_few and (best >= FEW or (exact == best > before == 0))
    if (best < TIMES * before + AND and not all_of_few) or best < FOUND * min(total, given):
        return None
    return (
        f"the boxes fit the annotations as {words}, not as [x, y, width, height] in pixels of the "
        f"original image: read that way, a sample finds {share(best, total)} annotated boxes at "
        f"IoU .5, as given {before}. The metrics use the boxes as given: convert the file and "
        "evaluate again"
    )


def _other_images(annotations: Annotations, detections: Detections, before: int) -> str | None:
    """Whether the boxes fit the annotations of other images, numbered differently."""
    ids = annotations.image_ids
    places = {key: place for place, key in enumerate(ids)}
    for words, mapping in _numberings_by_place(ids):
        to_place = {key: places.get(other, -1) for key, other in mapping.items()}
        image = np.array([to_place.get(key, -1) for key in ids])[detections.image]
        moved = replace(detections, image=image).take(image >= 0)
        samples = _samples(annotations, moved)
        total = sum(len(sample.there) for sample in samples)
        best = len(_pairs(samples, AS_GIVEN))
        if best >= max(TIMES * before + AND, MOST * total):
            return (
                f"the images seem to be numbered differently: {words}, a sample finds "
                f"{share(best, total)} annotated boxes at IoU .5, as given {before}. The metrics "
                "use the ids as given: map them and evaluate again"
            )
    return None


def _fault_of_boxes(samples: Sequence[_Sample]) -> str | None:
    """What the boxes show by themselves if the annotations are inconclusive."""
    counts = [len(sample.written) for sample in samples]
    evidence = BoxEvidence(
        np.concatenate([sample.written for sample in samples]),
        "xywh",
        np.repeat(np.array([sample.size for sample in samples], dtype=np.float64), counts, axis=0),
        np.repeat(np.arange(len(samples)), counts),
    )
    fault = find_box_fault(evidence)
    return fault.text if fault and fault.code not in UNTOLD else None


def _other_numbering(
    pairs: Sequence[tuple[Id, Id]], categories: Mapping[Id, str]
) -> tuple[str, ...]:
    """`pairs`: the given and the annotated category of boxes that overlap."""
    right = sum(given == there for given, there in pairs)
    needed = max(TIMES * right + AND, MOST * len(pairs))
    counts = (
        (words, sum(mapping.get(given) == there for given, there in pairs))
        for words, mapping in _numberings(pairs, categories)
    )
    words, mapped = next((one for one in counts if one[1] >= needed), ("", 0))
    if not words:
        return ()
    example, often = Counter(pair for pair in pairs if pair[0] != pair[1]).most_common(1)[0]
    given, there = (repr(categories[key]) for key in example)
    return (
        f"the categories seem to be numbered differently: of {len(pairs)} boxes of a sample that "
        f"lie on an annotated one, {right} have its category; {words}, {mapped} would have it "
        f"({often} of {given} lie on {there}). The metrics use the ids as given: map them and "
        "evaluate again",
    )


def _numberings(
    pairs: Sequence[tuple[Id, Id]], categories: Mapping[Id, str]
) -> Iterator[tuple[str, Mapping[Id, Id]]]:
    """A description and a mapping from the given ids to the annotation file's; the simplest
    first."""
    yield from _numberings_by_place(list(categories))
    lying = {given: Counter(b for a, b in pairs if a == given) for given, _ in pairs}
    if len(pairs) >= SEEN * len(lying):
        most = {given: counts.most_common(1)[0][0] for given, counts in lying.items()}
        yield "with each category read as the one it mostly lies on", most


def _numberings_by_place(ids: Sequence[Id]) -> Iterator[tuple[str, Mapping[Id, Id]]]:
    for first in (0, 1):
        places: dict[Id, Id] = dict(enumerate(ids, first))
        yield f"as places in the annotation file's list, from {first}", places
    for step in (1, -1):
        shifted: dict[Id, Id] = {key: key + step for key in ids if isinstance(key, int)}
        yield "with 1 added" if step > 0 else "with 1 taken off", shifted


def _pairs(
    samples: Sequence[_Sample], reading: _Reading, least: float = 0.0
) -> list[tuple[Id, Id]]:
    """The categories of boxes, read this way, and of the annotations that they lie on with at least
    this IoU."""
    pairs = []
    for sample in samples:
        boxes = reading.corners(sample)
        valid = np.flatnonzero(is_valid(boxes))
        for row, column, iou in best_pairs(boxes[valid], sample.there):
            if iou >= least:
                pairs.append((sample.names[valid[row]], sample.truths[column]))
    return pairs


def _samples(annotations: Annotations, detections: Detections) -> list[_Sample]:
    """Images that have annotations and boxes, spread over the data set."""
    truths = annotations.truths
    pairs = enumerate(zip(truths.by_image, detections.by_image, strict=True))
    shown = [place for place, (there, given) in pairs if len(there) and len(given)]
    chosen = shown[:: max(1, len(shown) // IMAGES)]
    return [_sample(annotations, detections, place) for place in chosen]


def _sample(annotations: Annotations, detections: Detections, image: int) -> _Sample:
    truths, ids = annotations.truths, annotations.category_ids
    there, given = truths.by_image[image], detections.by_image[image]
    best = given[np.argsort(-detections.score[given], kind="stable")[:PER_IMAGE]]
    return _Sample(
        annotations.images[image].size,
        detections.boxes_xywh[best],
        tuple(ids[k] for k in detections.category[best].tolist()),
        xywh_to_xyxy(truths.boxes_xywh[there]),
        tuple(ids[k] for k in truths.category[there].tolist()),
    )
