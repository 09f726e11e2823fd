"""How COCOeval matched boxes: the table behind every number that CocoMetric does not give."""

import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Id

LARGEST = 2**32  # bytes of a file's arrays; LVIS needs a tenth of it


@dataclass(frozen=True, eq=False)
class Matches:
    """COCOeval's matching for area "all" and a limit of boxes per image and
    category.

    n boxes, T IoU thresholds, I images, K categories. Boxes are in the order in which COCOeval
    ranks equal scores: by category, then by ascending image id, then by descending score, then as
    given.

    Attributes:
        image_ids: I image ids, ascending, as COCOeval visits them.
        category_ids: K category ids in COCOeval's order.
        iou_thresholds: (T,) .5:.05:.95.
        image: (n,) index into `image_ids`.
        category: (n,) index into `category_ids`.
        score: (n,) float64.
        matched: (T, n) bool: the box is matched to an annotation.
        ignored: (T, n) bool: the box counts neither as right nor as wrong (matched to a crowd).
        truths: (K, I) number of annotations that count (neither crowd nor ignored).
    """

    image_ids: tuple[Id, ...]
    category_ids: tuple[Id, ...]
    iou_thresholds: NDArray[np.float64]
    image: NDArray[np.int64]
    category: NDArray[np.int64]
    score: NDArray[np.float64]
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truths: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write a compressed .npz that `load` reads back. numpy's own takes more than twice
        as long."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for field in fields(self):
                with archive.open(f"{field.name}.npy", "w", force_zip64=True) as file:
                    column = np.asarray(getattr(self, field.name))
                    np.lib.format.write_array(file, column, allow_pickle=False)

    @classmethod
    def load(cls, path: Path) -> "Matches":
        """Read a file written by `save`. Raises InputError for any other file."""
        try:
            _check_size(path)
            with np.load(path, allow_pickle=False) as file:
                columns: dict[str, Any] = {field.name: file[field.name] for field in fields(cls)}
            if not all(isinstance(column, np.ndarray) for column in columns.values()):
                raise ValueError("entries that are not arrays")
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            EOFError,
            MemoryError,
            NotImplementedError,
            RuntimeError,  # an encrypted entry
            zlib.error,
            zipfile.BadZipFile,
        ) as error:
            raise InputError(
                f"expected {path} to be the matches.npz of an evaluation, got: {error}; evaluate "
                "again"
            ) from None
        columns |= {name: tuple(columns[name].tolist()) for name in ("image_ids", "category_ids")}
        return cls(**columns)


def _check_size(path: Path) -> None:
    """Raise ValueError if an archive unpacks to more than any evaluation has."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > LARGEST:
        raise ValueError(f"{size} bytes of arrays, more than {LARGEST}")
