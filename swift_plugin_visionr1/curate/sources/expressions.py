"""Referring expressions as rows of JSON or JSON lines, in the names in circulation (Qwen-VL,
Shikra, Griffon, Rex-Omni, Hugging Face's RefCOCO): an image, an expression, its boxes."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...data.json_stream import TOP, stream_json
from ...data.row_files import read_jsonl
from ...errors import InputError
from ..image_search import folders_around
from ..sample import Phrase, Request, Sample, Source, is_id, to_xyxy
from ..tally import Tally
from .coco import image_size
from .files_of import BAD_BOX
from .shapes import four_numbers
from .splits import split_of

TEXTS = (
    "expression",
    "sent",
    "sents",
    "sentences",
    "normal_caption",
    "caption",
    "phrase",
    "referring",
)
IMAGES = ("image", "image_path", "file_name", "image_name", "img_path", "img")
BOXES = {
    "bbox_xywh": "xywh",
    "bbox_xyxy": "xyxy",
    "answer_boxes": "xyxy",
    "bboxes": "xyxy",
    "boxes": "xyxy",
    "bbox": "xyxy",
    "box": "xyxy",
}
COCO_KEYS = {"ann_id", "category_id", "file_name"}  # of rows whose bbox is as COCO writes it
BAD_ROW = "rows without an image, an expression and boxes"


_SUFFIXED = re.compile(r"(COCO_\w+?_\d{12})_\d+(\.\w+)$")  # by RefCOCO's refs, with their number


def rows_of(path: Path) -> Iterator[Any]:
    """The records of a JSON list or of JSON lines; a message for a line that is not JSON."""
    if path.suffix == ".json":
        return (record for name, record in stream_json(path) if name == TOP)
    return (record for _, record in read_jsonl(path))


def count_rows(path: Path) -> int:
    """How many rows a file of JSON lines has; 0 for other files, whose reading shows itself."""
    if path.suffix != ".jsonl":
        return 0
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def is_rows_file(path: Path) -> bool:
    """Whether its name is of rows."""
    return path.is_file() and path.name.endswith((".json", ".jsonl", ".jsonl.gz"))


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    if not is_rows_file(path):
        return False
    try:
        row = next(rows_of(path), None)
    except InputError:
        return False
    if not isinstance(row, dict) or "messages" in row or "conversations" in row:
        return False
    if "solution" in row or "problem" in row:
        return False
    return all(any(key in row for key in keys) for keys in (TEXTS, IMAGES, BOXES))


def open_expressions(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    path = request.path
    first = next((row for row in rows_of(path) if isinstance(row, dict)), {})
    key = next((key for key in BOXES if key in first), "bbox")
    of_coco = key == "bbox" and bool(COCO_KEYS & set(first))
    layout, unit = request.box_form("xywh" if of_coco else BOXES[key])
    places = ("train2014", "val2014", "train2017", "val2017")
    return Source(
        name=path.name.split(".")[0],
        format="expressions",
        files=(path,),
        images=request.folders(*folders_around(path, *places)),
        categories=(),
        exhaustive=False,
        tasks=("referring",),
        read=lambda tally: _samples(path, key, layout, unit, tally),
        layout="xywh" if layout == "xywh" else "xyxy",
        count=count_rows(path),
    )


def _samples(path: Path, key: str, layout: str, unit: float, tally: Tally) -> Iterator[Sample]:
    for number, row in enumerate(rows_of(path), start=1):
        where = f"row {number}"
        texts = _texts(row) if isinstance(row, dict) else []
        name = next((row[k] for k in IMAGES if row.get(k)), None) if texts else None
        if not isinstance(name, str) or key not in row:
            tally.drop(BAD_ROW, where)
            continue
        boxes = _boxes(row[key])
        if boxes is None:
            tally.drop(BAD_BOX, where)
            continue
        every = tuple(range(len(boxes)))
        yield Sample(
            id=row["image_id"] if is_id(row.get("image_id")) else name,
            image=_SUFFIXED.sub(r"\1\2", name),
            size=image_size(row),
            boxes_xyxy=to_xyxy(boxes, layout),
            phrases=tuple(Phrase(text, every) for text in texts),
            split=_split(row, path),
            unit=unit,
        )


def _split(row: Mapping[str, Any], path: Path) -> str:
    split = row.get("split")
    if isinstance(split, str) and split:
        return split.rpartition("_")[2]  # such as refcoco_testB
    return split_of(path.name)


def _texts(row: Mapping[str, Any]) -> list[str]:
    value = next((row[key] for key in TEXTS if row.get(key)), None)
    values = value if isinstance(value, list) else [value]
    texts = [v.get("sent") or v.get("raw") if isinstance(v, dict) else v for v in values]
    return [text.strip() for text in texts if isinstance(text, str) and text.strip()]


def _boxes(value: Any) -> list[list[float]] | None:
    """One box, or a list of them; [] for none; None if they are neither."""
    if not isinstance(value, list):
        return None
    if not value:
        return []
    boxes = [four_numbers(each) for each in (value if isinstance(value[0], list) else [value])]
    return None if None in boxes else [box for box in boxes if box]
