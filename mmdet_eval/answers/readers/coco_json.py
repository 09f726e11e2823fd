"""COCO results: a JSON list of {image_id, category_id, bbox [x, y, width, height] in original
pixels, score}."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...coco.annotations import Annotations, Id
from ...coco.columns import place_of_each, rank_of_each
from ...coco.detections import Detections, to_detections
from .result_ids import check_ids, check_names, names_differ

FIRST, BLOCK = 1 << 14, 1 << 22  # bytes that are decoded at a time
Columns = tuple[NDArray[Any], ...]


class PlainResult(msgspec.Struct, gc=False):
    """A result as most programs write it; anything else is left to `check_results`."""

    image_id: int | float | str
    category_id: int | float | str
    bbox: tuple[float, float, float, float]
    score: float
    file_name: str | None = None


def read_plain_results(path: Path, annotations: Annotations) -> Detections | None:
    """`check_results` for a file that can be read block by block, in a fraction of the time and
    memory; None if something in it is unusual or wrong."""
    decoder = msgspec.json.Decoder(list[PlainResult])
    names = {image.id: image.file_name for image in annotations.images}
    try:
        parts = [_columns(decoder.decode(b), annotations, names) for b in _blocks(path)]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, ValueError):
        return None
    image, category, boxes_xywh, score = (np.concatenate(c) for c in zip(*parts, strict=True))
    ids = annotations.image_ids, annotations.category_ids
    source = np.arange(len(score))
    return _by_image(Detections(*ids, image, category, boxes_xywh, score, source))


def check_results(data: Sequence[Any], path: Path, annotations: Annotations) -> Detections:
    """COCO results, checked one by one against the annotations.

    Returns:
        the boxes in ascending order of the image ids, otherwise in the given order.

    Raises:
        InputError: a result lacks something, names an unknown image or category, or has a bbox or
            score that is not finite.
    """
    check_ids(data, path, annotations)
    detections = to_detections(annotations, data, f" of {path}")
    check_names(data, path, annotations)
    return _by_image(detections)


def _by_image(detections: Detections) -> Detections:
    ranks = rank_of_each(detections.image_ids)
    return detections.take(np.argsort(ranks[detections.image], kind="stable"))


def _columns(
    results: Sequence[PlainResult], annotations: Annotations, names: Mapping[Any, str]
) -> Columns:
    """Raises KeyError for an unknown id, ValueError for a file name of another image."""
    pairs: set[tuple[Id | float, str]] = {(r.image_id, r.file_name) for r in results if r.file_name}
    if any(names_differ(name, names[image]) for image, name in pairs):
        raise ValueError("a file name of another image")
    return (
        place_of_each([result.image_id for result in results], annotations.image_ids),
        place_of_each([result.category_id for result in results], annotations.category_ids),
        np.array([result.bbox for result in results], dtype=np.float64).reshape(-1, 4),
        np.array([result.score for result in results], dtype=np.float64),
    )


def _blocks(path: Path) -> Iterator[bytes]:
    """The list in parts that are lists, cut between two of its objects.

    A cut at a wrong place, such as inside a text, leaves two parts that are not JSON.
    """
    with path.open("rb") as file:
        rest, size = b"", FIRST
        while block := file.read(size):
            rest, size = rest + block, BLOCK
            start = _last_start(rest)
            if start:
                yield rest[: rest.rindex(b",", 0, start)] + b"]"
                rest = b"[" + rest[start:]
        yield rest


def _last_start(text: bytes) -> int:
    """Where the last object begins that comes after another one; 0 if none does."""
    start = text.rfind(b"{")
    while start > 0:
        end = text.rfind(b"}", 0, start)
        if end < 0:
            break
        if text[end + 1 : start].strip() == b",":
            return start
        start = text.rfind(b"{", 0, start)
    return 0
