"""Visual Genome's objects and regions.

Its objects are not exhaustive, have several names, and the same thing is often boxed several times:
those of one name that overlap by more than `SAME` are one. So by default only the things that are
alone of their name in an image are asked for, one at a time; `--task detection` asks for all, as
Griffon does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...data.json_stream import TOP, stream_json
from ...errors import InputError
from ...geometry.boxes import as_boxes, iou
from ..sample import Phrase, Request, Sample, Source, is_id
from ..tally import Tally
from .coco import image_size
from .files_of import BAD_BOX, NO_LABEL
from .shapes import four_numbers

SAME = 0.7  # overlap of two boxes of one name that are one thing
AGAIN = "objects that were boxed several times"
LISTS = ("objects", "regions", "bounding_boxes")
NO_ID = "records without an image_id"
FOLDERS = ("VG_100K", "VG_100K_2", "images", "images2")


class _Image(NamedTuple):
    size: tuple[int, int] | None
    name: str
    same_as: str = ""  # of the same picture in COCO


def _list_of(path: Path) -> str | None:
    """Which of `LISTS` the records of a file have."""
    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        for count, (name, record) in enumerate(stream_json(path)):
            if name != TOP or not isinstance(record, dict) or count == 5:
                return None
            key = next((key for key in LISTS if isinstance(record.get(key), list)), None)
            if key and bool({"image_id", "id"} & set(record)):
                return key
    except InputError:
        return None
    return None


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.glob("*.json")) if path.is_dir() else []
    return [file for file in files if _list_of(file)]


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return bool(_files(path))


def open_visual_genome(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    path = request.path
    folder = path if path.is_dir() else path.parent
    files = _files(path)
    of_objects = all(_list_of(file) != "regions" for file in files)
    described = next(iter(sorted(folder.glob("image_data*.json"))), None)
    aliases = next(iter(sorted(folder.glob("object_alias*.txt"))), None)
    near = [folder / name for name in FOLDERS] + [folder]
    reader = _VisualGenomeReader(files, described, _aliases(aliases))
    return Source(
        name=path.stem,
        format="visual_genome",
        files=tuple(each for each in (*files, described, aliases) if each),
        images=request.folders(*near),
        categories=(),
        exhaustive=False,
        tasks=("referring", "detection", "grounding") if of_objects else ("referring",),
        read=reader.samples,
        layout="xywh",
        groups=of_objects,
    )


def _aliases(file: Path | None) -> dict[str, str]:
    """A name -> the first of its synonyms."""
    names: dict[str, str] = {}
    for line in file.read_text("utf-8", "replace").splitlines() if file else ():
        words = [word.strip() for word in line.split(",") if word.strip()]
        for word in words:
            names.setdefault(word, words[0])
    return names


class _VisualGenomeReader:
    """Makes the samples of the files."""

    def __init__(
        self, files: list[Path], described: Path | None, aliases: Mapping[str, str]
    ) -> None:
        self.files, self.described, self.aliases = files, described, aliases

    def samples(self, tally: Tally) -> Iterator[Sample]:
        images = self._images()
        for file in self.files:
            for _, record in stream_json(file):
                number = _id_of(record)
                if number is None:
                    tally.drop(NO_ID, file.name)
                    continue
                image = images.get(number) or _Image(None, _name_of(record, number))
                key = next((key for key in LISTS if isinstance(record.get(key), list)), None)
                if key == "regions":
                    yield self._regions(number, image, record["regions"], tally)
                elif key:
                    yield self._objects(number, image, _objects(record, key), tally)

    def _images(self) -> dict[Any, _Image]:
        images: dict[Any, _Image] = {}
        for _, record in stream_json(self.described) if self.described else ():
            number = _id_of(record)
            if number is not None:
                coco = record.get("coco_id")
                same = f"coco:{coco}" if coco is not None else ""
                images[number] = _Image(image_size(record), _name_of(record, number), same)
        return images

    def _regions(self, number: Any, image: _Image, records: list[Any], tally: Tally) -> Sample:
        boxes: list[list[float]] = []
        phrases: list[Phrase] = []
        for record in records:
            text = str(record.get("phrase") or "").strip() if isinstance(record, dict) else ""
            box = _box(record, "width", "height")
            if not text or box is None:
                tally.drop(NO_LABEL if box else BAD_BOX, f"image {number}")
                continue
            phrases.append(Phrase(text, (len(boxes),)))
            boxes.append(box)
        return Sample(
            number,
            image.name,
            image.size,
            as_boxes(boxes),
            phrases=tuple(phrases),
            same_as=image.same_as,
        )

    def _objects(self, number: Any, image: _Image, records: list[Any], tally: Tally) -> Sample:
        boxes: list[list[float]] = []
        labels: list[str] = []
        called: Counter[str] = Counter()
        for record in records:
            names = self._called(record)
            name = names[0] if names else ""
            box = _box(record, "w", "h")
            if box is None:
                called.update(names)  # it may be another of that name
            if not name or box is None:
                tally.drop(NO_LABEL if box else BAD_BOX, f"image {number}")
                continue
            same = [each for each, label in zip(boxes, labels, strict=True) if label == name]
            is_sound = box[0] < box[2] and box[1] < box[3]
            if same and is_sound and iou(as_boxes([box]), as_boxes(same)).max() > SAME:
                tally.drop(AGAIN, f"{name} in image {number}")
                continue
            boxes.append(box)
            labels.append(name)
            called.update(dict.fromkeys(names, 1))
        alone = [i for i, label in enumerate(labels) if called[label] == 1]
        return Sample(
            number,
            image.name,
            image.size,
            as_boxes(boxes),
            tuple(labels),
            tuple(Phrase(labels[i], (i,)) for i in alone),
            same_as=image.same_as,
        )

    def _called(self, record: Any) -> list[str]:
        """All names of an object; the first is its label."""
        names = record.get("names") or record.get("name") if isinstance(record, dict) else None
        texts = [
            name.strip() if isinstance(name, str) else ""
            for name in (names if isinstance(names, list) else [names])
        ]
        return list(dict.fromkeys(self.aliases.get(text, text) for text in texts))


def _objects(record: dict[str, Any], key: str) -> list[Any]:
    """The objects; those of the old API's dump lie one level deeper."""
    if key == "objects":
        return list(record["objects"])
    return [
        {**box, "names": [each.get("name") for each in box.get("boxed_objects") or ()]}
        for box in record[key]
        if isinstance(box, dict)
    ]


def _id_of(record: Any) -> Any:
    number = record.get("image_id", record.get("id")) if isinstance(record, dict) else None
    return number if is_id(number) else None


def _name_of(record: Mapping[str, Any], number: Any) -> str:
    """The end of the address, with its folder VG_100K or VG_100K_2."""
    url = record.get("url") or record.get("image_url")
    return "/".join(str(url).split("/")[-2:]) if url else f"{number}.jpg"


def _box(record: Any, across: str, down: str) -> list[float] | None:
    if not isinstance(record, dict):
        return None
    other = {"w": "width", "h": "height", "width": "w", "height": "h"}
    sides = [record.get(side, record.get(other[side])) for side in (across, down)]
    box = four_numbers([record.get("x"), record.get("y"), *sides])
    return box and [box[0], box[1], box[0] + box[2], box[1] + box[3]]
