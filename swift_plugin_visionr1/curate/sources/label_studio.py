"""Label Studio's JSON and JSON_MIN: percent of the image as the browser shows it, corner first.

Of several people's answers the one that is marked as ground truth counts, else the first that was
not cancelled. `predictions` are a model's.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ...data.coco_records import is_finite_number
from ...data.json_stream import TOP, stream_json
from ...errors import InputError
from ...geometry.boxes import as_boxes
from ..image_search import ImageFinder, folders_around
from ..sample import Request, Sample, Source, is_id
from ..tally import Tally
from .coco import image_size
from .files_of import BAD_BOX, IMAGE_ENDINGS, NO_AREA_KIND, NO_LABEL
from .shapes import around, around_ellipse, around_turned, four_numbers

NOT_DONE = "tasks without an annotation"
CANCELLED = "annotations that were cancelled"
OTHERS = "answers of further annotators"
NO_IMAGE = "tasks without an image"
NOT_READ = "masks and key points, which are not read"
TURNED = "boxes in an image that was turned by hand"
LABELS = ("rectanglelabels", "polygonlabels", "ellipselabels", "labels", "choices", "text")
OTHER_LABELS = ("brushlabels", "keypointlabels", "bitmasklabels", "vectorlabels")
PEEKED = 50  # tasks that tell what a file is
Object = tuple[str, list[float]]


def _is_export(path: Path) -> bool:
    """Whether one of its first records is a task; JSON_MIN's without a box do not show it."""
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        return any(
            name == TOP and _is_task(record) for name, record in islice(stream_json(path), PEEKED)
        )
    except InputError:
        return False


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return _file(path) is not None


def _file(path: Path) -> Path | None:
    files = [path] if path.is_file() else sorted(path.glob("*.json")) if path.is_dir() else []
    return next((file for file in files if _is_export(file)), None)


def _is_task(task: Any) -> bool:
    if not isinstance(task, dict):
        return False
    whole = isinstance(task.get("data"), dict) and bool({"annotations", "completions"} & set(task))
    return whole or any(True for _ in _short_values(task))


