"""The right answer to a row: its annotations as the model's own family writes them, in the frame
that it sees."""

from typing import Any

import numpy as np

from ..data.ground_truth import GroundTruth
from ..data.row_tasks import CountTruth, target_of
from ..errors import SolutionError
from ..formats import Format
from ..geometry.frames import View
from .model_io import ModelIO


def right_answer(truth: GroundTruth, view: View, format: Format) -> str:
    """What the model would have to write for the annotations."""
    return format.write(format.frame.from_image(truth.boxes, view), truth.labels)


def target(truth: GroundTruth, io: ModelIO) -> tuple[str, int]:
    """A supervised run's answer, which the same format reads back to half a unit of its grid.

    Returns:
        The answer, and how many boxes it lacks because they are thinner than the grid: rounding
        would leave them without area.

    Raises:
        SolutionError: the model's processor refuses the image, or the format cannot write a label.
    """
    try:
        view = io.resize.view(truth.size)
    except ValueError as error:
        raise SolutionError(str(error)) from None
    kept = truth
    parsed = io.format.parse(answer := right_answer(truth, view, io.format))
    if "corner_order" in parsed.issues:
        thick = [_is_read(truth, index, view, io.format) for index in range(len(truth.boxes))]
        kept = _only(truth, np.flatnonzero(thick).tolist())
        parsed = io.format.parse(answer := right_answer(kept, view, io.format))
    if parsed.issues or [label.strip() for label in parsed.labels] != [
        label.strip() for label in kept.labels
    ]:
        labels = (
            sorted({label for label in kept.labels if label.strip() not in parsed.labels})
            or "more than it reads"
        )
        raise SolutionError(
            f"expected boxes and labels that {io.format.name} can write and read back, got "
            f"{labels} "
            f"({', '.join(parsed.issues) or 'read as other labels'}): rename these categories"
        )
    return answer, len(truth.boxes) - len(kept.boxes)


def add_answer(row: dict[str, Any], io: ModelIO) -> int:
    """Add the answer to the messages of one of our rows; returns how many boxes are too thin to be
    in it.

    Raises:
        SolutionError: as `target`, or of the row's solution; or the row asks for points.
    """
    asked = target_of(row, mixed=False)
    if not isinstance(asked, GroundTruth | CountTruth):
        raise SolutionError(
            "expected a row that asks for boxes or a number, whose answer follows from its "
            "annotations, got one that asks for points: leave it out of a supervised run"
        )
    text, thin = (str(asked.count), 0) if isinstance(asked, CountTruth) else target(asked, io)
    row["messages"].append({"role": "assistant", "content": text})
    return thin


def _is_read(truth: GroundTruth, index: int, view: View, format: Format) -> bool:
    """Whether a box still has an area when written; false if its corners are rounded to the same
    place."""
    return (
        "corner_order" not in format.parse(right_answer(_only(truth, [index]), view, format)).issues
    )


def _only(truth: GroundTruth, indices: list[int]) -> GroundTruth:
    return GroundTruth(
        truth.size, truth.boxes[indices], tuple(truth.labels[index] for index in indices)
    )
