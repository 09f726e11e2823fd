"""COCO annotations to rows that ms-swift trains on and `swift infer` answers."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..data.coco import CocoFile, Id, Image, read_coco
from ..data.coco_check import CocoCheck, check_coco
from ..data.coco_images import CocoImages, look_at_images
from ..data.ground_truth import read_solution
from ..data.image_paths import ImagePaths
from ..data.published.base import question
from ..errors import InputError, SolutionError
from ..formats import Questions
from ..formats.questions import PAPER, detection_question
from ..models.model_io import ModelIO
from ..models.right_answer import add_answer
from ..text import listed
from .mending import fit_boxes
from .output import WrittenDataset, output
from .rendering import solution_of, written_boxes
from .sample import to_xyxy

CROWD = "boxes of crowds"


@dataclass(frozen=True)
class Fate:
    """What became of boxes that are not used as they are written, by the ids of the annotations.

    Attributes:
        left_out: reason -> the annotations that are in no row.
        clipped: reason -> those that were cut off at the border of their image.
    """

    left_out: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    clipped: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def add(self, what: Literal["left_out", "clipped"], ids: Mapping[str, Sequence[Any]]) -> None:
        """More annotations, by reason."""
        for reason, some in ids.items():
            if some:
                getattr(self, what)[reason].extend(some)


def convert_coco(
    annotations: Path,
    images: Path,
    out: Path,
    questions: Questions = PAPER,
    io: ModelIO | None = None,
    classes: Sequence[str] | None = None,
) -> WrittenDataset:
    """Write one row per image: messages, images, solution (original pixels), image_id.

    Crowd annotations are left out: a model is not asked to box a crowd. So is the second of two
    equal annotations. Boxes are clipped to their image, and those with nothing left are left out;
    images without any box stay, as negatives. All of this is counted by reason.

    Args:
        annotations: COCO instances JSON.
        images: folder that `file_name` is relative to.
        out: JSONL to write.
        questions: what the model is asked; the paper's question if they have none for this number
            of categories.
        io: of the model that a supervised run is to teach: its answer becomes the last message.
        classes: the names of the categories that count, in the order in which they are asked for;
            None is all.

    Raises:
        InputError: the file cannot be used (see `read_coco`), its boxes or sizes do not fit its
            images, or an image file is missing. Nothing is written.
    """
    file = read_coco(annotations, classes)
    files = _files(file, images)
    check = check_coco(file.images, file.annotations, files.headers)
    check.raise_fault(file.path)
    wanted = list(classes or file.categories.values())
    asked = detection_question(wanted, questions)
    rows, fate = _rows(file, files.paths, asked, check.other_size)
    thin = sum(_answer(row, io) for row in rows) if io else 0
    with output(out, [annotations, images]) as result:
        for row in rows:
            result.add(row)
    labels = Counter(label for row in rows for label in json.loads(row["solution"])["labels"])
    unused = tuple(name for name in wanted if not labels[name])
    return WrittenDataset(
        len(rows),
        labels.total(),
        unused,
        thin,
        asked,
        dict(fate.left_out),
        dict(fate.clipped),
        file.changes,
        _notes(file, files, check),
    )


def _files(file: CocoFile, folder: Path) -> CocoImages:
    for image in file.images:
        if not image.file_name:
            raise InputError(
                f'expected image {image.id!r} of {file.path} to have a "file_name", got none'
            )
    files = look_at_images(file.images, folder)
    missing = files.paths.missing
    if missing:
        raise InputError(
            f"expected {len(file.images)} images under {folder}, got no file for {len(missing)} of "
            f"them: {listed(missing, 3)}"
        )
    return files


def _notes(file: CocoFile, files: CocoImages, check: CocoCheck) -> tuple[str, ...]:
    notes = list(files.warnings)
    paths = Counter(files.paths.by_name[image.file_name] for image in file.images)
    several = [path.name for path, count in paths.items() if count > 1]
    if several:
        notes.append(
            f"{len(several)} image files are listed under several ids, each with its own row: "
            f"{listed(several)}"
        )
    if check.other_size:
        notes.append(
            f"{len(check.other_size)} images are left out because their file does not have "
            f"the size in the annotations: image {listed(sorted(check.other_size, key=str))}"
        )
    return tuple(notes)


def _rows(
    file: CocoFile, paths: ImagePaths, asked: str, left_out: Collection[Id]
) -> tuple[list[dict[str, Any]], Fate]:
    by_image: dict[Id, list[dict[str, Any]]] = defaultdict(list)
    for record in file.annotations:
        by_image[record["image_id"]].append(record)
    fate = Fate()
    rows = [
        {
            "messages": question(asked),
            "images": [str(paths.by_name[image.file_name].resolve())],
            "solution": _solution(image, by_image[image.id], file.categories, fate),
            "image_id": image.id,
        }
        for image in file.images
        if image.id not in left_out
    ]
    return rows, fate


def _solution(
    image: Image, records: Sequence[dict[str, Any]], names: dict[Id, str], fate: Fate
) -> str:
    fate.add("left_out", {CROWD: [each.get("id") for each in records if each.get("iscrowd")]})
    records = [record for record in records if not record.get("iscrowd")]
    labels = [names[record["category_id"]] for record in records]
    fit = fit_boxes(to_xyxy([record["bbox"] for record in records], "xywh"), image.size, labels)
    ids = np.array([record.get("id") for record in records], dtype=object)
    fate.add("left_out", {reason: ids[mask].tolist() for reason, mask in fit.left_out.items()})
    fate.add("clipped", {reason: ids[mask].tolist() for reason, mask in fit.clipped.items()})
    kept = fit.kept
    boxes = written_boxes(fit.boxes_xyxy[kept])
    text = solution_of(image.size, boxes, list(compress(labels, kept.tolist())))
    try:
        read_solution(text)  # a row that training would refuse is refused here
    except SolutionError as error:
        raise InputError(f"image {image.id!r} ({image.file_name}): {error}") from None
    return text


def _answer(row: dict[str, Any], io: ModelIO) -> int:
    """Add the answer to the row's messages; returns how many boxes are too thin to be in it."""
    try:
        return add_answer(row, io)
    except SolutionError as error:
        raise SolutionError(f"image {row['images'][0]}: {error}") from None
