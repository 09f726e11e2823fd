"""Large JSON files, record by record: memory holds one block of the file, however long its lists.

msgspec decodes the records of a block together. Python's own scanner reads what msgspec refuses,
such as NaN, which some tools write. ijson takes a pass for each list of a file, and refuses NaN.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

import msgspec

from ..errors import InputError
from ..files import json_error, raise_unless_utf8, reason_of
from ..progress import file_progress

BLOCK = 1 << 20  # characters that are read at a time
TOP = ""  # the name of the list that is the whole file
NO_FORMS: Mapping[str, type[msgspec.Struct]] = MappingProxyType({})
HEAD = re.compile(r'\{\s*"[^"\\]*"\s*:')  # the beginning of a record, with its first name


def stream_json(path: Path) -> Iterator[tuple[str, Any]]:
    """The members of a JSON file, without holding a list of it in memory; progress is shown.

    Yields:
        (name, record) for each entry of a list that is a member of the file's object; (name, value)
        for its other members; ("", record) where the file is a list.

    Raises:
        InputError: it cannot be read, or is not a JSON object or list.
    """
    for name, records in stream_blocks(path):
        for record in records:
            yield name, record


def stream_blocks(
    path: Path, forms: Mapping[str, type[msgspec.Struct]] = NO_FORMS
) -> Iterator[tuple[str, list[Any]]]:
    """The same, many records at a time.

    Args:
        path: the file.
        forms: list -> what its records become, if all of a block fit; else they are dicts. That is
            several times as fast.
    """
    try:
        with path.open("rb") as raw:
            raise_unless_utf8(raw.read(4), path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _Stream(file, path, forms).members()
    except OSError as error:
        raise InputError(f"expected a file at {path}, got: {reason_of(error)}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"expected text in UTF-8 in {path}, got {error.reason}") from None


DICTS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[Any])


class _Stream:
    def __init__(self, file: TextIO, path: Path, forms: Mapping[str, type[msgspec.Struct]]) -> None:
        self.file, self.path = file, path
        self.decoders: dict[str, list[msgspec.json.Decoder[list[Any]]]] = {
            name: [msgspec.json.Decoder(list[form]), DICTS]  # type: ignore[valid-type]
            for name, form in forms.items()
        }
        self.progress = file_progress(path, sys.stderr)
        self.text, self.place, self.ended = "", 0, False
        self.is_new = False  # whether the block has not been tried as a whole
        self.scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]

    def members(self) -> Iterator[tuple[str, list[Any]]]:
        first = self.peek()
        if first == "[":
            yield from self.entries(TOP)
        elif first == "{":
            yield from self.fields()
        else:
            raise self.fault("a JSON object or list")
        if self.peek():
            raise self.fault("nothing after the end")
        self.progress.close()

    def fields(self) -> Iterator[tuple[str, list[Any]]]:
        self.place += 1
        while self.peek() != "}":
            name = self.value()
            self.take(":")
            if self.peek() == "[":
                yield from self.entries(name)
            else:
                yield name, [self.value()]
            if self.peek() != "}":
                self.take(",")
        self.place += 1

    def entries(self, name: str) -> Iterator[tuple[str, list[Any]]]:
        self.place += 1
        decoders = self.decoders.get(name, [DICTS])
        while self.peek() != "]":
            yield name, self.records(decoders) or [self.value()]
            if self.peek() != "]":
                self.take(",")
                if self.peek() == "]":
                    raise self.fault("a record after the comma")
        self.place += 1

    def records(self, decoders: Sequence[msgspec.json.Decoder[list[Any]]]) -> list[Any]:
        """The objects of a list that are whole in this block, without the last; [] if they cannot
        be told apart. Where one ends is guessed, and it is right if all before it is JSON."""
        head = HEAD.match(self.text, self.place) if self.is_new else None
        last = self.text.rfind(head[0], self.place) if head else self.place
        end = self.text.rfind(",", self.place, last)
        if end < 0 or self.text[end + 1 : last].strip():
            return []
        self.is_new = False
        text = f"[{self.text[self.place : end]}]"
        for decoder in decoders:
            with suppress(msgspec.DecodeError):
                records = decoder.decode(text)
                self.place = end
                return records
        return []

    def value(self) -> Any:
        """The next value; more of the file is read until it is whole."""
        self.peek()
        while True:
            try:
                value, end = self.scan(self.text, self.place)
                if end < len(self.text) or self.ended:  # a number may go on in the next block
                    self.place = end
                    return value
            except (StopIteration, ValueError) as error:
                if self.ended:
                    raise self.fault("JSON", error) from None
            except RecursionError as error:
                raise self.fault("JSON", error) from None
            self.more(max(BLOCK, len(self.text) - self.place))

    def peek(self) -> str:
        """The next character that is not a space; "" at the end."""
        while True:
            text, place = self.text, self.place
            while place < len(text):
                if text[place] not in " \t\r\n":
                    self.place = place
                    return text[place]
                place += 1
            self.place = place
            if self.ended:
                return ""
            self.more(BLOCK)

    def take(self, sign: str) -> None:
        if self.peek() != sign:
            raise self.fault(f"{sign!r}")
        self.place += 1

    def more(self, count: int) -> None:
        block = self.file.read(count)
        self.progress.show(self.file.buffer.tell() >> 20)
        self.ended = not block
        self.text, self.place, self.is_new = self.text[self.place :] + block, 0, True

    def fault(self, expected: str, error: Exception | None = None) -> InputError:
        near = self.text[self.place : self.place + 40]
        if error is not None and not isinstance(error, (json.JSONDecodeError, StopIteration)):
            near = json_error(error)
        came = "the end of the file: is it cut off?" if self.ended and not near else repr(near)
        return InputError(f"expected {expected} in {self.path}, got {came}")
