"""Ref-L4: a table (parquet) of long expressions of one object each (JierunChen/Ref-L4)."""

from collections.abc import Iterator

from swift_plugin_visionr1.data.row_files import read_file

from ..spec import DatasetSpec
from .content import Content, Expression, content_of, rows_with

KEYS = ("file_name", "caption", "bbox", "width", "height", "ori_category_id")


def read_ref_l4(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    return Content(content_of(_expressions(spec), spec))


def _expressions(spec: DatasetSpec) -> Iterator[Expression]:
    for _, row in rows_with(KEYS, read_file(spec.ann), spec):
        size, box = (int(row["width"]), int(row["height"])), [float(side) for side in row["bbox"]]
        about = {"ori_category_id": str(row["ori_category_id"])}
        yield Expression(row["file_name"], size, row["caption"], [box], about)
