"""What only answers in words have: refusals, format adherence, counting."""

import numpy as np

from .answers.coco_results import Converted
from .answers.numbers import count_in
from .coco.annotations import Annotations
from .metrics.counting import PUBLISHED, Counting, counting
from .metrics.refusal import refusal_rates
from .metrics.scores import EXACT_COUNT, Metrics


def of_text(annotations: Annotations, converted: Converted) -> Metrics:
    """The rows of `Scores.beside` that text answers add."""
    return refusal(annotations, converted) | {"format adherence": converted.counts.format_adherence}


def refusal(annotations: Annotations, converted: Converted) -> Metrics:
    """`refusal_rates` of text answers.

    An answer refuses if it says in any way that there is nothing; text that cannot be read does
    not. Answers about what may be there without an annotation do not count: crowds, and in LVIS
    what nobody looked for.
    """
    annotated, absent = annotations.present(), annotations.absent()
    every = len(annotations.category_ids)
    present, known = [], []
    for one in converted.answers:
        image, category = one.answer.image.id, one.answer.query.category
        there = annotated[image] if category is None else category in annotated[image]
        gone = len(absent[image]) == every if category is None else category in absent[image]
        present.append(bool(there))
        known.append(bool(there or gone))
    refused = [one.parsed.says_nothing and not len(one.boxes) for one in converted.answers]
    columns = (np.array(column, dtype=bool) for column in (refused, present))
    return refusal_rates(*(column[np.array(known, dtype=bool)] for column in columns))


def count_boxes(annotations: Annotations, converted: Converted) -> Counting | None:
    """`counting` of text answers by their boxes: for a question about one category the boxes of
    it, else all whose label is a category."""
    counted = []
    for one in converted.answers:
        asked = one.answer.query.category
        boxes = sum(name is not None for name in one.categories)
        counted.append(boxes if asked is None else one.categories.count(asked))
    return counting(counted, _annotated(annotations, converted))


def count_numbers(annotations: Annotations, converted: Converted) -> Counting | None:
    """`counting` of answers that say a number."""
    counted = [count_in(one.answer.text) for one in converted.answers]
    return counting(counted, _annotated(annotations, converted))


def count_as_published(form: str, annotations: Annotations, converted: Converted) -> Metrics:
    """The share of exact counts by the rule of the published evaluation of a data set; nothing if
    it has none.

    Args:
        form: of the data set, a key of `PUBLISHED`.
    """
    if form not in PUBLISHED or not converted.answers:
        return {}
    counts = _annotated(annotations, converted)
    pairs = zip(converted.answers, counts, strict=True)
    exact = [PUBLISHED[form](one.answer.text, count) for one, count in pairs]
    return {f"{EXACT_COUNT} as published": float(np.mean(exact))}


def _annotated(annotations: Annotations, converted: Converted) -> list[int]:
    """How many there are of what each answer was asked for."""
    truths, known = annotations.truths, annotations.counts
    places = {key: place for place, key in enumerate(annotations.image_ids)}
    counts = []
    for one in converted.answers:
        image, asked = one.answer.image.id, one.answer.query.category
        there = truths.category[truths.by_image[places[image]]]
        if image in known:
            counts.append(known[image])
        elif asked is None:
            counts.append(len(there))
        else:
            counts.append(int((there == annotations.category_ids.index(asked)).sum()))
    return counts
