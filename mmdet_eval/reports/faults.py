"""What went wrong: every object that was not found and every wrong box, under one cause each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from swift_plugin_visionr1.geometry.boxes import iou, is_valid
from swift_plugin_visionr1.text import clipped, share

from ..evaluation import Evaluation
from .judged import FOUND_FROM, JudgedAnswer

LOOSE_FROM = 0.1  # least IoU for a box to be about an object at all
EXAMPLES = 3
SHOWN = 5
LABELS_NAMED = 3
OBJECTS, BOXES = "objects", "boxes"


@dataclass(frozen=True)
class Cause:
    """A cause in plain words: `of` says whether objects or boxes are counted, `advice` what helps,
    if anything in particular does."""

    title: str
    meaning: str
    of: str = OBJECTS
    advice: str = ""


CAUSES = {
    "unanswered": Cause(
        "Images without an answer",
        "Nothing was answered about their image.",
        advice="Run the same command again: it asks what is missing.",
    ),
    "unreadable": Cause(
        "Answers that cannot be read",
        "The answer holds no box and does not say that nothing is there.",
        advice="Read the raw text: another --model-type or --format may fit it.",
    ),
    "cut": Cause(
        "Answers cut off",
        "The answer ended at the token limit before it came to these objects.",
        advice="Raise --max_new_tokens.",
    ),
    "silent": Cause(
        "Said that nothing was there", "The answer lists nothing, although these are annotated."
    ),
    "label": Cause(
        "Right place, wrong label",
        f"A box of IoU {FOUND_FROM} or more calls the object something else.",
    ),
    "unknown": Cause(
        "Right place, unknown label",
        "The label names no category, so the box was dropped.",
        advice="--synonyms maps labels to categories.",
    ),
    "loose": Cause(
        "Boxes that fit badly",
        f"The box of the object has an IoU between {LOOSE_FROM} and {FOUND_FROM}.",
        advice="If most boxes fit badly, check the frame: --model-type and MAX_PIXELS.",
    ),
    "missed": Cause("Objects overlooked", "No box of the answer is about them."),
    "outside": Cause(
        "Boxes outside the image",
        "They lie outside altogether, so they were dropped.",
        BOXES,
        "Check the frame: --model-type and MAX_PIXELS.",
    ),
    "absent": Cause(
        "Boxes where there is nothing to find",
        "The image shows nothing of what was asked for.",
        BOXES,
    ),
    "repeated": Cause(
        "Objects boxed more than once", "Another box of the answer has the object already.", BOXES
    ),
    "background": Cause("Boxes beside the objects", "They are on no annotated object.", BOXES),
}


@dataclass(frozen=True)
class ReportedFault:
    """A cause and how often it came up.

    Attributes:
        key: of `CAUSES`.
        count: number of objects or boxes.
        total: of all that were annotated or answered.
        answers: number of answers they are in.
        labels: what they are called, with their numbers, the most frequent first.
        examples: (data set, answer) places of up to `EXAMPLES` answers that show it best.
    """

    key: str
    count: int
    total: int
    answers: int
    labels: tuple[tuple[str, int], ...]
    examples: tuple[tuple[int, int], ...]

    @property
    def words(self) -> str:
        """`12 of 80 objects (15%) in 9 answers, most often cat (7), dog (5).`"""
        cause = CAUSES[self.key]
        where = f" in {_number(self.answers, 'answer')}" if self.answers else ""
        named = ", ".join(f"{clipped(name, 40)} ({n:,})" for name, n in self.labels)
        often = f", most often {named}" if named else ""
        part, rounded = share(self.count, self.total).split(" (")
        return f"{part} {cause.of} ({rounded}{where}{often}."


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def find_faults(
    evaluations: Sequence[Evaluation], judged: Sequence[Sequence[JudgedAnswer]]
) -> tuple[ReportedFault, ...]:
    """The faults of all data sets together, the most frequent first."""
    counts: dict[str, _CauseCount] = {key: _CauseCount() for key in CAUSES}
    for number, answers in enumerate(judged):
        for place, one in enumerate(answers):
            causes = list(_causes(one))
            for key, count in Counter(key for key, _ in causes).items():
                names = [name for cause, name in causes if cause == key]
                counts[key].add((number, place), count, len(causes), names)
    totals = {
        OBJECTS: sum(len(one.truth.boxes) for answers in judged for one in answers),
        BOXES: sum(len(one.read.boxes) for answers in judged for one in answers),
    }
    unanswered = [
        name for pair in zip(evaluations, judged, strict=True) for name in _unanswered(*pair)
    ]
    counts["unanswered"].names.update(unanswered)
    totals[OBJECTS] += len(unanswered)
    faults = (one.fault(key, totals[CAUSES[key].of]) for key, one in counts.items())
    return tuple(sorted((f for f in faults if f.count), key=lambda fault: -fault.count))


class _CauseCount:
    """What one cause adds up to."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()
        self._answers: list[tuple[int, tuple[int, int]]] = []

    def add(self, where: tuple[int, int], count: int, causes: int, names: Iterable[str]) -> None:
        """An answer with `count` of the cause, of `causes` faults in all."""
        self.names.update(names)
        self._answers.append((causes - 2 * count, where))

    def fault(self, key: str, total: int) -> ReportedFault:
        """Answers in which the cause prevails are the best examples."""
        examples = tuple(where for _, where in sorted(self._answers)[:EXAMPLES])
        labels = tuple((name, n) for name, n in self.names.most_common(LABELS_NAMED) if name)
        count = self.names.total()
        return ReportedFault(key, count, total, len(self._answers), labels, examples)


