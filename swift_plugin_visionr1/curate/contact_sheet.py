"""24 rows of a data set with their boxes drawn. Needs Pillow."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from ..data.images import open_image
from ..data.published.base import IMAGE_TAG
from ..errors import ImageError
from ..explain.painter import labelled, paint
from ..explain.sheet import SheetPanel, empty, fitted, make_sheet
from ..text import clipped, listed

ROWS = 24
COLUMNS = 6
LARGEST = (260, 200)  # pixels of a panel's image


def draw_sheet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The sheet as PNG.

    Args:
        rows: as written; their images may be paths, or mappings of bytes and path.
    """
    sheet = make_sheet([_panel(row) for row in rows], COLUMNS)
    buffer = BytesIO()
    sheet.save(buffer, format="PNG")
    return buffer.getvalue()


def _panel(row: Mapping[str, Any]) -> SheetPanel:
    solution = json.loads(row["solution"])
    size = solution["width"], solution["height"]
    try:
        canvas = fitted(open_image(row["images"][0], max(LARGEST) * 2), LARGEST)
    except ImageError:
        canvas = empty(size, LARGEST)
    boxes = np.array(solution["boxes"], dtype=np.float64).reshape(-1, 4)
    paint(canvas, size, labelled(boxes, solution["labels"]))
    asked = str(row["messages"][0]["content"]).replace(IMAGE_TAG, "")
    names = listed(dict.fromkeys(solution["labels"]), 3) or "nothing to find"
    return SheetPanel(
        canvas, (f"{row['source']}, {row['task']}", clipped(names, 36)), (_end(asked),)
    )


def _end(text: str) -> str:
    """The end of a question, where the names are."""
    return text if len(text) <= 40 else "..." + text[-38:]
