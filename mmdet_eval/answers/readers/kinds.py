"""Which kind of prediction file a file is."""

import json
from pathlib import Path

from ...data.annotations import Annotations
from ...errors import InputError
from ..coco_results import Converted, converted_boxes
from ..join import Missing
from ..rows import Row
from .coco_json import read_results
from .lines import rows_of
from .mmdet_dump import read_dump

PICKLE = b"\x80"  # how every pickle since protocol 2 begins


def read_predictions(
    path: str | Path, annotations: Annotations, missing: Missing = "error"
) -> list[Row] | Converted:  # fmt: skip
    """Read a prediction file: text answers as rows for `join`, or boxes that need no more reading.

    Text: JSONL of `swift infer` or of an OpenAI-style server. Boxes: COCO results JSON, or the pickle that mmengine's
    DumpResults and mmdet's DumpDetResults write.

    Args:
        path: the file.
        annotations: what boxes are checked against.
        missing: whether an image without an entry in a dump is an error or "empty"; COCO results do not tell.

    Raises:
        InputError: the file is none of these, or does not belong to the annotations.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a prediction file, got {path}: {error.strerror}") from None
    if raw.startswith(PICKLE):
        return converted_boxes(*read_dump(raw, path, annotations, missing), annotations)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"expected JSONL, JSON or mmdet's pickle, got {path}, which is neither: {error}") from None
    if not text.lstrip().startswith("["):
        return rows_of(text, path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected {path} to be a COCO results JSON as it begins with [, got: {error}") from None
    results = read_results(data, path, annotations)
    return converted_boxes(results, len(annotations.images), annotations)
