"""What only answers in words have: refusals, format adherence, counting."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .answers.coco_results import Converted
from .answers.numbers import count_in
from .coco.annotations import Annotations
from .coco.columns import Indices, place_of_each
from .metrics.counting import PUBLISHED, Counting, counting, sampled_counting
from .metrics.refusal import refusal_rates
from .metrics.sampled import Sampled, mean_of_answers
from .metrics.scores import EXACT_COUNT, Metrics, Scores


def with_text(scores: Scores, annotations: Annotations, converted: Converted) -> Scores:
    """The scores with the rows of `Scores.beside` that text answers add, and their samples."""
    refused, present, known = _refusals(annotations, converted)
    beside = refusal_rates(refused[known], present[known]) | {
        "format adherence": converted.counts.format_adherence
    }
    image, images = _images(annotations, converted), len(annotations.image_ids)
    absent, present = known & ~present, known & present
    sampled = {
        "refused where absent": mean_of_answers(refused[absent], image[absent], images),
        "refused where present": mean_of_answers(refused[present], image[present], images),
        "format adherence": sampled_adherence(annotations, converted),
    }
    return replace(scores, beside=scores.beside | beside, sampled={**scores.sampled, **sampled})


def sampled_adherence(annotations: Annotations, converted: Converted) -> Sampled:
    """`Counts.format_adherence` on samples of the images."""
    clean = np.array([not one.issues for one in converted.answers], dtype=bool)
    return mean_of_answers(clean, _images(annotations, converted), len(annotations.image_ids))


def _images(annotations: Annotations, converted: Converted) -> Indices:
    """(n,) the place of each answer's image."""
    return place_of_each([one.answer.image.id for one in converted.answers], annotations.image_ids)


def refusal(annotations: Annotations, converted: Converted) -> Metrics:
    """`refusal_rates` of text answers."""
    refused, present, known = _refusals(annotations, converted)
    return refusal_rates(refused[known], present[known])


def _refusals(
    annotations: Annotations, converted: Converted
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) whether each answer refuses, whether something of what was asked for is annotated, and
    whether that or its absence is known.

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
    columns = (np.array(column, dtype=bool) for column in (refused, present, known))
    return next(columns), next(columns), next(columns)


def count_boxes(
    annotations: Annotations, converted: Converted
) -> tuple[Counting | None, dict[str, Sampled]]:
    """`counting` of text answers by their boxes, for a question about one category the boxes of it,
    else all whose label is a category; and the same on samples of the images."""
    counted = []
    for one in converted.answers:
        asked = one.answer.query.category
        boxes = sum(name is not None for name in one.categories)
        counted.append(boxes if asked is None else one.categories.count(asked))
    return _compare(counted, annotations, converted)


def count_numbers(
    annotations: Annotations, converted: Converted
) -> tuple[Counting | None, dict[str, Sampled]]:
    """The same for answers that say a number."""
    counted = [count_in(one.answer.text) for one in converted.answers]
    return _compare(counted, annotations, converted)


def _compare(
    counted: Sequence[int | None], annotations: Annotations, converted: Converted
) -> tuple[Counting | None, dict[str, Sampled]]:
    annotated = _annotated(annotations, converted)
    image, images = _images(annotations, converted), len(annotations.image_ids)
    return counting(counted, annotated), sampled_counting(counted, annotated, image, images)


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
