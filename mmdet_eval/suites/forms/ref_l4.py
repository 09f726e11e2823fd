"""Ref-L4: a table (parquet) of long expressions of one object each (JierunChen/Ref-L4)."""

from collections.abc import Iterator
from typing import Any

from swift_plugin_visionr1.data.row_files import read_file

from ..spec import DatasetSpec
from .content import Content, Expression, content_of, rows_with

KINDS: dict[str, Any] = {"file_name": str, "caption": str, "ori_category_id": str}
KINDS |= {"bbox": tuple[float, float, float, float], "width": int, "height": int}


def read_ref_l4(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    return Content(content_of(_expressions(spec), spec))


def _expressions(spec: DatasetSpec) -> Iterator[Expression]:
    for _, row in rows_with(KINDS, read_file(spec.ann), spec):
        size, box = (row["width"], row["height"]), [float(side) for side in row["bbox"]]
        about = {"ori_category_id": row["ori_category_id"]}
        yield Expression(row["file_name"], size, row["caption"], [box], about)
