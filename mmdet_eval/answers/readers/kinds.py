"""Which kind of prediction file a file is."""

import json
from pathlib import Path

from swift_plugin_visionr1.errors import InputError

from ...coco.annotations import Annotations
from ..coco_results import Converted, converted_boxes
from ..join import Missing
from ..rows import Row
from .coco_json import read_results
from .lines import row_of, rows_of
from .mmdet_dump import label_order, read_dump

# one of them is in every row of text
ANSWER_KEYS = {"response", "choices", "custom_id", "message", "output"}
PICKLE = b"\x80"  # how every pickle since protocol 2 begins


def read_predictions(
    path: str | Path, annotations: Annotations, missing: Missing = "error"
) -> list[Row] | Converted:
    """Read a prediction file: text answers as rows for `join`, or boxes that need no more reading.

    Text: rows of `swift infer` or of an OpenAI-style server, as JSONL or as one JSON list. Boxes:
    COCO results JSON, or the pickle that mmengine's DumpResults and mmdet's DumpDetResults write.

    Args:
        path: the file.
        annotations: what boxes are checked against.
        missing: whether an image without an entry in a dump is an error or "empty"; COCO results do
            not tell.

    Raises:
        InputError: the file is none of these, or does not belong to the annotations.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a prediction file, got {path}: {error.strerror}") from None
    if raw.startswith(PICKLE):
        results, answered = read_dump(raw, path, annotations, missing)
        return converted_boxes(results, answered, annotations, label_order(annotations))
    try:
        text = raw.decode("utf-8-sig")  # editors on Windows begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected JSONL, JSON or mmdet's pickle, got {path}, which is neither: {error}"
        ) from None
    if not text.lstrip().startswith("["):
        _check_no_annotations(text, path)
        return rows_of(text, path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"expected {path} to be a JSON list as it begins with [, got: {error}"
        ) from None
    if data and isinstance(data[0], dict) and data[0].keys() & ANSWER_KEYS:
        return [
            row_of(number, row, f"{path}, entry {number}")
            for number, row in enumerate(data, start=1)
        ]
    return converted_boxes(read_results(data, path, annotations), None, annotations)


def _check_no_annotations(text: str, path: Path) -> None:
    try:
        data = json.loads(text)  # of JSONL it reads no more than a line
    except (ValueError, RecursionError):
        return
    if (
        isinstance(data, dict)
        and isinstance(data.get("images"), list)
        and isinstance(data.get("annotations"), list)
    ):
        raise InputError(
            f"expected {path} to hold predictions, got COCO annotations: give that file as --ann, "
            "and as --pred the "
            "model's answers or COCO results, the bare list"
        )
