"""Reads one answer: parse, convert to the original frame, clip, match labels, score."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import Format, ParsedCompletion
from swift_plugin_visionr1.geometry.boxes import is_valid
from swift_plugin_visionr1.models.model_io import ModelIO

from ..coco.annotations import Id
from .answer import Answer, ReadAnswer
from .confidence import confidences
from .frame_warnings import view_of
from .labels import CategoryNames
from .served import with_its_text

Labels = Literal["answer", "query"]


@dataclass(frozen=True)
class Reader:
    """How answers are read.

    Attributes:
        io: how they are written, and how inference turned image sizes into processed sizes if the
            rows do not record them.
        names: maps labels to categories.
        policy: a key of `confidence.POLICIES`.
        labels: whether the "answer" names a box's category or the "query" decides it.
    """

    io: ModelIO
    names: CategoryNames
    policy: str
    labels: Labels

    @cached_property
    def served(self) -> Format:
        """The format of answers that came from a server."""
        return self.io.format.served()

    def read(self, answer: Answer, tally: Counter[str], unknown: Counter[str]) -> ReadAnswer:
        """Read one answer and add what became of it and its boxes to `tally` (by `Counts`' names)
        and `unknown`.

        Raises:
            InputError: the answer's size, query or log-probabilities cannot be used.
        """
        format, view = self.io.format, view_of(answer, self.io.resize)
        if answer.served:
            format = self.served
            answer = with_its_text(answer, format)
        one = answer.query.expression
        parsed = format.parse_one(answer.text) if one else format.parse(answer.text)
        issues = parsed.issues + format.content_issues(parsed, view)
        tally["truncated"] += answer.truncated
        tally["broken_format"] += bool(issues)
        tally["boxes_read"] += len(parsed.boxes)
        # Before the conversion: its rounding would push a box on the border outside.
        tally["outside"] += int((~format.is_inside(parsed.boxes, view)).sum())
        size = answer.image.size
        boxes = np.clip(format.frame.to_image(parsed.boxes, view), 0, np.array(size * 2))
        named = self._categories(answer, parsed, unknown)
        left = is_valid(boxes)
        tally["nothing_left"] += sum(
            name is not None and not ok for name, ok in zip(named, left, strict=True)
        )
        categories = tuple(name if ok else None for name, ok in zip(named, left, strict=True))
        given = confidences(self.policy, answer, format, boxes)
        tally["whole_answer_scores"] += given.whole_answer
        tally["without_confidence"] += int(np.isnan(given.scores).sum())
        scores = np.nan_to_num(given.scores, nan=0.0)
        read = ReadAnswer(
            answer, parsed, view, issues, boxes, categories, scores, self.labels == "query"
        )
        tally["unparsed"] += read.unparsed
        return read

    def find(self, answer: Answer, label: str) -> Id | None:
        """The category of a box with that label; None if it matches no category."""
        return answer.query.category if self.labels == "query" else self.names.find(label)

    def _categories(
        self, answer: Answer, parsed: ParsedCompletion, unknown: Counter[str]
    ) -> list[Id | None]:
        if self.labels == "query" and answer.query.category is None:
            raise InputError(
                f"line {answer.line}: expected a query for one category, whose boxes need no "
                f"label, got {answer.query.text!r}: choose the --protocol that the model was asked "
                "by"
            )
        named = [self.find(answer, label) for label in parsed.labels]
        unknown.update(
            label for label, name in zip(parsed.labels, named, strict=True) if name is None
        )
        return named
