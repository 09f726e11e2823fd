"""The authors' published data (Vision-R1-Data): image, problem, solution, width, height, ...

Their `solution` is a JSON string of [label, [[x1, y1, x2, y2], ...]] pairs in pixels of the
original image.
"""

from typing import Any

from ..ground_truth import read_solution
from .base import Row, RowForm, SizeOf, image_of, question, solution, training_row

CONSUMED = (
    "image",
    "images",
    "problem",
    "solution",
    "width",
    "height",
    "num_instances",
    "target_id_maps",
)


def recognises(row: Row) -> bool:
    """See `RowForm.recognises`."""
    text = row.get("solution")
    return (
        {"problem", "width", "height"} <= set(row)
        and isinstance(text, str)
        and text.lstrip().startswith("[")
    )


def rewrite(row: Row, open_size: SizeOf) -> dict[str, Any]:
    """See `RowForm.rewrite`."""
    truth = read_solution(row["solution"], row["width"], row["height"])
    text = solution(truth.size, truth.boxes.tolist(), truth.labels)
    return training_row(row, CONSUMED, question(row["problem"]), image_of(row), text)


AUTHORS = RowForm("Vision-R1-Data", recognises, rewrite)
