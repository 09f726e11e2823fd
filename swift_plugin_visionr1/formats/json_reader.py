"""A tolerant reader of JSON that a model wrote: it reads what is there, says where it stands, and
never raises.

It reads JSON as `json.loads` does, and also Python's repr, tuples, keys without quotes, trailing
and missing commas, quotes inside of strings, brackets that are missing or too many, the full-width
punctuation of Chinese texts, text around and between values, and answers that are cut off: a list,
a text or a number that is cut off is left out, for it may have had more digits. Time and memory are
linear in the length of the text.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from .base import Span

MAX_DEPTH = 50  # brackets nested deeper are not read
MAX_TOKENS = 100_000  # brackets, texts, numbers and words; the rest is not read
BROKEN = object()  # what `decode` returns for a text that is not JSON

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
# What follows a string's closing quote; full-width punctuation, which texts have, only where a
# value begins after it.
_AFTER = r"[ \t\r]*(?:[,:\]}］｝\n]|[，：]\s{0,9}[\[{［｛（\d\"'.+-]|\Z)"
_OPEN = re.compile(r"[\[{［｛]")
_COLON = re.compile(r"\s*[:：]")
_TOKEN = re.compile(
    r"[\s,，]*(?:(?P<open>[\[{(［｛（])|(?P<close>[\]})］｝）])"
    rf"|\"(?P<double>[^\"\\\n]*)\"(?={_AFTER})|'(?P<single>[^'\\\n]*)'(?={_AFTER})|(?P<quote>[\"'])"
    rf"|(?P<number>{_NUMBER})|(?P<word>[^\W\d][\w']*)|(?P<junk>.[^\[\]{{}}()［］｛｝（）\"'\w\s,.+-]*))",
    re.DOTALL,
)
_STOPS = {'"': re.compile(r"[\"\\\n]"), "'": re.compile(r"['\\\n]")}
_CLOSES = re.compile(rf"{_AFTER}|[ \t\r]*[\"']")
_ASCII = dict(
    zip("［｛（］｝）[{(]})", "[{([{([{([{(", strict=True)
)  # each bracket as the opening one of ASCII
_ESCAPE = re.compile(r'\\.|"', re.DOTALL)
_TO_JSON = {'"': '\\"', "\\'": "'"}  # how JSON writes what else stands in strings
_LONGEST_INTEGER = 4000  # digits; Python itself reads no more than 4300
_WORDS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "NaN": float("nan"),
    "Infinity": float("inf"),
}


class Placed(dict[str, Any]):
    """An object, with the places of what its keys have: a text's or number's, or those of all
    numbers of a list."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, list[Span]] = {}


@dataclass(frozen=True)
class Split:
    """An object in which a key comes again, as the objects that it is meant to be: each such key
    begins one."""

    records: list[dict[str, Any]]


class Top(NamedTuple):
    """A top-level list or object, in text[start:end], with the places of a list's numbers."""

    value: Any
    start: int
    end: int
    places: list[Span]


def _record(pairs: list[tuple[str, Any]]) -> Any:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    records: list[dict[str, Any]] = [{}]
    for key, value in pairs:
        if key in records[-1]:
            records.append({})
        records[-1][key] = value
    return Split(records)


_with_repeats = json.JSONDecoder(object_pairs_hook=_record)


def decode(text: str) -> Any:
    """The value of a text that is JSON and nothing else, or BROKEN. An object in which a key comes
    again is a Split."""
    try:
        data = json.loads(text)
        if isinstance(data, list) and text.count(":") == sum(
            len(item) for item in data if isinstance(item, dict)
        ):
            return data  # as many keys as colons: none is repeated
        return _with_repeats.decode(text)
    except (ValueError, RecursionError):  # RecursionError: nesting thousands deep
        return BROKEN


def read(text: str, start: int = 0, end: int | None = None) -> tuple[list[Top], bool]:
    """The lists and objects of text[start:end], in order; anything else is skipped.

    Returns:
        them, and whether all of the text was read: not if it has more than MAX_TOKENS.
    """
    return _JsonReader(text, len(text) if end is None else end).read(start)


class _Container:
    """A list or an object that is being read."""

    __slots__ = ("items", "key", "kind", "places", "records", "start")

    def __init__(self, kind: str, start: int) -> None:
        self.kind, self.start = kind, start
        self.items: list[Any] = []
        self.places: list[Span] = []
        self.records: list[Placed] = []
        self.key: str | None = None

    @property
    def value(self) -> Any:
        if self.kind != "{" or (self.items and not self.records):
            return self.items  # or values in braces, as in {[...]}
        return (
            self.records[0]
            if len(self.records) == 1
            else Split([*self.records])
            if self.records
            else Placed()
        )

    def take(self, value: Any, places: list[Span]) -> None:
        """Add a value; one without a key is dropped in an object that has keys."""
        if self.kind != "{" or (self.key is None and not self.records):
            self.items.append(value)
            self.places += places
        elif self.key is not None:
            if not self.records or self.key in self.records[-1]:
                self.records.append(Placed())
            self.records[-1][self.key] = value
            self.records[-1].places[self.key] = places
            self.key = None


