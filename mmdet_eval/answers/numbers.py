"""Answers that are a number: how many there are."""

import re
from collections.abc import Sequence

from swift_plugin_visionr1.formats import ParsedCompletion
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

from ..coco.annotations import Annotations
from ..coco.detections import to_detections
from .answer import Answer, ReadAnswer
from .coco_results import Converted, Counts, cut_off_warnings

NO_NUMBER = "no_number"  # the issue of an answer that says no number
WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen twenty""".split()  # noqa: SIM905
NAMES = {word: number for number, word in enumerate(WORDS)} | {"no": 0, "none": 0, "nothing": 0}
DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)|\d+")
WORD = re.compile(rf"\b(?:{'|'.join(NAMES)})\b", re.IGNORECASE)
LONGEST = 12  # digits of a count; more are a loop
THOUGHT = "</think>"


def count_in(text: str) -> int | None:
    """The number that an answer says: the first in digits, commas between thousands included, else
    the first in words, zero to twenty. None without one. Thoughts before the answer are not read.

    >>> [count_in(text) for text in ("1,204 beads", "There are three.", "None.", "Many")]
    [1204, 3, 0, None]
    """
    said = text.rpartition(THOUGHT)[2]
    if digits := DIGITS.search(said):
        plain = digits[0].replace(",", "")
        return int(plain) if len(plain) <= LONGEST else None
    word = WORD.search(said)
    return NAMES[word[0].lower()] if word else None


def read_numbers(
    answers: Sequence[Answer], annotations: Annotations, queries: int, duplicates: int
) -> Converted:
    """Answers that are numbers, as answers without boxes."""
    read = tuple(_read(one) for one in answers)
    unread = sum(bool(one.issues) for one in read)
    counts = Counts(
        images=len(annotations.images),
        answers=len(read),
        missing=queries - len(read),
        unparsed=unread,
        broken_format=unread,
        truncated=sum(one.answer.truncated for one in read),
        boxes_read=0,
        unknown_labels=0,
        outside=0,
        nothing_left=0,
        boxes_kept=0,
        queries=queries,
        duplicates=duplicates,
    )
    nothing = to_detections(annotations, [])
    policy = "the answers are numbers, not boxes"
    return Converted(nothing, counts, {}, read, cut_off_warnings(counts), policy)


def _read(answer: Answer) -> ReadAnswer:
    count = count_in(answer.text)
    issues = (NO_NUMBER,) if count is None else ()
    boxes = as_boxes([])
    parsed = ParsedCompletion(boxes, (), issues, says_nothing=count == 0)
    view = View(answer.image.size, answer.image.size)
    return ReadAnswer(answer, parsed, view, issues, boxes, (), boxes[:, 0], by_query=True)
