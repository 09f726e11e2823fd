"""Rows with their image files and what the model sees of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.ground_truth import GroundTruth
from ..geometry.frames import Size, View
from ..models.model_io import ModelIO
from ..text import listed
from .checks.box_signs import Evidence
from .findings import Finding, problem
from .image_files import ImageFile, look_at
from .rows import NO_BOXES, DoctorRow

SeenAs = Callable[[Size], View | None]  # None for images that the model's processor refuses


@dataclass(frozen=True)
class Case:
    """A row.

    Attributes:
        row: what the data set says.
        file: its image file.
        view: what the model sees of an image of the size that the row gives; None if unknown.
    """

    row: DoctorRow
    file: ImageFile
    view: View | None


@dataclass(frozen=True)
class Whole:
    """A complete row, which can be shown and asked about; otherwise like `Case`."""

    row: DoctorRow
    file: ImageFile
    truth: GroundTruth
    view: View


def seen_as(io: ModelIO | None) -> SeenAs:
    """What the model sees of an image, by its size; the image itself if the model is unknown."""
    known: dict[Size, View | None] = {}

    def view(size: Size) -> View | None:
        if size not in known:
            try:
                known[size] = io.resize.view(size) if io else View(size, size)
            except ValueError:
                known[size] = None
        return known[size]

    return view


def cases_of(rows: Sequence[DoctorRow], view: SeenAs, opened: int | None) -> list[Case]:
    """Every row with its image file. Headers are read for `opened` rows spread over the data, or
    for all if it is None."""
    chosen = range(len(rows)) if opened is None else set(spaced(len(rows), opened))
    files = look_at([row.image for row in rows], chosen)
    return [
        Case(row, file, view(row.size) if row.size else None)
        for row, file in zip(rows, files, strict=True)
    ]


def chosen_cases(cases: Sequence[Case], count: int) -> list[Whole]:
    """`count` complete rows, spread over the data; those with objects, if there are any."""
    whole = [
        Whole(case.row, case.file, case.row.truth, case.view)
        for case in cases
        if case.row.truth and case.file.size and case.view
    ]
    full = [case for case in whole if len(case.truth.boxes)] or whole
    return [full[index] for index in spaced(len(full), count)]


def spaced(length: int, count: int) -> list[int]:
    """`count` of `length` indices, evenly spaced; all of them if there are no more than `count`."""
    places: list[int] = np.linspace(0, length - 1, min(count, length)).astype(int).tolist()
    return places


def evidence_of(cases: Sequence[Case], view: SeenAs) -> Evidence:
    """Boxes with the sizes of their image files; if none was opened, with the sizes in the rows."""
    opened = any(case.file.size for case in cases)
    boxes, sizes, processed = [NO_BOXES], [], []
    for case in cases:
        size = case.file.size if opened else case.row.size
        seen = view(size) if size else None
        if size and seen:
            boxes.append(case.row.boxes)
            sizes += [size] * len(case.row.boxes)
            processed += [seen.processed] * len(case.row.boxes)
    sides = (np.array(values, dtype=np.float64).reshape(-1, 2) for values in (sizes, processed))
    return Evidence(np.concatenate(boxes), *sides)


def shape_findings(cases: Sequence[Case], view: SeenAs) -> list[Finding]:
    """Images that the model's processor refuses."""
    sizes = [(case, case.file.size or case.row.size) for case in cases]
    bad = [(case, size) for case, size in sizes if size and view(size) is None]
    if not bad:
        return []
    places = listed(case.row.place for case, _ in bad)
    case, size = bad[0]
    named = f" ({case.file.path})" if case.file.path else ""
    text = (
        f"{len(bad)} images have sides that the model's processor refuses, in {places}; the "
        f"first{named} is {size[0]} x {size[1]}: leave these rows out"
    )
    return [problem("image_shape", text)]
