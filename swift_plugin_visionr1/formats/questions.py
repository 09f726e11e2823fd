"""What a model is asked for boxes: the released code's questions, and how a family's own replace
them."""

import re
from collections.abc import Sequence

from . import Questions

DETECT = (
    "Locate every item from the category list in the image and output the coordinates in JSON "
    "format. The category set includes {}."
)
LOCATE = "Locate every {} in the image and output the coordinates in JSON format."
WITHOUT_JSON = DETECT.replace(" in JSON format", "")
PAPER = Questions(DETECT, LOCATE)


def fill(question: str, names: Sequence[str], placeholder: str = "") -> str:
    """The question with `{placeholder}` or `{placeholder:JOINT}` replaced by the names.

    >>> fill("Find {}.", ["cat", "dog"]), fill("detect {: ; }", ["cat", "dog"])
    ('Find cat, dog.', 'detect cat ; dog')
    """

    def joined(match: re.Match[str]) -> str:
        return (", " if match[1] is None else match[1]).join(names)

    return re.sub(rf"{{{placeholder}(?::([^{{}}]*))?}}", joined, question)


def detection_question(names: Sequence[str], questions: Questions) -> str:
    """The question for all objects of the categories `names`: the family's own if it documents one
    for that number."""
    for_one = questions.locate if len(names) == 1 else None
    return fill(questions.detect or for_one or instead_of_the_papers(questions) or DETECT, names)


def instead_of_the_papers(questions: Questions) -> str | None:
    """The question for several categories that a family is asked; None for the paper's.

    >>> instead_of_the_papers(Questions(json=False)).partition(" and ")[2]
    'output the coordinates. The category set includes {}.'
    """
    return questions.detect or (None if questions.json else WITHOUT_JSON)
