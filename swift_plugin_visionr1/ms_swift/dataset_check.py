"""Every row of a run's data sets, checked before the first step."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from swift.utils import get_logger, is_local_master

from ..data.box_faults import TOLERANCE
from ..data.ground_truth import read_solution
from ..data.image_check import image_faults, require_usable
from ..data.row_files import read_file
from ..errors import InputError, SolutionError
from ..geometry.frames import Size
from ..geometry.resize import Resize
from .run_context import RunContext

RESIZING = ("max_pixels", "min_pixels", "resized_width", "resized_height")
ROW_FILES = (".jsonl", ".json", ".csv", ".parquet")

logger = get_logger()


def check_datasets(run: RunContext, data: Mapping[str, Any]) -> None:
    """Check every row of a run's data sets, by their names.

    Raises:
        SolutionError: a row's annotations or images cannot be used; names the row in its file if
            that is known.
    """
    for name, dataset in data.items():
        if dataset is None:
            continue
        if not hasattr(dataset, "__len__"):
            logger.info(f"Vision-R1: {name} is streamed, so its rows are checked as they come")
            continue
        clipped = check_dataset(dataset, name, run.scorer.io.resize, run.sources)
        logger.info(f"Vision-R1: checked the annotations of {len(dataset)} rows in {name}")
        if clipped:
            logger.info(
                f"Vision-R1: {clipped} boxes in {name} left their image by up to {TOLERANCE:g} "
                "pixels: they are clipped to it, and answers are scored against the clipped boxes"
            )


def check_dataset(dataset: Any, name: str, resize: Resize, sources: Sequence[Path] = ()) -> int:
    """Check every row of a `datasets.Dataset`, which was loaded from `sources`; returns how many
    boxes are clipped to their image.

    Raises:
        SolutionError: as `check_datasets`.
    """
    columns = set(dataset.column_names)
    if "solution" not in columns:
        raise SolutionError(
            f'expected a column "solution" in {name}, got {", ".join(sorted(columns))}'
        )
    wanted = columns & {"solution", "width", "height", "images", "chat_template_kwargs"}
    sizes, clipped = [], 0
    for index, row in enumerate(dataset.select_columns(sorted(wanted))):
        try:
            truth = read_solution(row["solution"], row.get("width"), row.get("height"))
            resize.view(truth.size)
            _check_row(row)
        except ValueError as error:
            raise SolutionError(f"{_place(row, index, name, sources)}: {error}") from None
        sizes.append(truth.size)
        clipped += truth.clipped
    if is_local_master():  # the other processes of this machine need not read the same files
        _check_images(dataset, sizes, name, sources)
    return clipped


def _check_row(row: dict[str, Any]) -> None:
    limits = {
        key: value
        for key, value in (row.get("chat_template_kwargs") or {}).items()
        if key in RESIZING and value
    }
    if limits:
        raise SolutionError(
            "expected one limit of image sizes for the whole run (MAX_PIXELS), got this row's "
            f"{limits}"
        )
    if not row.get("images"):
        raise SolutionError('expected an image in "images", got none')


def _check_images(dataset: Any, sizes: Sequence[Size], name: str, sources: Sequence[Path]) -> None:
    """Look at the header of every image; `sizes` are what the rows say.

    Raises:
        SolutionError: some cannot be used.
    """

    def place(index: int) -> str:
        return _place(dataset[index], index, name, sources)

    images = (row["images"][0] for row in dataset.select_columns(["images"]))
    for warning in require_usable(image_faults(images, sizes), len(sizes), place):
        logger.warning(f"Vision-R1: {name}: {warning}")


def _place(row: dict[str, Any], index: int, name: str, sources: Sequence[Path]) -> str:
    """Where the row stands in its file: ms-swift shuffles, so its place in the data set says
    little."""
    for path in sources:
        for number, written in _rows(path):
            if _same_row(written, row):
                return f"row {number} of {path}"
    return f"row {index + 1} of {name} as loaded"


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if path.suffix not in ROW_FILES:
        return
    try:
        for number, row in read_file(path):
            if isinstance(row, Mapping):
                yield number, row
    except InputError:  # ms-swift has read it, so there is nothing to complain about
        return


def _same_row(written: Mapping[str, Any], row: dict[str, Any]) -> bool:
    if written.get("solution") != row["solution"]:
        return False
    return _names(written.get("images")) == _names(row.get("images"))


def _names(images: Any) -> list[str]:
    """The file names of a row's images, which ms-swift turns into mappings."""
    listed = images if isinstance(images, list) else [images] if images else []
    paths = [image.get("path") if isinstance(image, Mapping) else image for image in listed]
    return [Path(str(path)).name for path in paths]
