"""Rows that ms-swift would leave out of a data set or could not ask, named before training.

ms-swift drops a row that it cannot read, and says so in the middle of its log at most. If no row
has messages, it takes the solution for an answer without a question and ends in an IndexError.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset

from ..data.dataset_files import MESSAGES
from ..data.message_faults import why_unreadable
from ..data.row_files import read_file
from ..errors import InputError
from ..text import short

NUMBER = "vision_r1_row"  # a column for the place of each row; it does not leave ms-swift's loading
NAMED = 5  # rows with their reasons; more are counted
ROW_FILES = (".jsonl", ".json", ".csv", ".parquet")


class EveryRow:
    """One of ms-swift's preprocessors, with an error if it leaves rows out.

    Args:
        preprocessor: ms-swift's.
        source: the local file or folder.
    """

    def __init__(self, preprocessor: Any, source: Path) -> None:
        self.preprocessor, self.source = preprocessor, source

    def __call__(self, dataset: Any, **kwargs: Any) -> Any:
        """The rows as ms-swift makes them; a stream is not counted.

        Raises:
            InputError: names rows that ms-swift leaves out, with the reasons.
        """
        if not isinstance(dataset, Dataset):
            return self.preprocessor(dataset, **kwargs)
        numbered = dataset.add_column(NUMBER, list(range(len(dataset))))
        loaded = self.preprocessor(numbered, **kwargs)
        kept = set(_asked(loaded)) if NUMBER in loaded.column_names else set()
        dropped = [index for index in range(len(dataset)) if index not in kept]
        if dropped:
            raise InputError(self._message(dataset, dropped))
        return loaded.remove_columns(NUMBER) if NUMBER in loaded.column_names else loaded

    def _message(self, dataset: Dataset, dropped: list[int]) -> str:
        with_messages = set(MESSAGES) & set(dataset.column_names) or len(dropped) == len(dataset)
        named = [
            f"row {number}: "
            f"{(with_messages and why_unreadable(row)) or self._ms_swifts_reason(row)}"
            for number, row in self._rows(dataset, dropped[:NAMED])
        ]
        more = f"; and {len(dropped) - NAMED} more" if len(dropped) > NAMED else ""
        return (
            f"expected a question in each of the {len(dataset)} rows of {self.source}, but "
            f"ms-swift would leave out {len(dropped)}: {'; '.join(named)}{more}. Mend them or "
            "take them out"
        )

    def _rows(self, dataset: Dataset, indices: list[int]) -> list[tuple[int, Mapping[str, Any]]]:
        """The rows with their numbers in the file, where empty lines count too."""
        if self.source.suffix in ROW_FILES and self.source.is_file():
            numbered = enumerate(read_file(self.source))
            rows = [pair for place, pair in numbered if place in indices]
            return [(number, row) for number, row in rows if isinstance(row, Mapping)]
        return [(index + 1, dataset[index]) for index in indices]

    def _ms_swifts_reason(self, row: Mapping[str, Any]) -> str:
        batch = {name: [value] for name, value in row.items()}
        try:
            self.preprocessor.batched_preprocess(batch, strict=True, ignore_max_length_error=False)
        except Exception as error:  # whatever made ms-swift drop the row
            return f"ms-swift says {type(error).__name__}: {short(str(error))}"
        return "ms-swift cannot use it"


def _asked(loaded: Dataset) -> list[int]:
    """The numbers of the loaded rows that ask something."""
    rows = zip(loaded[NUMBER], loaded["messages"], strict=True)
    return [
        number
        for number, messages in rows
        if any(message["role"] == "user" for message in messages or ())
    ]
