"""Images of evaluation sets, which must not be trained on: known by their names and by what they
look like."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.images import open_image
from ..data.json_stream import stream_json
from ..errors import ImageError, InputError
from .sample import Sample
from .sources.coco import image_name
from .sources.files_of import is_image, walk

COCO_NAME = re.compile(r"(?:COCO_(?:train|val|test)\d{4}_)?(\d{12})")
Hash = NDArray[np.uint64]
NEAR = 8  # bits of 128 that may differ, as after another compression or a resize
PLAIN = 6.0  # grey levels; images that vary less say nothing


@dataclass(frozen=True, eq=False)
class Evaluated:
    """The images that must not be trained on.

    Attributes:
        names: as `key_of` makes them.
        hashes: (n, 2) perceptual hashes of those whose files are at hand.
    """

    names: frozenset[str] = frozenset()
    hashes: Hash = None  # type: ignore[assignment]

    def has_name(self, sample: Sample) -> bool:
        """Whether the image has the name, or the COCO id, of one of them."""
        if not self.names:
            return False
        keys = {sample.same_as}
        if isinstance(sample.image, str):
            keys.add(key_of(sample.image))
        return bool(keys & self.names)

    @property
    def has_hashes(self) -> bool:
        """Whether images have to be looked at."""
        return self.hashes is not None and len(self.hashes) > 0

    def looks_alike(self, mine: Hash | None) -> bool:
        """Whether the image of that hash looks like one of them."""
        if mine is None or not self.has_hashes:
            return False
        differing = np.unpackbits((self.hashes ^ mine).view(np.uint8), axis=1).sum(axis=1)
        return bool(differing.min() <= NEAR)


def key_of(name: str) -> str:
    """What an image is known by: its COCO number, else its file's name without ending.

    >>> key_of("train2014/COCO_train2014_000000000042.jpg"), key_of("a\\\\B.png")
    ('coco:42', 'b')
    """
    stem = os.path.splitext(name.replace("\\", "/").rpartition("/")[2])[0]
    match = COCO_NAME.fullmatch(stem)
    return f"coco:{int(match[1])}" if match else stem.casefold()


class Hasher:
    """Perceptual hashes, by several processes.

    Args:
        pool: of the processes; None for this one.
    """

    def __init__(self, pool: ProcessPoolExecutor | None = None) -> None:
        self.pool = pool
        self.coming: dict[str, Future[Hash | None]] = {}

    def foresee(self, image: Any) -> None:
        """Begin with an image that will be asked for."""
        if self.pool is not None and isinstance(image, str) and image not in self.coming:
            self.coming[image] = self.pool.submit(perceptual_hash, image)

    def hash(self, image: Any) -> Hash | None:
        """See `perceptual_hash`."""
        future = self.coming.pop(image, None) if isinstance(image, str) else None
        return perceptual_hash(image) if future is None else future.result()

    def hash_all(self, images: Sequence[str]) -> Iterable[Hash | None]:
        """Those of many files, in order."""
        if self.pool is None:
            return map(perceptual_hash, images)
        return self.pool.map(perceptual_hash, images, chunksize=16)


@contextmanager
def open_hasher(workers: int) -> Iterator[Hasher]:
    """A hasher with so many processes; 1 works in this one."""
    if workers <= 1:
        yield Hasher()
        return
    with ProcessPoolExecutor(workers) as pool:
        yield Hasher(pool)


def read_evaluated(paths: Iterable[Path], hasher: Hasher) -> Evaluated:
    """The images of COCO files (by name), and of folders (by name and by look).

    Raises:
        InputError: a path is neither, or has no images.
    """
    names: set[str] = set()
    hashes = []
    for path in paths:
        if path.is_dir():
            files = [file for file in walk(path, "") if is_image(file)]
            names |= {key_of(file.name) for file in files}
            count = len(files)
            every = hasher.hash_all(list(map(str, files)))
            hashes += [each for each in every if each is not None]
        elif path.is_file():
            listed = list(_names(path))
            names |= set(map(key_of, listed))
            count = len(listed)
        else:
            count = 0
        if not count:
            raise InputError(
                f"expected a COCO file or a folder of evaluation images at {path}, got neither"
            )
    return Evaluated(frozenset(names - {""}), np.array(hashes, np.uint64).reshape(-1, 2))


def _names(path: Path) -> Iterable[str]:
    for member, record in stream_json(path):
        if member == "images" and isinstance(record, dict) and image_name(record):
            yield image_name(record)


def perceptual_hash(image: Any) -> Hash | None:
    """128 bits that stay nearly the same when an image is resized or compressed: whether each of 8
    x 8 parts is brighter than its right and its lower neighbour ("dHash"). None for an image that
    cannot be read, or is too plain to tell.
    """
    try:
        small = open_image(image, 256).convert("L").resize((9, 9))
    except ImageError:
        return None
    grey = np.asarray(small, dtype=np.float64)
    if grey.std() < PLAIN:
        return None
    right = grey[:8, :8] > grey[:8, 1:]
    below = grey[:8, :8] > grey[1:, :8]
    bits = np.packbits(np.stack([right, below]).reshape(2, 64), axis=1)
    return np.ascontiguousarray(bits).view(np.uint64).ravel()
