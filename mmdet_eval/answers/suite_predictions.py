"""Reads the predictions for one or several data sets: one file each, or one file with the rows of
all."""

import os.path
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePath

from swift_plugin_visionr1.data.image_paths import find_image
from swift_plugin_visionr1.errors import InputError

from ..coco.annotations import Annotations
from ..coco.detections import to_detections
from ..suites.spec import DatasetSpec
from .coco_results import Converted, converted_boxes
from .join import Missing
from .query_table import image_path, some
from .readers import read_predictions
from .rows import AnswerRow

Dataset = tuple[DatasetSpec, Annotations]
Predictions = list[AnswerRow] | Converted
KINDS = (".jsonl", ".json", ".pkl")  # endings of prediction files in a folder


def read_all(
    path: Path, datasets: Sequence[Dataset], missing: Missing = "error"
) -> dict[str, Predictions]:
    """The predictions by data set name.

    Args:
        path: a file with all data sets, or a folder with one file per data set, named after it.
        datasets: at least one.
        missing: whether a data set or an image without predictions is an error. Otherwise it counts
            as empty, unless there are no predictions at all.

    Raises:
        InputError: something cannot be read, belongs to no data set, or is missing.
    """
    by_name = (
        _from_folder(path, datasets, missing)
        if path.is_dir()
        else _from_file(path, datasets, missing)
    )
    without = [spec.name for spec, _ in datasets if spec.name not in by_name]
    if without and (missing == "error" or not by_name):
        raise InputError(
            f"expected predictions about {len(datasets)} data sets in {path}, got none about "
            f"{some(without)}: infer them too, name each file in a folder after its data set, or "
            "count data sets as having no detections with --allow-missing"
        )
    boxes = any(isinstance(one, Converted) for one in by_name.values())
    return by_name | {
        spec.name: converted_boxes(to_detections(annotations, []), 0) if boxes else []
        for spec, annotations in datasets
        if spec.name not in by_name
    }


def _from_folder(
    path: Path, datasets: Sequence[Dataset], missing: Missing
) -> dict[str, Predictions]:
    by_name: dict[str, Predictions] = {}
    for spec, annotations in datasets:
        files = [file for kind in KINDS if (file := path / f"{spec.name}{kind}").is_file()]
        if len(files) > 1:
            raise InputError(
                f"expected one prediction file of {spec.name}, got {some(files)}: move the others "
                "away"
            )
        if files:
            by_name[spec.name] = read_predictions(files[0], annotations, missing)
    return by_name


def _from_file(path: Path, datasets: Sequence[Dataset], missing: Missing) -> dict[str, Predictions]:
    spec, annotations = datasets[0]
    read = read_predictions(path, annotations, missing)
    if len(datasets) == 1:
        return {spec.name: read}
    if isinstance(read, Converted):
        raise InputError(
            f"expected a folder with one file of boxes per data set, got the file {path}"
        )
    return {name: rows for name, rows in by_dataset(read, datasets).items() if rows}


def by_dataset(
    rows: Sequence[AnswerRow], datasets: Sequence[Dataset]
) -> dict[str, list[AnswerRow]]:
    """The rows by data set name: found by their "dataset" column, else by the path of their image.

    Raises:
        InputError: a row belongs to no data set, or to several.
    """

    @cache
    def resolved(folder: str) -> str:
        return os.path.realpath(folder)

    def place(
        path: PurePath,
    ) -> tuple[str, str]:  # prompts hold the resolved path of the image folder
        return resolved(str(path.parent)), path.name

    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for spec, annotations in datasets:
        for image in annotations.images:
            path = find_image(spec.images, image.file_name) or spec.images / image.file_name
            owners[place(path)].add(spec.name)
    shared: dict[str, list[AnswerRow]] = {spec.name: [] for spec, _ in datasets}
    for row in rows:
        named = row.columns.get("dataset")
        if named is None:
            names = owners.get(place(image_path(row)), set())
        else:
            names = {str(named)} & set(shared)
        if len(names) != 1:
            raise InputError(_of_no_dataset(row, names, list(shared)))
        shared[next(iter(names))].append(row)
    return shared


def _of_no_dataset(row: AnswerRow, names: set[str], known: list[str]) -> str:
    """That a row belongs to no data set, or to several `names`."""
    named = row.columns.get("dataset")
    came = f"the image {image_path(row)}" if named is None else f"the dataset {named!r}"
    came += f", which is in {some(sorted(names), 40)}" if names else ""
    return (
        f"line {row.line}: expected an answer about one of the data sets {some(known, 40)}, got "
        f'{came}: check --root, keep the column "dataset" of the prompts, let `mmdet-eval run` '
        "ask, or give --pred a folder with one file per data set, named after it"
    )
