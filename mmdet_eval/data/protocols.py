"""Protocols: what is asked about an image, and whose word names a box. Named, frozen, and printed with the result."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Protocol:
    """A way to ask.

    Attributes:
        name: e.g. "vision_r1_coco".
        prompt: the user turn after the image; {categories}, {category} or {expression} stands for the subject.
        queries: "all" categories in one query, one for each category that is "present" in the image's annotations,
            one for "each" category, or one "expression" per annotated image (referring expressions).
        labels: a box's category is named by the "answer", or is the one that the "query" asked for.
        captions: category names are replaced by the data set's caption overrides (prefix + name + suffix).
        label_aware: the queries tell the model something of the annotations (which categories are present).
        description: one sentence for people, with the source.
    """

    name: str
    prompt: str
    queries: Literal["all", "present", "each", "expression"]
    labels: Literal["answer", "query"]
    captions: bool
    label_aware: bool
    description: str
