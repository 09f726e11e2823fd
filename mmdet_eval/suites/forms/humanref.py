"""HumanRef: `annotations.jsonl` and `images`; an expression means some of the people in an image
or, in the domain "rejection", nobody (IDEA-Research/RexSeek).
"""

from collections.abc import Iterator
from typing import Any

from swift_plugin_visionr1.data.row_files import read_rows
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.frames import Size

from ..spec import DatasetSpec
from .content import Content, Expression, content_of, corners_to_xywh, rows_with, size_in

KINDS: dict[str, Any] = {"image_name": str, "referring": str, "domain": str}
KINDS |= {"answer_boxes": list, "candidate_boxes": list}
REJECTION = "rejection"


def read_humanref(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    sizes: dict[str, Size] = {}
    return Content(content_of(_expressions(spec, sizes), spec))


def _expressions(spec: DatasetSpec, sizes: dict[str, Size]) -> Iterator[Expression]:
    for where, row in rows_with(KINDS, read_rows(spec.ann), spec):
        boxes = [box for box in row["answer_boxes"] if box]
        if bool(boxes) == (row["domain"] == REJECTION):
            raise InputError(
                f"{where}: expected answer_boxes to be empty in the domain {REJECTION} and only "
                f"there, got {len(boxes)} boxes in {row['domain']!r}"
            )
        size = size_in(spec.images, row["image_name"], sizes)
        about = {"domain": row["domain"], "people": len(row["candidate_boxes"])}
        boxes_xywh = corners_to_xywh(boxes, where)
        yield Expression(row["image_name"], size, row["referring"], boxes_xywh, about)
