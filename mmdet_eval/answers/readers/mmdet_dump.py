"""Reads the pickle that mmengine's DumpResults and mmdet's DumpDetResults write, without executing
its content."""

import io
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import xyxy_to_xywh
from swift_plugin_visionr1.text import listed, short

from ...coco.annotations import Annotations, Id
from ...coco.columns import place_of_each
from ...coco.detections import Detections
from ..join import Missing, check_missing
from ..query_table import some

ZIP = b"PK"
IDS = (int, str, np.integer)
NAMES = ("bboxes", "scores", "labels")
Columns = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]  # of one image
_REBUILD_ARRAY = np.zeros(0).__reduce__()[0]
_REBUILD_SCALAR = np.float64(0).__reduce__()[0]


def read_dump(
    raw: bytes, path: Path, annotations: Annotations, missing: Missing
) -> tuple[Detections, int]:
    """The boxes in ascending order of the image ids, and the number of images that the dump has.

    Labels are positions in the annotation file's list of categories, as in CocoDataset and
    CocoMetric.

    Raises:
        InputError: the file is not such a dump, needs anything but tensors and plain values, or
            does not belong to the annotations.
    """
    samples = _unpickle(raw, path)
    if not isinstance(samples, list) or not all(isinstance(sample, dict) for sample in samples):
        raise InputError(
            f"expected {path} to hold a list of mmdet's predictions, got {type(samples).__name__}"
        )
    by_image: dict[Id, Columns] = {}
    for number, sample in enumerate(samples):
        columns = _columns(sample, f"entry {number} of {path}", annotations, len(raw))
        if sample["img_id"] in by_image:
            raise InputError(
                f"expected one entry per image in {path}, got two for image {sample['img_id']!r}"
            )
        by_image[sample["img_id"]] = columns
    unknown = by_image.keys() - set(annotations.image_ids)
    if unknown:
        raise InputError(
            f"expected img_ids of the annotation file in {path}, got {next(iter(unknown))!r} and "
            f"{len(unknown) - 1} more: do --ann and --pred belong to the same dataset?"
        )
    if missing == "error":
        check_missing(
            [(image, None) for image in annotations.images if image.id not in by_image],
            len(by_image),
        )
    return _joined(by_image, annotations), len(by_image)


def _joined(by_image: Mapping[Id, Columns], annotations: Annotations) -> Detections:
    keys = sorted(by_image)
    counts = np.array([len(by_image[key][1]) for key in keys], dtype=np.int64)
    nothing = (np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=np.int64))
    parts = zip(*(by_image[key] for key in keys), strict=True) if keys else ((),) * len(nothing)
    boxes_xyxy, score, category = (
        np.concatenate([empty, *part]) for empty, part in zip(nothing, parts, strict=True)
    )
    return Detections(
        annotations.image_ids,
        annotations.category_ids,
        np.repeat(place_of_each(keys, annotations.image_ids), counts),
        category,
        xyxy_to_xywh(boxes_xyxy),
        score,
        np.arange(len(score)),
    )


def label_order(annotations: Annotations) -> str:
    """What the labels of a dump stand for, in words."""
    names = some([repr(name) for name in annotations.categories.values()])
    return (
        "the dump's labels count from 0 in the annotation file's order of the categories "
        f"evaluated: {names}"
    )


def _columns(sample: dict[str, Any], what: str, annotations: Annotations, most: int) -> Columns:
    """`most`: how many numbers fit into a file of this size; a tensor may claim any number."""
    predicted = sample.get("pred_instances")
    if not isinstance(predicted, dict) or not isinstance(sample.get("img_id"), IDS):
        raise InputError(
            f"expected {what} to have img_id, a number or a text, and pred_instances, got the keys "
            f"{listed(map(short, sample))}"
        )
    classes = len(annotations.categories)
    try:
        if any(np.prod(np.shape(predicted[n]), dtype=float) > most for n in NAMES):
            raise ValueError("more numbers than the file has bytes")
        boxes, scores, labels = (np.asarray(predicted[name]) for name in NAMES)
        boxes = boxes.reshape(len(scores), 4).astype(np.float64)
        category = labels.astype(np.int64).reshape(len(scores))
        scores = scores.astype(np.float64).reshape(len(scores))
        if (category >= classes).any():
            raise IndexError(f"the label {category.max()}")
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError, MemoryError) as error:
        raise InputError(
            f"expected {what} to have bboxes (n, 4), scores (n) and labels (n) below {classes}, "
            f"got something else ({error}): do --ann and --pred belong to the same dataset?"
        ) from None
    if not np.isfinite(boxes).all() or not np.isfinite(scores).all() or (labels < 0).any():
        raise InputError(
            f"expected {what} to have finite boxes and scores and labels from 0, got others"
        )
    return boxes, scores, category


def _unpickle(raw: bytes, path: Path) -> Any:
    try:
        _check_memo(raw)
        return _Unpickler(io.BytesIO(raw)).load()
    except Exception as error:  # a broken or hostile pickle can raise anything
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"expected the pickle that mmdet's DumpDetResults writes, got {path}: {reason}"
        ) from None


def _check_memo(raw: bytes) -> None:
    """Raise UnpicklingError for a memo index larger than the file can fill: Python would allocate
    all slots up to it."""
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name == "LONG_BINPUT" and (argument or 0) > len(raw):
            raise pickle.UnpicklingError(f"it asks for place {argument} of the memo")


class _Unpickler(pickle.Unpickler):
    """Creates only tensors, arrays and plain values: a pickle can name any function, which would
    then be called."""

    def find_class(self, module: str, name: str) -> Any:
        """What the pickle names if it is harmless; otherwise raises UnpicklingError."""
        allowed: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("_codecs", "encode"): _latin1,
            ("numpy", "dtype"): np.dtype,
            ("numpy", "ndarray"): np.ndarray,
        }
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # numpy 1 and 2
            allowed |= {
                (module, "_reconstruct"): _REBUILD_ARRAY,
                (module, "scalar"): _REBUILD_SCALAR,
            }
        if module.startswith("torch"):
            allowed |= _torch_parts()
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which no list of predictions needs"
            )
        return allowed[module, name]


def _torch_parts() -> dict[tuple[str, str], Any]:
    import torch
    from torch._utils import _rebuild_tensor_v2

    def storage(content: bytes) -> Any:  # torch's own function of that name unpickles anything
        if content.startswith(ZIP):  # may unpack to any size; pickled tensors are not archives
            raise pickle.UnpicklingError("it has an archive where a tensor's content is expected")
        return torch.load(io.BytesIO(content), weights_only=True)

    return {
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
        ("torch.storage", "_load_from_bytes"): storage,
        ("torch", "Size"): torch.Size,
    }


def _latin1(text: str, encoding: str) -> bytes:
    """Protocol 2 writes bytes this way."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding!r}")
    return text.encode("latin1")
