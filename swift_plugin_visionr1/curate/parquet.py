"""Rows as parquet, which `datasets` and ms-swift read too."""

import json
from itertools import islice
from pathlib import Path

from ..errors import InputError

AT_ONCE = 1000  # rows in memory


def write_parquet(file: Path) -> None:
    """Rewrite a file of JSON lines as parquet. Ids become text: those of several sources differ in
    kind.

    Raises:
        InputError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        from pyarrow import parquet
    except ImportError:
        raise InputError(f"expected pyarrow to write {file.name}: pip install pyarrow") from None
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    schema = pa.schema(
        [
            ("messages", pa.list_(message)),
            ("images", pa.list_(pa.string())),
            ("solution", pa.string()),
            ("image_id", pa.string()),
            ("source", pa.string()),
            ("task", pa.string()),
        ]
    )
    beside = file.with_name(f"{file.name}.table")
    with file.open(encoding="utf-8") as lines, parquet.ParquetWriter(beside, schema) as writer:
        while some := [json.loads(line) for line in islice(lines, AT_ONCE)]:
            rows = [row | {"image_id": str(row["image_id"])} for row in some]
            writer.write_table(pa.Table.from_pylist(rows, schema))
    beside.replace(file)
