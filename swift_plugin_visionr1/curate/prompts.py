"""What the model is asked: the paper's words, those of its model's authors, or a user's own; and a
few paraphrases of the paper's."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..formats import Questions
from ..formats.questions import LOCATE, PAPER, detection_question, fill

DETECT_OTHERWISE = (
    "Find all objects of these categories in the image: {}. Output their coordinates in JSON "
    "format.",
    "Detect every instance of the following categories and output the coordinates in JSON format: "
    "{}.",
    "Which objects of the categories {} are in the image? Output the coordinates of each in JSON "
    "format.",
)
LOCATE_OTHERWISE = (
    "Find {} in the image and output the coordinates in JSON format.",
    "Where is {} in the image? Output the coordinates in JSON format.",
    "Detect {} in the image. Output the coordinates in JSON format.",
)


@dataclass(frozen=True)
class Prompts:
    """The questions of a data set.

    Attributes:
        questions: for several categories, and for one name or expression.
        paraphrased: share of the rows that ask in other words; only for the paper's questions.
    """

    questions: Questions = PAPER
    paraphrased: float = 0.0

    def detection(self, names: Sequence[str], draw: random.Random) -> str:
        """The question for all objects of the categories."""
        if self._otherwise(draw):
            return fill(draw.choice(DETECT_OTHERWISE), names)
        return detection_question(names, self.questions)

    def phrase(self, text: str, draw: random.Random) -> str:
        """The question for what a name or an expression means."""
        if self._otherwise(draw):
            return fill(draw.choice(LOCATE_OTHERWISE), [text])
        one = self.questions.locate or self.questions.detect or LOCATE
        return fill(one, [text])

    def _otherwise(self, draw: random.Random) -> bool:
        return self.questions == PAPER and draw.random() < self.paraphrased
