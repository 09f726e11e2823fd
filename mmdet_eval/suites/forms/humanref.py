"""HumanRef: `annotations.jsonl` and `images`; an expression means some of the people in an image
or, in the domain "rejection", nobody (IDEA-Research/RexSeek).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from swift_plugin_visionr1.data.row_files import read_rows
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import as_boxes, xyxy_to_xywh
from swift_plugin_visionr1.geometry.frames import Size

from ..spec import DatasetSpec
from .content import Content, Expression, content_of, rows_with, size_in

KEYS = ("image_name", "referring", "domain", "answer_boxes", "candidate_boxes")
REJECTION = "rejection"


def read_humanref(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    sizes: dict[str, Size] = {}
    return Content(content_of(_expressions(spec, sizes), spec))


def _expressions(spec: DatasetSpec, sizes: dict[str, Size]) -> Iterator[Expression]:
    for where, row in rows_with(KEYS, read_rows(spec.ann), spec):
        boxes = [box for box in row["answer_boxes"] if box]
        if bool(boxes) == (row["domain"] == REJECTION):
            raise InputError(
                f"{where}: expected answer_boxes to be empty in the domain {REJECTION} and only "
                f"there, got {len(boxes)} boxes in {row['domain']!r}"
            )
        yield _expression(row, boxes, size_in(spec.images, row["image_name"], sizes))


def _expression(row: Mapping[str, Any], boxes: list[Any], size: Size) -> Expression:
    about = {"domain": row["domain"], "people": len(row["candidate_boxes"])}
    xywh = xyxy_to_xywh(as_boxes(boxes)).tolist()
    return Expression(row["image_name"], size, row["referring"], xywh, about)
