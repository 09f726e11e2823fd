"""What a protocol asks about each image."""

from dataclasses import dataclass

from .annotations import Id


@dataclass(frozen=True)
class Query:
    """One question about one image.

    Attributes:
        text: what the user turn says after the image; None where the protocol is not known.
        category: the category asked for; None for all at once, and for referring expressions.
        name: the query's subject in words: the category's name or caption, the expression, or "" for all at once.
    """

    text: str | None
    category: Id | None = None
    name: str = ""
