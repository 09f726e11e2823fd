"""The records of a COCO file, grouped by image on the disk."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ...data.coco_records import is_finite_number
from ...data.json_stream import stream_blocks
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
BAD_IMAGE = "image records without an id"
TWICE = "image records with the id of another"
BAD_RECORD = "annotations without image_id, category_id and a bbox of four numbers"
UNKNOWN_IMAGE = "annotations of images that are not listed"
encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode


class CocoImage(msgspec.Struct, gc=False):
    """What is read of an image's record, and stays on the disk until it is needed."""

    id: int | str
    file_name: Any = UNSET
    coco_url: Any = UNSET
    width: Any = UNSET
    height: Any = UNSET
    caption: Any = UNSET
    dataset_name: Any = UNSET
    original_id: Any = UNSET
    neg_category_ids: Any = UNSET
    not_exhaustive_category_ids: Any = UNSET


class CocoBox(msgspec.Struct, gc=False):
    """An annotation without fault, as nearly all are: what is read of it, and nothing else."""

    image_id: int | str | float
    category_id: int | str | float
    bbox: tuple[float, float, float, float]
    id: Any = None
    iscrowd: Any = 0
    ignore: Any = 0
    tokens_positive: Any = UNSET
    empty: Any = UNSET


FORMS: dict[str, type[msgspec.Struct]] = {"images": CocoImage, "annotations": CocoBox}


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
        self.waiting: list[Any] = []
        late, count = False, 0
        for name, records in stream_blocks(path, FORMS):
            if name == "annotations":
                count += len(records)
                late = late or not self.places
                if not late:
                    self._add_block(records)
            elif name == "images":
                for record in records:
                    self._add_image(record)
            elif name == "categories":
                for record in records:
                    self._add_category(record)
        for name, records in stream_blocks(path, FORMS) if late else ():
            if name == "annotations":
                self._add_block(records)
        self._add_waiting()
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
        try:
            image = record if isinstance(record, CocoImage) else _image(record)
            data = encode(image)
        except (msgspec.ValidationError, OverflowError, UnicodeEncodeError):
            self.tally.drop(BAD_IMAGE, record)  # a number beyond 64 bits, half a character
            return
        if image.id in self.places:
            self.tally.drop(TWICE, image.id)
            return
        self.places[image.id] = self.images.count
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

    def _add_block(self, records: Sequence[Any]) -> None:
        """Annotations in the order of the file; those that are read one by one are put together."""
        if isinstance(records[0], CocoBox):  # then all are
            self._add_waiting()
            self._add_boxes(records)
            return
        self.waiting += records
        if len(self.waiting) >= AT_ONCE:
            self._add_waiting()

    def _add_waiting(self) -> None:
        waiting, self.waiting = self.waiting, []
        self._add_annotations(waiting)

    def _add_annotations(self, records: Sequence[Any]) -> None:
        """Annotations as they are written."""
        boxes = []
        for record in records:
            if _is_usable(record):
                boxes.append(msgspec.convert(record, CocoBox))
            else:
                self.tally.drop(BAD_RECORD, record)
                self._keep_category(record)
        if boxes:
            self._add_boxes(boxes)

    def _add_boxes(self, records: Sequence[CocoBox]) -> None:
        rows = np.zeros(len(records), KIND)
        numbers = chain.from_iterable([record.bbox for record in records])
        rows["bbox"] = np.fromiter(numbers, np.float64, 4 * len(records)).reshape(-1, 4)
        rows["image"] = [self.places.get(record.image_id, NONE) for record in records]
        rows["category"] = [self._number(record.category_id) for record in records]
        rows["flag"] = [
            CROWD if record.iscrowd == 1 or record.ignore == 1 else 0 for record in records
        ]
        rows["extra"] = [
            NONE if record.tokens_positive is record.empty is UNSET else self._extra(record)
            for record in records
        ]
        known = rows["image"] >= 0
        for index in np.flatnonzero(~known).tolist():
            self.tally.drop(UNKNOWN_IMAGE, f"annotation {records[index].id}")
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

    def _extra(self, record: CocoBox) -> int:
        more = {"tokens_positive": record.tokens_positive, "empty": record.empty}
        self.extras.add(encode({name: value for name, value in more.items() if value is not UNSET}))
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


def _image(record: Any) -> CocoImage:
    """Raises ValidationError for one without a usable id."""
    number = record.get("id") if isinstance(record, dict) else None
    if type(number) is float and number.is_integer():
        number = int(number)
    if not is_id(number):
        raise msgspec.ValidationError
    return msgspec.convert({**record, "id": number}, CocoImage)
