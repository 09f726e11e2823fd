"""Published data sets for `--dataset` in runs with a vision_r1 reward, through ms-swift's
AutoPreprocessor. There, no row that ms-swift reads itself is left out silently either.

ms-swift registers data sets by name and path, but not by their columns. So the one method that
chooses a preprocessor by columns is wrapped. In runs without our reward, and for rows of unknown
form, it chooses as before.
"""

from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Image, Value
from swift.dataset.preprocessor.core import AutoPreprocessor, MessagesPreprocessor
from swift.utils import get_logger

from ..data.images import image_size
from ..data.message_faults import why_unreadable
from ..data.published import Row, RowForm, form_of
from ..errors import SolutionError
from .dropped_rows import NUMBER, EveryRow
from .run_context import current_loading

logger = get_logger()


class PublishedRows(MessagesPreprocessor):  # type: ignore[misc]
    """Rows of a published form -> our rows -> what ms-swift makes of rows with messages.

    Args:
        form: the form of all rows.
        source: the file or the data set's id, for errors.
    """

    cache_format_version = (
        f"{MessagesPreprocessor.cache_format_version}_vision_r1"  # no cache shared with others
    )

    def __init__(self, form: RowForm, source: str) -> None:
        super().__init__()
        self.columns: dict[
            str, str
        ] = {}  # rows keep their published columns until they are converted
        self.form, self.source = form, source

    def prepare_dataset(self, dataset: Any) -> Any:
        """Number the rows; leave images encoded."""
        dataset = encoded_images(dataset)
        if isinstance(dataset, Dataset):
            return dataset.add_column(NUMBER, list(range(1, len(dataset) + 1)))
        features = Features({**dataset.features, NUMBER: Value("int64")})
        return dataset.map(
            lambda row, index: {NUMBER: index + 1}, with_indices=True, features=features
        )

    def batched_preprocess(self, batched_row: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Convert a batch.

        Raises:
            SolutionError: a row cannot be read; ms-swift would leave it out with a warning.
        """
        batched = dict(batched_row)
        self._remove_prefix_keys(batched, "__@")  # how ms-swift names columns of streams
        rows = [self._converted(row) for row in self.batched_to_rows(batched)]
        return dict(super().batched_preprocess(self.rows_to_batched(rows), **kwargs))

    def _converted(self, row: Row) -> dict[str, Any]:
        columns = {
            name: value for name, value in row.items() if name not in (NUMBER, "__#solution")
        }
        try:
            converted = self.form.convert(columns, image_size)
            if (reason := why_unreadable(converted)) is not None:
                raise SolutionError(reason)
        except SolutionError as error:
            raise SolutionError(
                f"row {row[NUMBER]} of {self.source}, read as {self.form.name}: {error}"
            ) from None
        return converted


def encoded_images(dataset: Any) -> Any:
    """The data set with images as their bytes and paths instead of decoded."""
    for name, feature in (dataset.features or {}).items():
        if isinstance(feature, Image) and feature.decode:
            dataset = dataset.cast_column(name, Image(decode=False))
    return dataset


def published_form(dataset: Any) -> RowForm | None:
    """The form of a data set's rows, judged by its first one; None if ms-swift can read them
    itself."""
    first = next(iter(encoded_images(dataset)), None)
    return None if first is None else form_of(first)


_ms_swifts_choice = AutoPreprocessor._get_preprocessor


def _choose(self: Any, dataset: Any) -> Any:
    loading = current_loading()
    form = published_form(dataset) if loading.has_our_reward else None
    source = loading.source
    if form is None:
        choice = _ms_swifts_choice(self, dataset)
        is_local = loading.has_our_reward and Path(source).exists()
        return EveryRow(choice, Path(source)) if is_local else choice
    logger.info(f"Vision-R1: reading {source} as rows of the form {form.name}")
    return PublishedRows(form, source)


AutoPreprocessor._get_preprocessor = _choose