class _JsonReader:
    def __init__(self, text: str, end: int) -> None:
        self.text, self.end = text, end
        self.stack: list[_Container] = []
        self.too_deep = 0  # brackets open beyond MAX_DEPTH
        self.tops: list[Top] = []

    def read(self, at: int) -> tuple[list[Top], bool]:
        tokens = 0
        while at < self.end and tokens < MAX_TOKENS:
            tokens += 1
            if not self.stack:
                opening = _OPEN.search(self.text, at, self.end)
                if opening is None:
                    break
                at = opening.start()
            token = _TOKEN.match(self.text, at, self.end)
            if token is None:
                break
            at = self._take(token)
        self._cut_off()
        return self.tops, tokens < MAX_TOKENS

    def _take(self, token: re.Match[str]) -> int:
        """Take one token; the place where the next begins."""
        kind = token.lastgroup or ""
        span = token.span(kind)
        if kind == "open":
            self._open(_ASCII[token[kind]], span[0])
        elif kind == "close":
            self._close(_ASCII[token[kind]], span[1])
        elif kind in ("double", "single"):
            return self._text(token[kind], span, token.end())
        elif kind == "quote":
            return self._long_text(token[kind], span[1])
        elif kind == "number":
            if span[1] < self.end:  # else it may have had more digits
                self.stack[-1].take(_number(token[kind]), [span])
        elif kind == "word":
            return self._word(token[kind], span)
        return token.end()

    def _open(self, kind: str, at: int) -> None:
        if len(self.stack) == MAX_DEPTH:
            self.too_deep += 1
            return
        if kind == "{" and self.stack and self.stack[-1].kind == "{" and self.stack[-1].key is None:
            if not self.stack[-1].records:
                return  # a brace too many
            self._pop(at)  # the brace that closes the object before is missing
        self.stack.append(_Container(kind, at))

    def _close(self, kind: str, at: int) -> None:
        if self.too_deep:
            self.too_deep -= 1
        elif any(one.kind == kind for one in self.stack):
            while self.stack[-1].kind != kind:
                self._pop(at)
            self._pop(at)

    def _pop(self, end: int) -> None:
        done = self.stack.pop()
        if self.stack:
            self.stack[-1].take(done.value, done.places if done.kind != "{" else [])
        else:
            self.tops.append(Top(done.value, done.start, end, done.places))

    def _cut_off(self) -> None:
        while self.stack:
            if self.stack[-1].kind != "{" and len(self.stack) > 1 and self.stack[-2].kind == "{":
                self.stack.pop()  # its last number may have had more digits
            else:
                self._pop(self.end)

    def _long_text(self, quote: str, start: int) -> int:
        """Take the string after this quote: one with escapes, with quotes in it, or that its line
        does not close."""
        at = start
        while stop := _STOPS[quote].search(self.text, at, self.end):
            if stop[0] == "\\":
                at = stop.end() + 1
            elif stop[0] == "\n":
                break
            elif _CLOSES.match(self.text, stop.end(), self.end):
                span = start, stop.start()
                return self._text(_unescape(self.text[slice(*span)]), span, stop.end())
            else:
                at = stop.end()
        return stop.start() if stop else self.end

    def _text(self, value: str, span: Span, end: int) -> int:
        colon = _COLON.match(self.text, end, self.end)
        if colon is None:
            self.stack[-1].take(value, [span])
            return end
        self._key(value, end)
        return colon.end()

    def _word(self, word: str, span: Span) -> int:
        colon = _COLON.match(self.text, span[1], self.end)
        if colon is None:
            self.stack[-1].take(_WORDS.get(word), [span])
            return span[1]
        self._key(word, span[1])
        return colon.end()

    def _key(self, name: str, at: int) -> None:
        within = self.stack[-1]
        if within.kind != "{":
            if within.items and len(self.stack) > 1 and self.stack[-2].kind == "{":
                self._pop(at)  # the bracket that closes the list before is missing
            elif len(self.stack) < MAX_DEPTH:
                self.stack.append(_Container("{", at))  # the braces are missing
        if self.stack[-1].kind == "{":
            self.stack[-1].key = name


def _number(written: str) -> int | float:
    whole = len(written) <= _LONGEST_INTEGER and written.lstrip("+-").isdigit()
    return int(written) if whole else float(written)


def _unescape(written: str) -> str:
    if "\\" not in written:
        return written
    try:
        plain = json.loads(
            f'"{_ESCAPE.sub(lambda escape: _TO_JSON.get(escape[0], escape[0]), written)}"'
        )
    except ValueError:
        return written
    return str(plain)
