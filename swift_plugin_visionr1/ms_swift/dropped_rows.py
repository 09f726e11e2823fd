"""Rows that ms-swift would leave out of a data set or could not ask, named before training.

ms-swift drops a row that it cannot read, and says so in the middle of its log at most. Where no row
has messages it takes the solution for an answer without a question, which ends in an IndexError.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset

from ..data.row_files import read_file
from ..errors import InputError
from ..text import listed, short

NUMBER = "vision_r1_row"  # a column for the place of each row; it does not leave ms-swift's loading
NAMED = 5  # rows with their reasons; more are counted
MESSAGES = ("messages", "conversations", "conversation")
ROLES = ("system", "user", "assistant", "tool", "tool_call", "tool_response")
ROW_FILES = (".jsonl", ".json", ".csv", ".parquet")


class EveryRow:
    """One of ms-swift's preprocessors, with an error where it leaves rows out.

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
        """The rows with their numbers: those of the file, where empty lines count, too."""
        if self.source.suffix in ROW_FILES and self.source.is_file():
            rows = [own for place, own in enumerate(read_file(self.source)) if place in indices]
            return [(number, row) for number, row in rows if isinstance(row, Mapping)]
        return [(index + 1, dataset[index]) for index in indices]

    def _ms_swifts_reason(self, row: Mapping[str, Any]) -> str:
        batch = {name: [value] for name, value in row.items()}
        try:
            self.preprocessor.batched_preprocess(batch, strict=True, ignore_max_length_error=False)
        except Exception as error:  # whatever made ms-swift drop the row
            return f"ms-swift says {type(error).__name__}: {short(str(error))}"
        return "ms-swift makes nothing of it"


def _asked(loaded: Dataset) -> list[int]:
    """The numbers of the loaded rows that ask something."""
    rows = zip(loaded[NUMBER], loaded["messages"], strict=True)
    return [
        number
        for number, messages in rows
        if any(message["role"] == "user" for message in messages or ())
    ]


def why_unreadable(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row's messages; None where they look right.

    >>> why_unreadable({"mesages": [{"role": "user", "content": "Where?"}], "images": ["a.png"]})
    'it has no "messages"; it has "mesages"'
    """
    given = {name: value for name, value in row.items() if value is not None}
    name = next((name for name in MESSAGES if name in given), None)
    if name is None:
        near = difflib.get_close_matches("messages", map(str, given), n=1, cutoff=0.8)
        there = f'"{near[0]}"' if near else f"only {listed(given) or 'empty values'}"
        return f'it has no "messages"; it has {there}'
    messages = given[name]
    if isinstance(messages, list) and not messages:
        return f'its "{name}" are empty'
    if name != "messages" or not isinstance(messages, list):
        return None
    return _bad_message(messages)


def _bad_message(messages: list[Any]) -> str | None:
    for place, message in enumerate(messages, start=1):
        if not isinstance(message, Mapping):
            return f"message {place} is not an object but a {type(message).__name__}"
        if "role" in message and message["role"] not in ROLES:
            role = short(message["role"])
            return f"message {place} has the role {role}, not one of {', '.join(ROLES)}"
        if "role" in message and message.get("content") is None:
            return f'message {place} has no "content"; it has {listed(message)}'
    roles = [message.get("role", "user") for message in messages]
    return None if "user" in roles else f"no message is a user's; there are {listed(roles)}"
