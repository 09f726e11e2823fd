"""The rows of one prediction file shared out among the data sets of a suite."""

import os.path
from collections.abc import Sequence

from ..data.annotations import Annotations
from ..data.suites import DatasetSpec
from ..errors import InputError
from .rows import Row
from .slots import image_path, some


def by_dataset(rows: Sequence[Row], datasets: Sequence[tuple[DatasetSpec, Annotations]]) -> dict[str, list[Row]]:
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
