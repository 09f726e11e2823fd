"""RefCOCO, RefCOCO+ and RefCOCOg (`refs(unc).p` with `instances.json`), and gRefCOCO
(`grefs(unc).json`): expressions of one, several or no objects, which `ann_id` names.

The pickles are read without executing them. `file_name` of a ref ends in a number of its own, so
the image's name comes from the instances (lichengunc/refer).
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...data.json_stream import TOP, stream_json
from ...data.pickles import read_pickle
from ...errors import InputError
from ...text import listed
from ..image_search import folders_around
from ..sample import Phrase, Request, Sample, Source, is_id, to_xyxy
from ..tally import Tally
from .coco import image_name, image_size
from .shapes import four_numbers

NO_TARGET = -1
LOST = "expressions whose box is not in the instances"
NO_IMAGE = "expressions of images that are not in the instances"
NO_TEXT = "expressions without words"
INSTANCES = "instances*.json"


def _is_refs(path: Path) -> bool:
    if not path.is_file() or "refs" not in path.name:
        return False
    if path.suffix in (".p", ".pkl", ".pickle"):
        return True
    try:
        first = next((r for name, r in stream_json(path) if name == TOP), None)
    except InputError:
        return False
    return isinstance(first, dict) and "ann_id" in first and "sentences" in first


def _refs_files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.iterdir()) if path.is_dir() else []
    return [file for file in files if _is_refs(file)]


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return bool(_refs_files(path))


def open_refs(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    files = _refs_files(request.path)
    if len(files) != 1:
        raise InputError(
            f"expected one file of refs at {request.path}, got "
            f"{listed(file.name for file in files)}: their splits differ, so give --source the one "
            "that you want"
        )
    file = files[0]
    near = [*file.parent.glob(INSTANCES), *file.parent.parent.glob(INSTANCES)]
    near += list((file.parent.parent / "annotations").glob(INSTANCES))
    if not near:
        raise InputError(f"expected instances.json beside {file}, got none: the boxes are in it")
    layout, unit = request.box_form("xywh")
    places = ("train2014", "images/mscoco/images/train2014", "images/train2014", "train2017")
    return Source(
        name=file.parent.name or file.stem,
        format="grefcoco" if file.name.startswith("g") else "refcoco",
        files=(file, near[0]),
        images=request.folders(
            *folders_around(file, *places), *folders_around(file.parent, *places)
        ),
        categories=(),
        exhaustive=False,
        tasks=("referring",),
        read=lambda tally: _samples(file, near[0], layout, unit, tally),
        layout="xywh" if layout == "xywh" else "xyxy",
    )


def _refs(file: Path) -> Iterable[Any]:
    if file.suffix == ".json":
        return (record for _, record in stream_json(file))
    refs = read_pickle(file)
    if not isinstance(refs, list):
        raise InputError(f"expected a list of refs in {file}, got a {type(refs).__name__}")
    return refs


def _samples(
    file: Path, instances: Path, layout: str, unit: float, tally: Tally
) -> Iterator[Sample]:
    """One sample for each image and split, in the order of the refs."""
    groups: dict[tuple[Any, str], list[dict[str, Any]]] = {}
    for ref in _refs(file):
        if isinstance(ref, dict) and is_id(ref.get("image_id")):
            groups.setdefault((ref["image_id"], str(ref.get("split") or "")), []).append(ref)
        else:
            tally.drop(NO_IMAGE, ref)
    images, boxes = _instances(instances, groups)
    for (number, split), refs in groups.items():
        image = images.get(number)
        if image is None:
            tally.drop(NO_IMAGE, f"image {number}", sum(len(_texts(ref)) for ref in refs) or 1)
            continue
        numbers: dict[Any, int] = {}
        phrases: list[Phrase] = []
        for ref in refs:
            phrases += _phrases(ref, boxes, numbers, tally)
        yield Sample(
            id=number,
            image=image_name(image),
            size=image_size(image),
            boxes_xyxy=to_xyxy([boxes[each] for each in numbers], layout),
            phrases=tuple(phrases),
            split=split,
            unit=unit,
        )


def _instances(
    file: Path, groups: Mapping[tuple[Any, str], list[dict[str, Any]]]
) -> tuple[dict[Any, dict[str, Any]], dict[Any, list[float]]]:
    """The images, and the boxes of the annotations, that the refs name."""
    wanted = {number for number, _ in groups}
    ids = {each for refs in groups.values() for ref in refs for each in _targets(ref)}
    images: dict[Any, dict[str, Any]] = {}
    boxes: dict[Any, list[float]] = {}
    for name, record in stream_json(file):
        if not isinstance(record, dict) or not is_id(record.get("id")):
            continue
        if name == "images" and record.get("id") in wanted:
            images[record["id"]] = record
        elif name == "annotations" and record.get("id") in ids:
            box = four_numbers(record.get("bbox") or ())
            if box is not None:
                boxes[record["id"]] = box
    return images, boxes


def _targets(ref: Mapping[str, Any]) -> list[Any]:
    """Ids of the annotations that a ref means; [] for no target."""
    given = ref.get("ann_id")
    ids = given if isinstance(given, list | tuple) else [given]
    if ref.get("no_target"):
        return []
    return [each if is_id(each) else None for each in ids if each != NO_TARGET]


def _texts(ref: Mapping[str, Any]) -> list[str]:
    sentences = ref.get("sentences")
    texts = []
    for each in sentences if isinstance(sentences, list) else ():
        words = (each.get("sent") or each.get("raw")) if isinstance(each, dict) else each
        texts.append(words.strip() if isinstance(words, str) else "")
    return texts


def _phrases(
    ref: Mapping[str, Any],
    boxes: Mapping[Any, list[float]],
    numbers: dict[Any, int],
    tally: Tally,
) -> Iterator[Phrase]:
    targets, texts = _targets(ref), _texts(ref)
    where = f"ref {ref.get('ref_id')}"
    if any(each not in boxes for each in targets):
        tally.drop(LOST, where, len(texts) or 1)
        return
    places = [numbers.setdefault(each, len(numbers)) for each in targets]
    for text in texts:
        if text:
            yield Phrase(text, tuple(places))
        else:
            tally.drop(NO_TEXT, where)
