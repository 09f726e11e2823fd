"""Samples to rows for training: one task each, asked and answered."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..data.published.base import question
from ..geometry.boxes import Boxes
from ..geometry.frames import Size
from ..models.model_io import ModelIO
from ..models.right_answer import add_answer
from .absence import absent_of
from .prompts import Prompts
from .sample import Sample, Source, Task

WHOLE = -1  # the item of a candidate that is the whole image


@dataclass(frozen=True)
class Asking:
    """How samples are asked about.

    Attributes:
        prompts: the questions.
        io: of the model that a supervised run is to teach; None for no answers.
        longest_list: categories that a question names at most. A source with no more is asked for
            all of them.
        drawn: absent categories that a question about a larger source names beside those that are
            there.
        seed: of all that is drawn.
    """

    prompts: Prompts = field(default_factory=Prompts)
    io: ModelIO | None = None
    longest_list: int = 80
    drawn: int = 20
    seed: int = 0

    def draw(self, source: Source, sample: Sample, task: str, item: int) -> random.Random:
        """Random numbers of one row: the same whoever makes it, and in whatever order."""
        return random.Random(f"{self.seed}/{source.name}/{sample.id}/{task}/{item}")


@dataclass(frozen=True)
class Rendered:
    """A row, and what a card counts.

    Attributes:
        row: without its image's path where that has still to be written.
        boxes: n of [x1, y1, x2, y2] in pixels of the image.
        labels: of its boxes.
        negative: whether nothing that is asked for is there.
        thin: boxes that are in no answer because they are thinner than the format's grid.
    """

    row: dict[str, Any]
    boxes: list[list[float]]
    labels: tuple[str, ...]
    negative: bool
    thin: int = 0


def render(
    sample: Sample, source: Source, task: Task, item: int, negative: bool, asking: Asking
) -> Rendered | None:
    """The row of a candidate; None if there is nothing to ask.

    Args:
        sample: complete and mended.
        source: that it is from.
        task: what is asked.
        item: which phrase or category of the sample; `WHOLE` for detection and for categories that
            are absent.
        negative: whether the question is to be about absent categories only.
        asking: how.
    """
    draw = asking.draw(source, sample, f"{task}{'-' if negative else ''}", item)
    asked: Asked
    if sample.asked:
        asked = sample.phrases[0].text, list(range(len(sample.labels))), sample.labels
    elif task == "detection":
        asked = _detection(sample, source, negative, asking, draw)
    elif any(phrase.task == task for phrase in sample.phrases):
        asked = _phrase(sample, item, asking, draw)
    else:
        asked = _category(sample, source, item, negative, asking, draw)
    if asked is None:
        return None
    text, chosen, labels = asked
    assert sample.size is not None
    boxes = written_boxes(sample.boxes_xyxy[chosen])
    row = {
        "messages": question(text),
        "images": [sample.image],
        "solution": solution_of(sample.size, boxes, labels),
        "image_id": sample.id,
        "source": source.name,
        "task": sample.phrases[0].task if sample.asked else task,
    }
    thin = add_answer(row, asking.io) if asking.io else 0
    return Rendered(row, boxes, tuple(labels), not boxes, thin)


Asked = tuple[str, list[int], Sequence[str]] | None  # question, boxes, their labels


def _detection(
    sample: Sample, source: Source, negative: bool, asking: Asking, draw: random.Random
) -> Asked:
    absent = absent_of(sample, source)
    partly = set(map(source.plain, sample.not_exhaustive))
    there = [
        name
        for name in dict.fromkeys(sample.labels)
        if source.plain(name) not in partly and not negative
    ]
    if not negative and not there and sample.labels:
        return None  # all that is there is boxed in part only
    names = _names(there, absent, source, negative, asking, draw)
    if not names or (negative and not absent):
        return None
    chosen = set(there)
    boxes = [index for index, label in enumerate(sample.labels) if label in chosen]
    return asking.prompts.detection(names, draw), boxes, [sample.labels[i] for i in boxes]


def _names(
    there: list[str],
    absent: list[str],
    source: Source,
    negative: bool,
    asking: Asking,
    draw: random.Random,
) -> list[str]:
    """The categories that a question names."""
    if not negative and source.exhaustive and len(source.categories) <= asking.longest_list:
        wanted = {*there, *absent}
        return [name for name in source.categories if name in wanted]
    room = max(asking.longest_list - len(there), 0)
    count = min(asking.drawn, room, len(absent))
    if negative:
        count = draw.randint(1, max(count, 1)) if absent else 0
    names = there + draw.sample(absent, count)
    draw.shuffle(names)
    return names


def _phrase(sample: Sample, item: int, asking: Asking, draw: random.Random) -> Asked:
    if not 0 <= item < len(sample.phrases):
        return None
    phrase = sample.phrases[item]
    boxes = list(phrase.boxes)
    return asking.prompts.phrase(phrase.text, draw), boxes, [phrase.text] * len(boxes)


def _category(
    sample: Sample,
    source: Source,
    item: int,
    negative: bool,
    asking: Asking,
    draw: random.Random,
) -> Asked:
    if negative:
        absent = absent_of(sample, source)
        return (asking.prompts.phrase(draw.choice(absent), draw), [], []) if absent else None
    names = list(dict.fromkeys(sample.labels))
    if not 0 <= item < len(names):
        return None
    name = names[item]
    if source.plain(name) in set(map(source.plain, sample.not_exhaustive)):
        return None
    boxes = [index for index, label in enumerate(sample.labels) if label == name]
    return asking.prompts.phrase(name, draw), boxes, [name] * len(boxes)


def written_boxes(boxes_xyxy: Boxes) -> list[list[float]]:
    """(n, 4) boxes as rows hold them: whole numbers without a point."""
    return [[_short(number) for number in box] for box in boxes_xyxy.tolist()]


def solution_of(size: Size, boxes: list[list[float]], labels: Sequence[str]) -> str:
    """The annotation of a row.

    Args:
        size: (width, height) of the image in pixels.
        boxes: as `written_boxes` makes them.
        labels: of the boxes.
    """
    width, height = size
    return json.dumps({"width": width, "height": height, "boxes": boxes, "labels": list(labels)})


def _short(number: float) -> float | int:
    """12.0 as 12."""
    return int(number) if number.is_integer() else number
