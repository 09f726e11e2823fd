"""COCO annotations to rows that ms-swift trains on and `swift infer` answers."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ..data.ground_truth import read_solution
from ..data.published.base import question
from ..errors import SolutionError
from ..files import read_json
from ..formats import Questions
from ..formats.questions import PAPER, detection_question
from ..models.model_io import ModelIO
from ..models.right_answer import add_answer
from ..text import did_you_mean
from .output import Written, output


def convert_coco(
    annotations: Path,
    images: Path,
    out: Path,
    questions: Questions = PAPER,
    io: ModelIO | None = None,
    classes: Sequence[str] | None = None,
) -> Written:
    """Write one row per image: messages, images, solution (original pixels), image_id.

    Crowd annotations are left out: a model is not asked to box a crowd. Boxes are clipped to their
    image, and those with nothing left are dropped; images without any box stay, as negatives.

    Args:
        annotations: COCO instances JSON.
        images: folder that `file_name` is relative to.
        out: JSONL to write.
        questions: what the model is asked; the paper's question where there is none for so many
            categories.
        io: of the model that a supervised run is to teach: its answer becomes the last message.
        classes: the names of the categories that count, in the order in which they are asked for;
            None is all.

    Raises:
        InputError: the file is not JSON.
        SolutionError: the file is no COCO instances file, it has no such class, no annotation is of
            its images, an image file is missing, or a box cannot be used.
    """
    data = _load(annotations)
    by_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    crowds = 0
    try:
        names = {category["id"]: str(category["name"]) for category in data["categories"]}
        left_out = _left_out(names, classes)
        for annotation in data["annotations"]:
            if annotation["category_id"] not in left_out:
                crowds += bool(annotation.get("iscrowd"))
                by_image[annotation["image_id"]] += (
                    [] if annotation.get("iscrowd") else [annotation]
                )
    except (KeyError, TypeError, AttributeError) as error:
        raise SolutionError(
            f"expected a COCO instances file at {annotations}, got an entry without {error}"
        ) from None
    _require_of_images(by_image, data["images"], annotations)
    wanted = list(classes or names.values())
    asked = detection_question(wanted, questions)
    rows = [_row(image, by_image, names, images, asked) for image in data["images"]]
    thin = sum(_answer(row, io) for row in rows) if io else 0
    with output(out) as result:
        for row in rows:
            result.add(row)
    labels = Counter(label for row in rows for label in json.loads(row["solution"])["labels"])
    unused = tuple(name for name in wanted if not labels[name])
    return Written(len(rows), labels.total(), crowds, unused, thin, asked)


def _left_out(names: dict[Any, str], classes: Sequence[str] | None) -> set[Any]:
    """The ids of the categories that do not count."""
    unknown = [name for name in classes or () if name not in names.values()]
    if unknown:
        meant = did_you_mean(unknown[0], names.values())
        raise SolutionError(
            f"expected classes that are categories of the annotations, got {unknown[0]!r}{meant}"
        )
    return {number for number, name in names.items() if classes and name not in classes}


def _require_of_images(image_ids: Collection[Any], images: Sequence[Any], path: Path) -> None:
    """Raise SolutionError where every image would be a negative, as with ids that are 7 here and
    "7" there."""
    ids = [image.get("id") for image in images if isinstance(image, dict)]
    if image_ids and ids and not any(number in image_ids for number in ids):
        one = next(iter(image_ids))
        raise SolutionError(
            f"expected image_id to be the id of an image in {path}, such as {ids[0]!r}; got {one!r}"
        )


def _load(path: Path) -> dict[str, Any]:
    data = read_json(path)
    missing = [
        key
        for key in ("images", "annotations", "categories")
        if not isinstance(data, dict) or key not in data
    ]
    if missing:
        raise SolutionError(
            f"expected a COCO instances file at {path}, got one without {', '.join(missing)}"
        )
    return dict(data)


def _row(
    image: dict[str, Any],
    by_image: dict[Any, list[dict[str, Any]]],
    names: dict[Any, str],
    folder: Path,
    asked: str,
) -> dict[str, Any]:
    try:
        path = folder / image["file_name"]
        text = _solution(image, by_image[image["id"]], names)
        read_solution(text)  # a row that training would refuse is refused here
    except (KeyError, TypeError, ValueError) as error:
        wrong = f"no {error}" if isinstance(error, KeyError) else str(error)
        name = image.get("file_name") if isinstance(image, dict) else image
        raise SolutionError(f"image {name!r} or one of its annotations: {wrong}") from None
    if not path.is_file():
        raise SolutionError(
            f"expected the image {image['file_name']} under {folder}, got no such file"
        )
    return {
        "messages": question(asked),
        "images": [str(path.resolve())],
        "solution": text,
        "image_id": image["id"],
    }


def _solution(
    image: dict[str, Any], annotations: list[dict[str, Any]], names: dict[Any, str]
) -> str:
    width, height = image["width"], image["height"]
    boxes, labels = [], []
    for annotation in annotations:
        x, y, w, h = annotation["bbox"]
        box = [max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)]
        if box[0] < box[2] and box[1] < box[3]:
            boxes.append(box)
            labels.append(names[annotation["category_id"]])
    return json.dumps({"width": width, "height": height, "boxes": boxes, "labels": labels})


def _answer(row: dict[str, Any], io: ModelIO) -> int:
    """Add the answer to the row's messages; returns how many boxes are too thin to be in it."""
    try:
        return add_answer(row, io)
    except SolutionError as error:
        raise SolutionError(f"image {row['images'][0]}: {error}") from None
