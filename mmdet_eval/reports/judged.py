"""Judges each answer against the annotations: the reward, what is right about every box, and what
went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from swift_plugin_visionr1.data.ground_truth import GroundTruth
from swift_plugin_visionr1.formats import ParsedCompletion, get_format
from swift_plugin_visionr1.geometry.boxes import is_valid
from swift_plugin_visionr1.geometry.frames import View
from swift_plugin_visionr1.reward.equations import RewardBreakdown

from ..answers.answer import Answer, ReadAnswer
from ..coco.annotations import Annotations, Id
from ..coco.detections import Detections
from ..evaluation import Evaluation
from ..metrics.operating_point import best_f1_score
from ..metrics.scores import EXACT_COUNT
from .rewards import answer_rewards

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
class JudgedAnswer:
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
        ious: list[float | None] = [None] * len(self.read.boxes)
        for box, iou in zip(self.reward.match.predictions, self.reward.match.ious, strict=True):
            ious[box] = float(iou)
        return ious

    @cached_property
    def states(self) -> list[str]:
        """For each box of the answer: "right", "label" (right place, wrong label) or "wrong"."""
        states = ["wrong"] * len(self.read.boxes)
        match = self.reward.match
        for box, truth, iou in zip(match.predictions, match.truths, match.ious, strict=True):
            if iou >= FOUND_FROM:
                states[box] = (
                    "right" if self.read.categories[box] == self.categories[truth] else "label"
                )
        return states

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


def judge(evaluation: Evaluation) -> list[JudgedAnswer]:
    """Every answer of a data set judged, in the order of the evaluation; none where only numbers
    were counted."""
    if EXACT_COUNT in evaluation.scores.metrics:
        return []
    format = evaluation.format or get_format("qwen2_5_vl", frame="original")
    annotations, converted = evaluation.annotations, evaluation.converted
    read: Sequence[ReadAnswer] = converted.answers
    if not read:
        read = _given_boxes(annotations, _meant(evaluation))
    truths = _Truths(annotations)
    wanted = [truths.of(one.answer) for one in read]
    rewards = answer_rewards(read, [truth for truth, _ in wanted], format)
    return [
        JudgedAnswer(*each) for each in zip(read, *zip(*wanted, strict=True), rewards, strict=True)
    ]


def ranked(judged: Sequence[JudgedAnswer]) -> list[int]:
    """Indices into `judged`, best reward first; among equals, the one with more objects is more
    telling."""
    return sorted(
        range(len(judged)), key=lambda i: (-judged[i].reward.total, -len(judged[i].truth.boxes))
    )


class _Truths:
    """Annotations by image, without crowds and boxes without area."""

    def __init__(self, annotations: Annotations) -> None:
        self._places = {key: place for place, key in enumerate(annotations.image_ids)}
        self._ids = annotations.category_ids
        self._names = annotations.categories
        self._boxes_xyxy = annotations.truths.boxes_xyxy
        self._truths = annotations.truths
        sides = annotations.truths.boxes_xywh[:, 2:]
        self._has_area = np.asarray((sides > 0).all(axis=1))

    def of(self, answer: Answer) -> tuple[GroundTruth, tuple[Id, ...]]:
        places = self._truths.by_image[self._places[answer.image.id]]
        places = places[self._has_area[places]]
        categories = [self._ids[place] for place in self._truths.category[places].tolist()]
        asked = answer.query.category
        if asked is not None:
            places = places[[category == asked for category in categories]]
            categories = [asked] * len(places)
        names = tuple(self._names[category] for category in categories)
        truth = GroundTruth(answer.image.size, self._boxes_xyxy[places], names)
        return truth, tuple(categories)


def least_score(evaluation: Evaluation) -> float | None:
    """The least score of the boxes that are judged, if that leaves some out of a file of boxes."""
    least = best_f1_score(evaluation.scores.matches)
    left_out = (evaluation.converted.detections.score < least).any()
    return least if left_out and not evaluation.converted.of_text else None


def _meant(evaluation: Evaluation) -> Detections:
    """The boxes of a file that a user would be shown; a detector lists hundreds more."""
    detections, least = evaluation.converted.detections, least_score(evaluation)
    return detections if least is None else detections.take(detections.score >= least)


def _given_boxes(annotations: Annotations, detections: Detections) -> list[ReadAnswer]:
    """Boxes of a file as if they had been read from answers of a clean format."""
    sizes = np.array([image.size * 2 for image in annotations.images], dtype=np.float64)
    boxes_xyxy = np.clip(detections.boxes_xyxy, 0, sizes[detections.image])
    valid = is_valid(boxes_xyxy)
    read = []
    for image, places in zip(annotations.images, detections.by_image, strict=True):
        kept = places[valid[places]]
        categories = [annotations.category_ids[k] for k in detections.category[kept].tolist()]
        names = tuple(annotations.categories[category] for category in categories)
        boxes = boxes_xyxy[kept]
        parsed = ParsedCompletion(boxes, names, says_nothing=not len(kept))
        answer, view = Answer(image, "", truncated=False, line=0), View(image.size, image.size)
        scores = detections.score[kept]
        read.append(ReadAnswer(answer, parsed, view, (), boxes, tuple(categories), scores))
    return read
