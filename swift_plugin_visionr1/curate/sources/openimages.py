"""Open Images' CSV: XMin, XMax, YMin, YMax in fractions of the upright image.

A class is known to be absent where a person said so (Confidence 0 of the image-level labels), and
unknown where nobody looked. IsGroupOf boxes stand around several objects, so their class is not
exhaustive. Parents of a class are not boxed separately, so they are never absent beside it.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from itertools import groupby
from pathlib import Path
from typing import Any

from ...files import read_json
from ...geometry.boxes import as_boxes
from ...progress import file_progress
from ..sample import Request, Sample, Source
from ..tally import Tally
from .files_of import BAD_BOX
from .shapes import four_numbers
from .splits import split_of

GROUPS = "boxes of groups"
UNKNOWN = "boxes of classes that are not described"
SHOWN_EVERY = 10_000  # rows
COLUMNS = {"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"}
LABEL_COLUMNS = {"ImageID", "LabelName", "Confidence"}


def _header(path: Path) -> set[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return set(next(csv.reader(file), []))


def _tables(path: Path, columns: set[str]) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.rglob("*.csv")) if path.is_dir() else []
    return [file for file in files if file.suffix == ".csv" and columns <= _header(file)]


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return bool(_tables(path, COLUMNS))


def open_openimages(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    path = request.path
    folder = path if path.is_dir() else path.parent
    files = _tables(path, COLUMNS)
    boxed = set(_tables(folder, COLUMNS))
    verified = [file for file in _tables(folder, LABEL_COLUMNS) if file not in boxed]
    if path.is_file():
        verified = [file for file in verified if _split(file) in ("", _split(path))]
    described = sorted(folder.rglob("*class-descriptions*.csv"))
    hierarchies = sorted(folder.rglob("*hierarchy*.json"))
    names = _class_names(described)
    near = [folder, folder / "images", *(p for p in sorted(folder.iterdir()) if p.is_dir())]
    near += [p for p in sorted((folder / "images").glob("*")) if p.is_dir()]
    reader = _OpenImagesReader(files, verified, names)
    return Source(
        name=path.stem,
        format="openimages",
        files=(*files, *verified, *described, *hierarchies),
        images=request.folders(*near),
        categories=tuple(dict.fromkeys(names.values())),
        exhaustive=False,
        tasks=("detection", "grounding", "referring"),
        read=reader.samples,
        upright=True,
        relatives=_relatives(hierarchies, names),
    )


def _class_names(files: list[Path]) -> dict[str, str]:
    """Code such as /m/01g317 -> name; the boxable ones win."""
    names: dict[str, str] = {}
    for file in sorted(files, key=lambda path: "boxable" not in path.name):
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            for row in csv.reader(lines):
                if len(row) >= 2 and row[0].startswith("/"):
                    names.setdefault(row[0], row[1].strip())
    return names


def _relatives(files: list[Path], names: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Name -> names of its ancestors, descendants and parts."""
    related: dict[str, set[str]] = {}

    def visit(node: Any, above: tuple[str, ...]) -> None:
        code = str(node.get("LabelName"))
        name = names.get(code, code)
        for other in above:
            related.setdefault(name, set()).add(other)
            related.setdefault(other, set()).add(name)
        for kind in ("Subcategory", "Part"):
            for child in node.get(kind) or ():
                visit(child, (*above, name))

    for file in files:
        data = read_json(file)
        if isinstance(data, dict):
            visit(data, ())
    return {name: frozenset(others) for name, others in related.items()}


class _OpenImagesReader:
    """Makes the samples of the tables."""

    def __init__(self, files: list[Path], verified: list[Path], names: dict[str, str]) -> None:
        self.files, self.verified, self.names = files, verified, names

    def samples(self, tally: Tally) -> Iterator[Sample]:
        """Rows of an image are contiguous in the published files; where they are not, the image is
        put together first."""
        said, splits = self._verified()
        for file in self.files:
            for image, rows in _grouped(file):
                splits.pop(image, None)
                yield self._sample(image, rows, said.get(image, {}), _split(file), tally)
        for image, split in splits.items():
            split = split or (_split(self.files[0]) if len(self.files) == 1 else "")
            yield self._sample(image, [], said[image], split, tally)

    def _verified(self) -> tuple[dict[str, dict[str, bool]], dict[str, str]]:
        """Image -> class -> whether a person saw it; and image -> its split."""
        said: dict[str, dict[str, bool]] = {}
        splits: dict[str, str] = {}
        for file in self.verified:
            for row in _rows(file):
                name = self.names.get(row["LabelName"])
                sure = {"1": True, "0": False, "1.0": True, "0.0": False}.get(row["Confidence"])
                if name and sure is not None and row.get("Source") != "machine":
                    said.setdefault(row["ImageID"], {})[name] = sure
                    splits.setdefault(row["ImageID"], _split(file))
        return said, splits

    def _sample(
        self,
        image: str,
        rows: list[dict[str, str]],
        said: dict[str, bool],
        split: str,
        tally: Tally,
    ) -> Sample:
        boxes, labels, partly, unsure = [], [], [], []
        for row in rows:
            name = self.names.get(row["LabelName"], "" if self.names else row["LabelName"])
            box = four_numbers([row.get(k) for k in ("XMin", "YMin", "XMax", "YMax")])
            if not name:
                tally.drop(UNKNOWN, f"{row['LabelName']} in {image}")
            elif box is None:
                tally.drop(BAD_BOX, f"{name} in {image}")
                unsure.append(name)
            elif row.get("IsGroupOf") == "1":
                tally.drop(GROUPS, f"{name} in {image}")
                partly.append(name)
            else:
                boxes.append(box)
                labels.append(name)
        there = {*labels, *partly, *unsure}
        partly += [name for name, seen in said.items() if seen and name not in there]
        absent = [name for name, seen in said.items() if not seen and name not in there]
        return Sample(
            id=image,
            image=f"{image}.jpg",
            size=None,
            boxes_xyxy=as_boxes(boxes),
            labels=tuple(labels),
            absent=tuple(absent),
            not_exhaustive=tuple(dict.fromkeys(partly)),
            unsure=tuple(dict.fromkeys(unsure)),
            split=split,
            unit=1.0,
        )


def _split(file: Path) -> str:
    return split_of(file.stem) or split_of(file.parent.name)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    progress = file_progress(file, sys.stderr)
    with file.open("rb") as raw, TextIOWrapper(raw, "utf-8-sig", "replace", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            if not number % SHOWN_EVERY:
                progress.show(raw.tell() >> 20)
            yield {key: value or "" for key, value in row.items() if isinstance(key, str)}
    progress.close()


def _images(file: Path) -> Iterator[str]:
    return (row["ImageID"] for row in _rows(file))


def _grouped(file: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    if _is_contiguous(file):
        for image, rows in groupby(_rows(file), key=lambda row: row["ImageID"]):
            yield image, list(rows)
        return
    together: dict[str, list[dict[str, str]]] = {}
    for row in _rows(file):
        together.setdefault(row["ImageID"], []).append(row)
    yield from together.items()


def _is_contiguous(file: Path) -> bool:
    seen: set[str] = set()
    for image, _ in groupby(_images(file)):
        if image in seen:
            return False
        seen.add(image)
    return True