def _short_values(task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """JSON_MIN's values: lists of boxes under the name of their control."""
    for values in task.values():
        for value in values if isinstance(values, list) else ():
            if isinstance(value, dict) and any(isinstance(value.get(n), list) for n in LABELS[:3]):
                yield value


def open_label_studio(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    file = _file(request.path)
    if file is None:
        raise InputError(f"expected a JSON export of Label Studio at {request.path}, got none")
    folders = request.folders(*folders_around(file, "upload", "media"))
    quiet = Tally()
    names = {
        label: None
        for sample in _samples(file, folders, quiet)
        for label in (*sample.labels, *sample.unsure)
    }
    return Source(
        name=request.path.stem,
        format="label_studio",
        files=(file,),
        images=folders,
        categories=tuple(sorted(names)),
        exhaustive=True,
        tasks=("detection", "grounding", "referring"),
        read=lambda tally: _samples(file, folders, tally),
        upright=True,
    )


def _samples(file: Path, folders: tuple[Path, ...], tally: Tally) -> Iterator[Sample]:
    finder = ImageFinder(folders)
    for number, (_, task) in enumerate(stream_json(file), start=1):
        if not isinstance(task, dict):
            tally.drop(NOT_DONE, f"record {number}")
            continue
        where = f"task {task.get('id', number)}"
        image = _image(task, finder)
        if image is None:
            tally.drop(NO_IMAGE, where)
            continue
        results = _results(task, where, tally)
        if results is None:
            continue
        objects, partly, size = _objects(results, where, tally)
        yield Sample(
            id=task["id"] if is_id(task.get("id")) else number,
            image=image,
            size=size,
            boxes_xyxy=as_boxes([box for _, box in objects]),
            labels=tuple(label for label, _ in objects),
            unsure=tuple(dict.fromkeys(partly)),
            unit=0.0 if size else 100.0,
        )


def _image(task: dict[str, Any], finder: ImageFinder) -> str | None:
    """The file of the address that Label Studio gave the image."""
    data = task["data"] if isinstance(task.get("data"), dict) else task
    texts = [data.get("image"), *data.values()]
    name = next((text for text in texts if isinstance(text, str) and _is_image(text)), None)
    if name is None:
        return None
    parts = urlsplit(name)
    path = unquote(parse_qs(parts.query).get("d", [parts.path])[0]).lstrip("/")
    if finder.find(path) is None:
        # Uploads get eight random characters and a dash in front.
        last = path.rpartition("/")[2]
        bare = last.partition("-")[2]
        if bare and len(last) - len(bare) == 9 and finder.find(bare) is not None:
            return bare
    return path


def _is_image(text: str) -> bool:
    parts = urlsplit(text)
    return any(each.lower().endswith(IMAGE_ENDINGS) for each in (parts.path, parts.query, text))


def _results(task: dict[str, Any], where: str, tally: Tally) -> list[Any] | None:
    """The results of the annotation that counts; None without an annotation."""
    if not isinstance(task.get("data"), dict):
        return [{"value": value, "type": _kind(value)} for value in _short_values(task)]
    given = task.get("annotations") or task.get("completions")
    answers = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    kept = [answer for answer in answers if not answer.get("was_cancelled")]
    if len(kept) < len(answers):
        tally.drop(CANCELLED, where, len(answers) - len(kept))
    if not kept:
        tally.drop(NOT_DONE, where)
        return None
    kept.sort(key=lambda answer: not answer.get("ground_truth"))
    if len(kept) > 1:
        tally.drop(OTHERS, where, len(kept) - 1)
    results = kept[0].get("result")
    return results if isinstance(results, list) else []


def _kind(value: dict[str, Any]) -> str:
    return next((name for name in LABELS if isinstance(value.get(name), list)), "")


def _objects(
    results: list[Any], where: str, tally: Tally
) -> tuple[list[Object], list[str], tuple[int, int] | None]:
    """Boxes in pixels if the results say the image's size, else in percent; the labels of those
    that cannot be used; that size."""
    shapes = _joined(results, where, tally)
    size = next((side for shape in shapes if (side := _size(shape))), None)
    objects: list[Object] = []
    partly: list[str] = []
    for shape in shapes:
        labels = next((each for key in LABELS if (each := _texts(shape["value"].get(key)))), [])
        not_read = [each for key in OTHER_LABELS for each in _texts(shape["value"].get(key))]
        box = _box(shape["value"], size)
        turned = shape.get("image_rotation") not in (None, 0)
        if not_read and not labels:
            tally.drop(NOT_READ, f"{not_read[0]} in {where}")
            partly += not_read
        elif "x" not in shape["value"] and "points" not in shape["value"]:
            if not labels:  # with labels it is an answer about the whole image
                tally.drop(NO_AREA_KIND, where)
        elif not labels:
            tally.drop(NO_LABEL, where)
        elif box is None or turned:
            tally.drop(TURNED if turned else BAD_BOX, f"{labels[0]} in {where}")
            partly += labels
        else:
            objects += [(label, box) for label in dict.fromkeys(labels)]
    return objects, partly, size


def _joined(results: list[Any], where: str, tally: Tally) -> list[dict[str, Any]]:
    """The shapes of an annotation. A box and its label may be two results of one id."""
    shapes: dict[Any, dict[str, Any]] = {}
    for index, result in enumerate(results):
        if isinstance(result, dict) and result.get("type") == "relation":
            continue  # between two boxes
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict):
            tally.drop(BAD_BOX, where)
            continue
        number = result.get("id")
        known = shapes.setdefault(number if number and is_id(number) else index, {"value": {}})
        known["value"] = {**known["value"], **value}
        known |= {k: v for k, v in result.items() if k.startswith(("original_", "image_"))}
    return list(shapes.values())


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each.strip() for each in values if isinstance(each, str) and each.strip()]


def _size(shape: dict[str, Any]) -> tuple[int, int] | None:
    return image_size({s: shape.get(f"original_{s}") for s in ("width", "height")})


def _box(value: dict[str, Any], size: tuple[int, int] | None) -> list[float] | None:
    across, down = (size[0] / 100, size[1] / 100) if size else (1.0, 1.0)
    if isinstance(value.get("points"), list):
        box = around(value["points"])
        return box and [box[0] * across, box[1] * down, box[2] * across, box[3] * down]
    turn = value.get("rotation") or 0
    if not is_finite_number(turn) or (turn and size is None):
        return None  # percent are not square
    sides = ("radiusX", "radiusY") if "radiusX" in value else ("width", "height")
    part = four_numbers([value.get(k) for k in ("x", "y", *sides)])
    if part is None:
        return None
    x, y, w, h = part[0] * across, part[1] * down, part[2] * across, part[3] * down
    if "radiusX" in value:
        return around_ellipse([x, y, w, h], turn)
    return around_turned([x, y, x + w, y + h], turn, [x, y])
