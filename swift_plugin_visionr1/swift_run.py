"""What a reward can learn about the ms-swift run that it is built in, and the checks made before the first step."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from swift.utils import get_logger

from .ground_truth import GroundTruth, SolutionError, read_solution

IMAGES_OPENED = 100  # image headers compared with their row before training; all of them could take minutes

logger = get_logger()


def callers() -> Iterator[Any]:
    """The `self` of each method that is running, innermost first."""
    frame = sys._getframe(1)
    while frame is not None:
        if "self" in frame.f_locals:
            yield frame.f_locals["self"]
        frame = frame.f_back  # type: ignore[assignment]


def building_trainer(args: Any) -> Any | None:
    """The trainer that is constructing a reward with `args`, else None.

    ms-swift hands a reward nothing but the training arguments, and these know neither the data set nor the
    template's max_pixels. The trainer that knows both is the caller.
    """
    if args is None:
        return None
    return next((c for c in callers() if getattr(c, "args", None) is args and hasattr(c, "train_dataset")), None)


def check_datasets(trainer: Any) -> None:
    """Check every row of the trainer's data sets, once per trainer.

    Raises:
        SolutionError: a row's annotations cannot be used; names the row in its file where that is known.
    """
    if getattr(trainer, "vision_r1_checked", False):
        return
    trainer.vision_r1_checked = True
    for name in ("train_dataset", "eval_dataset"):
        dataset = getattr(trainer, name, None)
        if dataset is None:
            continue
        if not hasattr(dataset, "__len__"):
            logger.info(f"Vision-R1: {name} is streamed, so its rows are checked as they come")
            continue
        _check_dataset(dataset, name)
        logger.info(f"Vision-R1: checked the annotations of {len(dataset)} rows in {name}")


def _check_dataset(dataset: Any, name: str) -> None:
    columns = set(dataset.column_names)
    if "solution" not in columns:
        raise SolutionError(f'expected a column "solution" in {name}, got {", ".join(sorted(columns))}')
    wanted = [column for column in ("solution", "width", "height") if column in columns]
    for index, row in enumerate(dataset.select_columns(wanted)):
        try:
            truth = read_solution(row["solution"], row.get("width"), row.get("height"))
        except SolutionError as error:
            raise SolutionError(f"{_place(dataset[index], index, name)}: {error}") from None
        if index < IMAGES_OPENED:
            _check_image_size(dataset[index], truth, index, name)


def _check_image_size(row: dict[str, Any], truth: GroundTruth, index: int, name: str) -> None:
    images = row.get("images") or []
    image = images[0] if images else None
    path = image.get("path") if isinstance(image, dict) else image
    if not isinstance(path, str) or not Path(path).is_file():
        return  # an URL, bytes or a missing file: ms-swift's loader has the last word on those
    with Image.open(path) as opened:
        size = opened.size
    if size != truth.size:
        raise SolutionError(
            f"{_place(row, index, name)}: expected the solution's width and height to be those of the image file, "
            f"{size[0]} x {size[1]}, got {truth.size[0]} x {truth.size[1]}: boxes belong to the original image"
        )


def _place(row: dict[str, Any], index: int, name: str) -> str:
    """Where the row stands in its file: ms-swift shuffles, so its place in the data set says little."""
    for path in _dataset_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if _same_row(line, row):
                return f"row {number} of {path}"
    return f"row {index + 1} of {name} as loaded"


def _dataset_files() -> Iterable[Path]:
    for caller in callers():
        names = getattr(getattr(caller, "args", None), "dataset", None)
        if isinstance(names, list):
            paths = [Path(str(name).split("#")[0]) for name in names]
            return [path for path in paths if path.suffix == ".jsonl" and path.is_file()]
    return []


def _same_row(line: str, row: dict[str, Any]) -> bool:
    try:
        data = json.loads(line)
    except ValueError:
        return False
    if not isinstance(data, dict) or data.get("solution") != row["solution"]:
        return False
    images = [image.get("path") if isinstance(image, dict) else image for image in row.get("images") or []]
    own = data.get("images") or []
    own = own if isinstance(own, list) else [own]
    return [Path(str(a)).name for a in own] == [Path(str(b)).name for b in images]
