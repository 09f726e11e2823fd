"""The predictions of one or several data sets: a file for each, or one file whose rows are shared out."""

import os.path
from collections.abc import Sequence
from pathlib import Path

from ..data.annotations import Annotations
from ..data.suites import DatasetSpec
from ..errors import InputError
from .coco_results import Converted
from .join import Missing
from .readers import read_predictions
from .rows import Row
from .slots import image_path, some

Dataset = tuple[DatasetSpec, Annotations]
Predictions = list[Row] | Converted
KINDS = (".jsonl", ".json", ".pkl")  # of prediction files, as they are looked for in a folder


def read_all(path: Path, datasets: Sequence[Dataset], missing: Missing = "error") -> dict[str, Predictions]:
    """Data set's name -> its predictions.

    Args:
        path: a file about all data sets, or a folder with a file for each, called by its name.
        datasets: at least one.
        missing: whether a data set or an image without predictions is an error; else such a data set is left out.

    Raises:
        InputError: something cannot be read, belongs to none of the data sets, or is missing.
    """
    found = _from_folder(path, datasets, missing) if path.is_dir() else _from_file(path, datasets, missing)
    without = [spec.name for spec, _ in datasets if spec.name not in found]
    if without and (missing == "error" or not found):
        raise InputError(
            f"expected predictions about {len(datasets)} data sets in {path}, got none about {some(without)}: infer "
            "them too, call each file in a folder by its data set, or leave data sets out with --allow-missing"
        )
    return found


def _from_folder(path: Path, datasets: Sequence[Dataset], missing: Missing) -> dict[str, Predictions]:
    found: dict[str, Predictions] = {}
    for spec, annotations in datasets:
        files = [file for kind in KINDS if (file := path / f"{spec.name}{kind}").is_file()]
        if len(files) > 1:
            raise InputError(f"expected one prediction file of {spec.name}, got {some(files)}: move the others away")
        if files:
            found[spec.name] = read_predictions(files[0], annotations, missing)
    return found


def _from_file(path: Path, datasets: Sequence[Dataset], missing: Missing) -> dict[str, Predictions]:
    spec, annotations = datasets[0]
    read = read_predictions(path, annotations, missing)
    if len(datasets) == 1:
        return {spec.name: read}
    if isinstance(read, Converted):
        raise InputError(f"expected a folder with one file of boxes per data set, got the file {path}")
    return {name: rows for name, rows in by_dataset(read, datasets).items() if rows}


def by_dataset(rows: Sequence[Row], datasets: Sequence[Dataset]) -> dict[str, list[Row]]:
    """Data set's name -> its rows: by their "dataset" column, else by the path of their image.

    Raises:
        InputError: a row belongs to none of the data sets.
    """
    owners = {
        os.path.abspath(spec.images / image.file_name): spec.name
        for spec, annotations in datasets
        for image in annotations.images
    }
    shared: dict[str, list[Row]] = {spec.name: [] for spec, _ in datasets}
    for row in rows:
        named = row.columns.get("dataset")
        name = owners.get(os.path.abspath(image_path(row))) if named is None else str(named)
        if name not in shared:
            came = f"the image {image_path(row)}" if named is None else f"the dataset {named!r}"
            raise InputError(
                f"line {row.line}: expected an answer about one of the data sets {some(list(shared), 40)}, got {came}: "
                "check --root, or give --pred a folder with one file per data set, called by its name"
            )
        shared[name].append(row)
    return shared
