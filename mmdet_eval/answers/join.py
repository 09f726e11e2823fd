"""Joins the rows of a prediction file to the images and to what was asked about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Id, Image
from ..suites.queries import Query
from .answer import Answer
from .query_table import Slot, Slots, question, some
from .rows import AnswerRow

Missing = Literal["error", "empty"]
Duplicates = Literal["error", "first", "last"]
APPENDS = (
    "`swift infer` appends to an existing --result_path: delete the file and infer again, or keep "
    "the first or the last answer with --duplicates"
)


@dataclass(frozen=True)
class Joined:
    """Answers and what became of the rows.

    Attributes:
        answers: at most one per query, in ascending order of the image ids, then of the queries.
        images: number of images.
        queries: number of queries; one per image without a protocol.
        duplicates: number of rows dropped because their query already had an answer.
    """

    answers: tuple[Answer, ...]
    images: int
    queries: int
    duplicates: int = 0

    @property
    def missing(self) -> int:
        """Number of queries without an answer."""
        return self.queries - len(self.answers)


def join(
    rows: Sequence[AnswerRow],
    images: Sequence[Image],
    queries: Mapping[Id, Sequence[Query]] | None = None,
    missing: Missing = "error",
    duplicates: Duplicates = "error",
) -> Joined:
    """Join each row to its image and query.

    A row's image is found by its "image_id", else by the file name of its one image (the longest
    annotated `file_name` that ends the path, else the only one with the same base name), else by
    its request id. Its query is found by its "category_id", else "query", else "category", else the
    user turn in "messages", else it is the image's only one. If images share a file name, the query
    decides, and equal queries take one row each.

    Args:
        rows: as from `read_predictions`.
        images: of the annotation file.
        queries: image id -> what was asked; None if that is not known, which means one query per
            image.
        missing: whether a query without an answer is an error or counts as no detections.
        duplicates: whether a second answer to a query is an error, or which one counts.

    Raises:
        InputError: a row's image or query is unknown or ambiguous, or an answer is missing or
            duplicate and that is an error.
    """
    table = Slots(images, queries)
    taken: dict[Slot, AnswerRow] = {}
    dropped = 0
    for row in rows:
        slots = table.slots(row)
        free = next((slot for slot in slots if slot not in taken), None)
        if free is not None:
            taken[free] = row
            continue
        oldest = min(slots, key=lambda slot: taken[slot].line)
        if duplicates == "error":
            raise InputError(_twice(table, oldest, taken[oldest], row))
        dropped += 1
        if duplicates == "last":
            taken[oldest] = row
    if missing == "error":
        check_missing(table.open(taken), len(taken))
    answers = tuple(table.answer(slot, taken[slot]) for slot in sorted(taken))
    return Joined(answers, len(images), table.size, dropped)


def check_missing(missing: Sequence[tuple[Image, Query | None]], answered: int) -> None:
    """Raise InputError with counts and examples if something is missing."""
    if missing:
        names = [
            f"{image.id!r} "
            f"({', '.join(filter(None, [image.file_name, query.name if query else '']))})"
            for image, query in missing
        ]
        raise InputError(
            f"expected an answer for each of {answered + len(missing)} images or queries, got none "
            f"for {len(missing)}: {some(names)}; infer the whole dataset, or count them as having "
            "no detections with --allow-missing"
        )


def _twice(table: Slots, slot: Slot, first: AnswerRow, second: AnswerRow) -> str:
    image, query = table.images[slot[0]], table.query(slot)
    what = f", asked for {query.name!r}" if query.name else ""
    asked, again = question(first), question(second)
    if not table.known and asked != again:
        return (
            f"expected one question about each image, got two about image {image.id!r} "
            f"({image.file_name}), in lines {first.line} and {second.line}: {asked!r} and "
            f"{again!r}; pass --protocol to say how the model was asked"
        )
    hint = (
        ""
        if table.known or asked
        else " (if images were asked about more than once, pass --protocol)"
    )
    return (
        f"expected one answer per {'query' if table.known else 'image'}, got two for image "
        f"{image.id!r} ({image.file_name}){what}, in lines {first.line} and {second.line}: "
        f"{APPENDS}{hint}"
    )
