"""Finds where the rows of a prediction file belong: the queries about the images, and how a row
refers to them."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from swift_plugin_visionr1.data.image_paths import name_parts
from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Id, Image
from ..suites.queries import Query
from .answer import Answer
from .rows import AnswerRow

KEEP_IDS = (
    'let each image path end in a file_name of the annotations, or keep an "image_id" column with '
    "`swift infer --remove_unused_columns false` (ms-swift 4.6 cannot with its transformers "
    "backend)"
)
SAME_SET = "do --ann and --pred belong to the same dataset?"
Slot = tuple[Id, int]  # an image's id and the place of one of its queries


class Slots:
    """The queries that can be answered, and where a row belongs.

    Attributes:
        known: whether it is known what was asked; if not, one query per image is assumed.
        size: number of queries.
    """

    def __init__(
        self, images: Sequence[Image], queries: Mapping[Id, Sequence[Query]] | None
    ) -> None:
        self.known = queries is not None
        self.images = {image.id: image for image in images}
        self.queries = {
            key: (Query(None),) if queries is None else tuple(queries.get(key, ()))
            for key in self.images
        }
        self.size = sum(map(len, self.queries.values()))
        self._by_text = {str(image.id): image for image in images}
        self._by_name: dict[str, list[Image]] = {}
        for image in images:
            self._by_name.setdefault(_base(image.file_name), []).append(image)

    def slots(self, row: AnswerRow) -> list[Slot]:
        """The queries that the row may answer; at least one, all equal."""
        images = self._images(row)
        slots = [
            (image.id, place) for image in images for place in range(len(self.queries[image.id]))
        ]
        if self.known:
            slots = self._asked(row, slots, images[0])
        return slots

    def query(self, slot: Slot) -> Query:
        """What the slot stands for."""
        return self.queries[slot[0]][slot[1]]

    def answer(self, slot: Slot, row: AnswerRow) -> Answer:
        """The row's answer to the slot's query."""
        image = self.images[slot[0]]
        return Answer(
            image,
            row.text,
            row.truncated,
            row.line,
            self.query(slot),
            row.processed,
            row.tokens,
            row.reasoning,
            row.served,
        )

    def open(self, taken: Mapping[Slot, AnswerRow]) -> list[tuple[Image, Query | None]]:
        """Queries without a row, in the images' order."""
        return [
            (self.images[key], query)
            for key, queries in self.queries.items()
            for place, query in enumerate(queries)
            if (key, place) not in taken
        ]

    def _images(self, row: AnswerRow) -> list[Image]:
        explicit = row.columns.get("image_id")
        if explicit is not None:
            if (
                isinstance(explicit, float) and explicit.is_integer()
            ):  # pandas turns 1 into 1.0 if some are missing
                explicit = int(explicit)
            if str(explicit) not in self._by_text:
                raise InputError(
                    f"line {row.line}: expected an image_id of the annotation file "
                    f"({some(list(self._by_text))}), "
                    f"got {str(explicit)!r}: {SAME_SET}"
                )
            return [self._by_text[str(explicit)]]
        if row.columns.get("images") is None and row.request is not None:
            if row.request in self._by_text:
                return [self._by_text[row.request]]
            if _base(row.request) in self._by_name:
                return self._named(PurePosixPath(row.request), row.line)
        return self._named(image_path(row), row.line)

    def _named(self, path: PurePosixPath, line: int) -> list[Image]:
        candidates = self._by_name.get(_base(str(path)), [])
        parts = {image.id: name_parts(image.file_name) for image in candidates}
        came = name_parts(str(path))
        longest = max((len(p) for p in parts.values() if came[-len(p) :] == p), default=0)
        if longest:
            candidates = [image for image in candidates if came[-longest:] == parts[image.id]]
        names = {image.file_name for image in candidates}
        if not candidates or len(names) > 1 or (len(candidates) > 1 and not self.known):
            several = some([image.file_name for image in candidates])
            raise InputError(
                f"line {line}: expected one image of the annotation file to match {path}, got "
                f"{f'{len(candidates)} ({several})' if candidates else 'none'}: {KEEP_IDS}, "
                "or check that --ann and --pred belong to the same dataset"
            )
        return candidates

    def _asked(self, row: AnswerRow, slots: list[Slot], image: Image) -> list[Slot]:
        subject = _subject(row)
        if subject is None and len(slots) == 1:
            return slots
        matching = [slot for slot in slots if subject and _is(self.query(slot), *subject)]
        text = row.columns.get("query")
        if (
            subject and text is not None and subject[0] != "query"
        ):  # the category alone does not determine the wording
            subject = "query", str(text)
            matching = [slot for slot in matching if _is(self.query(slot), *subject)]
        if not matching:
            asked = [repr(self.query(slot).text) for slot in slots]
            came = (
                f"{subject[0]} {subject[1]!r}"
                if subject
                else 'neither "query", "category_id" nor "messages"'
            )
            raise InputError(
                f"line {row.line}: expected an answer to what the protocol asks about image "
                f"{image.id!r} ({some(asked, 3) or 'nothing'}), got {came}: was the model asked by "
                "another protocol? Select it with --protocol"
            )
        return matching


def _base(name: str) -> str:
    """The last part of a Windows or Linux path."""
    return (name_parts(name) or ("",))[-1]


def _subject(row: AnswerRow) -> tuple[str, str] | None:
    """The column that says what was asked, and its value."""
    for column in ("category_id", "query", "category"):
        if row.columns.get(column) is not None:
            return column, str(row.columns[column])
    text = question(row)
    return ("the user turn", text) if text else None


def question(row: AnswerRow) -> str | None:
    """The last user turn of the row's messages, without the image; None if the row has no user
    turn."""
    messages = row.columns.get("messages")
    turns = (
        [turn for turn in messages if isinstance(turn, dict)] if isinstance(messages, list) else []
    )
    return next((_content(turn) for turn in reversed(turns) if turn.get("role") == "user"), None)


def _content(turn: Mapping[str, Any]) -> str:
    content = turn.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "").replace("<image>", "").strip()


def _is(query: Query, column: str, value: str) -> bool:
    if column == "category_id":
        return str(query.category) == value
    if column == "category":
        return query.name == value
    return value.replace("<image>", "").strip() in ((query.text or "").strip(), query.name.strip())


def image_path(row: AnswerRow) -> PurePosixPath:
    """The path of the row's one image; ms-swift writes it as a string or as {"bytes": ..., "path":
    ...}."""
    images = row.columns.get("images")
    first = images[0] if isinstance(images, list) and len(images) == 1 else None
    path = first.get("path") if isinstance(first, dict) else first
    if not isinstance(path, str) or not path:
        came = (
            f"the request id {row.request!r}, which matches no image id"
            if row.request
            else str(images)[:120]
        )
        raise InputError(
            f'line {row.line}: expected "image_id", or one path in "images", got {came}: {KEEP_IDS}'
        )
    return PurePosixPath(path)


def some(values: Sequence[object], limit: int = 5) -> str:
    """The first values, for an error message."""
    return ", ".join(str(value) for value in values[:limit]) + (
        ", ..." if len(values) > limit else ""
    )
