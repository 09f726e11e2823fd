"""Detects the kind of a prediction file."""

from contextlib import suppress
from pathlib import Path

from swift_plugin_visionr1.data.row_files import BOM, read_jsonl
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import read_bytes, read_json

from ...coco.annotations import Annotations
from ..coco_results import Converted, converted_boxes
from ..join import Missing
from ..rows import AnswerRow
from .coco_json import check_results, read_plain_results
from .lines import read_rows, row_of
from .mmdet_dump import label_order, read_dump

# every text row has one of them
ANSWER_KEYS = {"response", "choices", "custom_id", "message", "output"}
PICKLE = b"\x80"  # how every pickle since protocol 2 begins
START = 4096  # bytes that reveal the kind: no file starts with so many blanks


def read_predictions(
    path: str | Path, annotations: Annotations, missing: Missing = "error"
) -> list[AnswerRow] | Converted:
    """Read a prediction file: text answers as rows for `join`, or finished boxes.

    Text: rows of `swift infer` or of an OpenAI-style server, as JSONL or as one JSON list. Boxes:
    COCO results JSON, or the pickle that mmengine's DumpResults and mmdet's DumpDetResults write.

    Args:
        path: the file.
        annotations: boxes are checked against them.
        missing: whether an image without an entry in a dump is an error or "empty". It does not
            apply to COCO results, which do not list images without boxes.

    Raises:
        InputError: the file is of no known kind, or does not belong to the annotations.
    """
    path = Path(path)
    start = read_bytes(path, START)
    if start.startswith(PICKLE):
        boxes, answered = read_dump(read_bytes(path), path, annotations, missing)
        return converted_boxes(boxes, answered, label_order(annotations))
    if not start.removeprefix(BOM).lstrip().startswith(b"["):
        _check_no_annotations(path)
        return read_rows(path)
    if (detections := read_plain_results(path, annotations)) is not None:
        return converted_boxes(detections, None)
    data = read_json(path)
    if data and isinstance(data[0], dict) and data[0].keys() & ANSWER_KEYS:
        return [
            row_of(number, row, f"{path}, entry {number}")
            for number, row in enumerate(data, start=1)
        ]
    return converted_boxes(check_results(data, path, annotations), None)


def _check_no_annotations(path: Path) -> None:
    """They may be indented, so that their first line is not a JSON object."""
    _, first = next(read_jsonl(path), (0, {}))
    with suppress(InputError):
        first = read_json(path) if isinstance(first, str) else first
    if (
        isinstance(first, dict)
        and isinstance(first.get("images"), list)
        and isinstance(first.get("annotations"), list)
    ):
        raise InputError(
            f"expected {path} to hold predictions, got COCO annotations: give that file as --ann, "
            "and as --pred the model's answers or COCO results, the bare list"
        )
