"""The records of a COCO file, grouped by image on the disk."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...data.coco_records import is_finite_number
from ...data.json_stream import stream_json
from ...errors import InputError
from ..sample import is_id
from ..spill import Blobs, Buckets, ranges
from ..tally import Tally

EACH = 4096  # images of a bucket
AT_ONCE = 8192  # annotations that become arrays together
KIND = np.dtype(
    [("image", "i8"), ("category", "i4"), ("bbox", "f8", (4,)), ("flag", "i1"), ("extra", "i8")]
)
CROWD, NONE = 1, -1
USED = (  # of an image's record
    "file_name",
    "coco_url",
    "width",
    "height",
    "caption",
    "dataset_name",
    "original_id",
    "neg_category_ids",
    "not_exhaustive_category_ids",
)
BAD_IMAGE = "image records without an id"
TWICE = "image records with the id of another"
BAD_RECORD = "annotations without image_id, category_id and a bbox of four numbers"
UNKNOWN_IMAGE = "annotations of images that are not listed"
encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode


class Block(NamedTuple):
    """Some images.

    Attributes:
        images: their records.
        rows: their annotations, of `KIND`; `image` is the place in `images`.
        ends: where the annotations of each image start, and the end of all.
    """

    images: list[dict[str, Any]]
    rows: NDArray[np.void]
    ends: list[int]

    def of(self, place: int) -> slice:
        """The annotations of an image."""
        return slice(self.ends[place], self.ends[place + 1])


class CocoTable:
    """Reads the file once; twice if its annotations come before its images.

    Args:
        path: the JSON file.
        tally: counts the records that cannot be used.
    """

    def __init__(self, path: Path, tally: Tally) -> None:
        self.tally = tally
        self.images, self.extras, self.buckets = Blobs(), Blobs(), Buckets(KIND)
        self.places: dict[Any, int] = {}
        self.categories: dict[Any, dict[str, Any]] = {}
        self.numbers: dict[Any, int] = {}  # category id -> its number in the buckets
        waiting: list[Any] = []
        late, count = False, 0
        for name, record in stream_json(path):
            if name == "annotations":
                count += 1
                late = late or not self.places
                if not late:
                    waiting.append(record)
                    if len(waiting) == AT_ONCE:
                        self._add_annotations(waiting)
                        waiting = []
            elif name == "images":
                self._add_image(record)
            elif name == "categories":
                self._add_category(record)
        again = (record for name, record in stream_json(path) if name == "annotations")
        rest = again if late else iter(waiting)
        while some := list(islice(rest, AT_ONCE)):
            self._add_annotations(some)
        self.buckets.flush()
        if count and not self.numbers:
            raise InputError(
                f"expected annotations with a bbox and a category_id in {path}, got {count} without"
            )
        if not self.places:
            raise InputError(f'expected {path} to have images with an "id", got none')

    @property
    def used(self) -> set[Any]:
        """Ids of the categories that some annotation has."""
        return set(self.numbers)

    def blocks(self) -> Iterator[Block]:
        """The images in their order, some at a time."""
        for number, start, stop in ranges(self.images.count, EACH):
            rows = self.buckets.bucket(number)
            rows = rows[np.argsort(rows["image"], kind="stable")]
            rows["image"] -= start
            ends = np.searchsorted(rows["image"], np.arange(stop - start + 1)).tolist()
            yield Block(list(map(decode, self.images.some(start, stop))), rows, ends)

    def rows(self) -> Iterator[tuple[dict[str, Any], NDArray[np.void]]]:
        """Each image's record, and its annotations as an array of `KIND`."""
        for block in self.blocks():
            for place, image in enumerate(block.images):
                yield image, block.rows[block.of(place)]

    def extra(self, row: Any) -> dict[str, Any]:
        """What an annotation has beside its box."""
        return {} if row["extra"] < 0 else dict(decode(self.extras.get(int(row["extra"]))))

    def _add_image(self, record: Any) -> None:
        number = record.get("id") if isinstance(record, dict) else None
        if type(number) is float and number.is_integer():
            number = int(number)
        if not is_id(number):
            self.tally.drop(BAD_IMAGE, record)
            return
        if number in self.places:
            self.tally.drop(TWICE, number)
            return
        used = {name: record[name] for name in USED if name in record}
        try:
            data = encode({**used, "id": number})
        except (OverflowError, UnicodeEncodeError):  # a number beyond 64 bits, half a character
            self.tally.drop(BAD_IMAGE, record)
            return
        self.places[number] = self.images.count
        self.images.add(data)

    def _add_category(self, record: Any) -> None:
        if (
            isinstance(record, dict)
            and record.get("name") is not None
            and (is_id(record.get("id")) or type(record.get("id")) is float)
        ):
            self.categories.setdefault(record["id"], record)
        else:
            self.tally.drop("category records without an id or a name", record)

    def _add_annotations(self, records: Sequence[Any]) -> None:
        try:
            boxes = np.array([record["bbox"] for record in records], dtype=np.float64)
            places = [self.places.get(record["image_id"], NONE) for record in records]
            categories = [self._number(record["category_id"]) for record in records]
            if boxes.shape != (len(records), 4) or not np.isfinite(boxes).all():
                raise ValueError
        except (KeyError, TypeError, ValueError, OverflowError):
            good = [record for record in records if _is_usable(record)]
            for record in records:
                if not _is_usable(record):
                    self.tally.drop(BAD_RECORD, record)
                    self._keep_category(record)
            if len(good) < len(records):
                if good:
                    self._add_annotations(good)
                return
            raise
        rows = np.zeros(len(records), KIND)
        rows["image"], rows["category"], rows["bbox"] = places, categories, boxes
        rows["flag"] = [_is_crowd(record) for record in records]
        rows["extra"] = [self._extra(record) for record in records]
        known = rows["image"] >= 0
        for index in np.flatnonzero(~known).tolist():
            self.tally.drop(UNKNOWN_IMAGE, f"annotation {records[index].get('id')}")
        rows = rows[known]
        if len(rows):
            self.buckets.add(rows, rows["image"] // EACH)

    def _keep_category(self, record: Any) -> None:
        """A record whose box is broken still says that its category is there."""
        if not isinstance(record, dict):
            return
        image, category = record.get("image_id"), record.get("category_id")
        if is_id(image) and is_id(category):
            place = self.places.get(image)
            if place is not None:
                row = np.zeros(1, KIND)
                row["image"], row["category"] = place, self._number(category)
                row["flag"], row["extra"] = NONE, NONE
                self.buckets.add(row, row["image"] // EACH)

    def _number(self, category: Any) -> int:
        return self.numbers.setdefault(category, len(self.numbers))

    def _extra(self, record: dict[str, Any]) -> int:
        more = {name: record[name] for name in ("tokens_positive", "empty") if name in record}
        if not more:
            return NONE
        self.extras.add(encode(more))
        return self.extras.count - 1


def _is_usable(record: Any) -> bool:
    if not isinstance(record, dict):
        return False
    box = record.get("bbox")
    ids = (record.get("image_id"), record.get("category_id"))
    return (
        isinstance(box, list)
        and len(box) == 4
        and all(map(is_finite_number, box))
        and all(type(number) in (int, str, float) for number in ids)
    )


def _is_crowd(record: dict[str, Any]) -> int:
    return CROWD if 1 in (record.get("iscrowd"), record.get("ignore")) else 0
