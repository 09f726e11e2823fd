"""Judges each answer against the annotations: the reward, what is right about every box, and what
went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from swift_plugin_visionr1.data.ground_truth import GroundTruth
from swift_plugin_visionr1.formats import ParsedCompletion, get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes, is_valid
from swift_plugin_visionr1.geometry.frames import View
from swift_plugin_visionr1.reward.equations import RewardBreakdown

from ..answers.answer import Answer, ReadAnswer
from ..coco.annotations import Annotations, Id, Image
from ..coco.results import CocoResult
from ..evaluation import Evaluation
from .rewards import answer_reward

FOUND_FROM = 0.5  # least IoU for a box to count as found
KINDS = {
    "unparseable": "unparseable",
    "truncated": "truncated",
    "broken": "broken format",
    "unknown": "unknown label",
    "outside": "outside the image",
    "missed": "missed objects",
    "extra": "extra boxes",
    "perfect": "perfect",
}


@dataclass(frozen=True, eq=False)
class Judged:
    """An answer and what it is worth. Boxes are matched as in the reward: by location, not by
    label.

    Attributes:
        read: the answer; text "" and line 0 if the file held boxes.
        truth: annotations of the image without crowds; only those of the query's category, if it
            has one.
        categories: of the annotations.
        reward: the reward and the matching.
    """

    read: ReadAnswer
    truth: GroundTruth
    categories: tuple[Id, ...]
    reward: RewardBreakdown

    @cached_property
    def ious(self) -> list[float | None]:
        """Of each box of the answer with its annotation; None where it has none."""
        found: list[float | None] = [None] * len(self.read.boxes)
        for box, iou in zip(self.reward.match.predictions, self.reward.match.ious, strict=True):
            found[box] = float(iou)
        return found

    @cached_property
    def states(self) -> list[str]:
        """For each box of the answer: "right", "label" (right place, wrong label) or "wrong"."""
        found = ["wrong"] * len(self.read.boxes)
        match = self.reward.match
        for box, truth, iou in zip(match.predictions, match.truths, match.ious, strict=True):
            if iou >= FOUND_FROM:
                found[box] = (
                    "right" if self.read.categories[box] == self.categories[truth] else "label"
                )
        return found

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The keys of `KINDS` that hold."""
        read, right = self.read, self.states.count("right")
        holds = {
            "unparseable": read.unparsed,
            "truncated": read.answer.truncated,
            "broken": bool(read.issues),
            "unknown": any(
                c is None and ok
                for c, ok in zip(read.categories, is_valid(read.boxes), strict=True)
            ),
            "outside": "out_of_image" in read.issues or not is_valid(read.boxes).all(),
            "missed": right < len(self.truth.boxes),
            "extra": right < len(read.boxes),
        }
        return tuple(kind for kind, yes in holds.items() if yes) or ("perfect",)


def judge(evaluation: Evaluation) -> list[Judged]:
    """Every answer of a data set judged, in the order of the evaluation."""
    format = evaluation.format or get_format("qwen2_5_vl", frame="original")
    answers: Sequence[ReadAnswer] = evaluation.converted.answers
    if not answers:
        answers = _given_boxes(evaluation.annotations, evaluation.converted.results)
    truths = _Truths(evaluation.annotations)
    judged = []
    for read in answers:
        truth, categories = truths.of(read.answer)
        judged.append(Judged(read, truth, categories, answer_reward(read, truth, format)))
    return judged


def ranked(judged: Sequence[Judged]) -> list[int]:
    """Indices into `judged`, best reward first; among equals, the one with more objects is more
    telling."""
    return sorted(
        range(len(judged)), key=lambda i: (-judged[i].reward.total, -len(judged[i].truth.boxes))
    )


class _Truths:
    """Annotations by image, without crowds and boxes without area."""

    def __init__(self, annotations: Annotations) -> None:
        self._names = annotations.categories
        self._by_image: dict[Id, list[tuple[Id, list[float]]]] = {
            image.id: [] for image in annotations.images
        }
        for record in annotations.data["annotations"]:
            x, y, width, height = record["bbox"]
            if not record["iscrowd"] and width > 0 and height > 0:
                box = [x, y, x + width, y + height]
                self._by_image[record["image_id"]].append((record["category_id"], box))

    def of(self, answer: Answer) -> tuple[GroundTruth, tuple[Id, ...]]:
        asked = answer.query.category
        found = [
            pair for pair in self._by_image[answer.image.id] if asked is None or pair[0] == asked
        ]
        categories = tuple(category for category, _ in found)
        boxes, names = (
            as_boxes([box for _, box in found]),
            tuple(self._names[c] for c in categories),
        )
        return GroundTruth(answer.image.size, boxes, names), categories


def _given_boxes(annotations: Annotations, results: Sequence[CocoResult]) -> list[ReadAnswer]:
    """COCO results as if they had been read from answers of a clean format."""
    by_image: dict[Id, list[CocoResult]] = {image.id: [] for image in annotations.images}
    for result in results:
        by_image[result["image_id"]].append(result)
    return [
        _given(image, by_image[image.id], annotations.categories) for image in annotations.images
    ]


def _given(image: Image, results: Sequence[CocoResult], names: dict[Id, str]) -> ReadAnswer:
    boxes = as_boxes([result["bbox"] for result in results])
    boxes[:, 2:] += boxes[:, :2]
    boxes = np.clip(boxes, 0, np.array(image.size * 2))
    valid = is_valid(boxes)
    kept = [result for result, ok in zip(results, valid, strict=True) if ok]
    categories = tuple(result["category_id"] for result in kept)
    parsed = ParsedCompletion(
        boxes[valid], tuple(names[c] for c in categories), says_nothing=not kept
    )
    scores = np.array([result["score"] for result in kept], dtype=np.float64)
    answer = Answer(image, "", truncated=False, line=0)
    return ReadAnswer(
        answer, parsed, View(image.size, image.size), (), boxes[valid], categories, scores
    )
