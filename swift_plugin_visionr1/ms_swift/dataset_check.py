"""Every row of a run's data sets, checked before the first step."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from swift.utils import get_logger, is_local_master

from ..data.box_faults import TOLERANCE
from ..data.image_check import image_faults, require_usable
from ..data.row_census import MOST_NAMES, RowCensus, few_names, kind_of_row
from ..data.row_files import read_file
from ..data.row_tasks import boxes_of, target_of
from ..errors import InputError, SolutionError
from ..geometry.frames import Size
from ..geometry.resize import Resize
from .run_context import RunContext

RESIZING = ("max_pixels", "min_pixels", "resized_width", "resized_height")
READ = {"solution", "task", "width", "height", "images", "chat_template_kwargs"}
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
        census = RowCensus(run.other_rewards)
        clipped = check_dataset(dataset, name, run.scorer.io.resize, run.sources, census)
        logger.info(
            f"Vision-R1: checked the annotations of {len(dataset)} rows in {name}: "
            f"{census.describe()}"
        )
        _name_means(run, dataset, name)
        if clipped:
            logger.info(
                f"Vision-R1: {clipped} boxes in {name} left their image by up to {TOLERANCE:g} "
                "pixels: they are clipped to it, and answers are scored against the clipped boxes"
            )


def _name_means(run: RunContext, dataset: Any, name: str) -> None:
    """Leave out means by the values of a column that has too many of them."""
    columns = [column for column in run.scorer.named_by if column in dataset.column_names]
    few = few_names({column: dataset[column] for column in columns})
    many = [column for column in columns if column not in few]
    run.scorer.named_by = tuple(one for one in run.scorer.named_by if one not in many)
    for column in many:
        logger.info(
            f"Vision-R1: {name} has more than {MOST_NAMES} values of the column {column}, so no "
            "metrics are logged for each of them"
        )


def check_dataset(
    dataset: Any,
    name: str,
    resize: Resize,
    sources: Sequence[Path] = (),
    census: RowCensus | None = None,
) -> int:
    """Check every row of a `datasets.Dataset`, which was loaded from `sources`; returns how many
    boxes are clipped to their image.

    Args:
        census: counts what the rows ask for; without it, all of them have to have annotations.

    Raises:
        SolutionError: as `check_datasets`.
    """
    columns = set(dataset.column_names)
    if not columns & {"solution", "task"}:
        raise SolutionError(
            f'expected a column "solution" in {name}, got {", ".join(sorted(columns))}'
        )
    census = census or RowCensus(())
    sizes: dict[int, Size | None] = {}
    clipped = 0
    for index, row in enumerate(dataset.select_columns(sorted(columns & READ))):
        try:
            target = target_of(row, mixed=True)
            census.add(index, kind_of_row(row, target))
            truth = boxes_of(target)
            if truth is not None:
                resize.view(truth.size)
                _check_row(row)
        except ValueError as error:
            raise SolutionError(f"{_place(row, index, name, sources)}: {error}") from None
        if truth is not None or row.get("images"):
            sizes[index] = truth.size if truth else None
        clipped += truth.clipped if truth else 0
    census.require_judged(
        name,
        lambda index: _place(dataset[index], index, name, sources),
        lambda index: dict(dataset[index]),
    )
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


def _check_images(
    dataset: Any, sizes: Mapping[int, Size | None], name: str, sources: Sequence[Path]
) -> None:
    """Look at the header of every row's image; `sizes` are what the rows with boxes say.

    Raises:
        SolutionError: some cannot be used.
    """
    if not sizes:
        return
    indices = list(sizes)

    def place(number: int) -> str:
        index = indices[number]
        return _place(dataset[index], index, name, sources)

    images = (row["images"][0] for row in dataset.select_columns(["images"]).select(indices))
    for warning in require_usable(image_faults(images, list(sizes.values())), len(sizes), place):
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
    solution = row.get("solution")
    if written.get("solution") != solution:
        return False
    if solution is None and "messages" in row and written.get("messages") != row["messages"]:
        return False
    return _names(written.get("images")) == _names(row.get("images"))


def _names(images: Any) -> list[str]:
    """The file names of a row's images, which ms-swift turns into mappings."""
    listed = images if isinstance(images, list) else [images] if images else []
    paths = [image.get("path") if isinstance(image, Mapping) else image for image in listed]
    return [Path(str(path)).name for path in paths]