def _unanswered(evaluation: Evaluation, judged: Sequence[JudgedAnswer]) -> list[str]:
    """The names of the objects in images about which nothing was answered."""
    answered = {one.read.answer.image.id for one in judged}
    annotations = evaluation.annotations
    if len(answered) == len(annotations.image_ids):
        return []
    truths, names = annotations.truths, list(annotations.categories.values())
    left = [place for place, key in enumerate(annotations.image_ids) if key not in answered]
    places = np.concatenate([truths.by_image[place] for place in left])
    places = places[(truths.boxes_xywh[places, 2:] > 0).all(axis=1)]
    return [names[category] for category in truths.category[places].tolist()]


def _causes(judged: JudgedAnswer) -> Iterator[tuple[str, str]]:
    """A cause and a label for each object that was not found, and each box that is wrong."""
    names, called, match = judged.truth.labels, judged.read.parsed.labels, judged.reward.match
    lost, left = set(range(len(names))), set(range(len(called)))
    pairs = zip(match.predictions.tolist(), match.truths.tolist(), match.ious, strict=True)
    for box, truth, overlap in pairs:
        if overlap < LOOSE_FROM:
            continue
        lost.discard(truth)
        left.discard(box)
        if overlap < FOUND_FROM:
            yield "loose", names[truth]
        elif judged.states[box] == "label":
            key = "unknown" if judged.read.categories[box] is None else "label"
            yield key, f"{names[truth]} called {called[box] or 'nothing'}"
    reason = _reason(judged)
    yield from ((reason, names[truth]) for truth in sorted(lost))
    yield from _wrong_boxes(judged, sorted(left))


def _reason(judged: JudgedAnswer) -> str:
    read = judged.read
    if read.unparsed:
        return "unreadable"
    if read.answer.truncated:
        return "cut"
    return "missed" if len(read.boxes) else "silent"


def _wrong_boxes(judged: JudgedAnswer, places: Sequence[int]) -> Iterator[tuple[str, str]]:
    if not places:
        return
    boxes_xyxy, called = judged.read.boxes[places], judged.read.parsed.labels
    valid = is_valid(boxes_xyxy)
    nearest = np.zeros(len(places))
    if len(judged.truth.boxes) and valid.any():
        nearest[valid] = iou(boxes_xyxy[valid], judged.truth.boxes).max(axis=1)
    beside = "background" if len(judged.truth.boxes) else "absent"
    for place, inside, overlap in zip(places, valid.tolist(), nearest, strict=True):
        key = "outside" if not inside else "repeated" if overlap >= FOUND_FROM else beside
        yield key, called[place]
