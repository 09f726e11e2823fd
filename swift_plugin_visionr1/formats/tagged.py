"""The engine of formats that tag labels and coordinates, as in
<ref>cat</ref><box>(1,2),(3,4)</box>.

The strict template is the tagged pieces alone, one after the other, each family's way between and
inside them; where it tags labels, a comma between pieces counts like a new line. The reader is
tolerant: what is whole is read, whatever stands around it, and a label goes with all boxes up to
the next label. Where a server has left out the tags (they are special tokens to many tokenizers),
lines that are nothing but a label and its coordinates are read.

Issue codes, besides those of `collect`
    text_around    there is text before, between or after the tagged pieces
    broken_tags    a tag is not closed or not opened, as in an answer that was cut off
    no_tags        the tags are missing
    bad_layout     brackets, commas or the like are not written as this family does; the boxes are
                   read
    label_after_box  a label follows its box, as in JSON
    not_integer    a coordinate is written as a fraction, where the family writes integers
    wrong_decimals a coordinate is not written with as many decimals as the family writes
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby, islice
from typing import ClassVar, Literal, NamedTuple

from ..geometry.boxes import Boxes
from .base import Span
from .collector import MAX_PIECES, Collected, Collector, close, number, strip
from .denial import denies

Group = tuple[Span, ...]  # where the numbers of one place are written
Row = Sequence[str]  # the four coordinates of a box as text
Kind = Literal["label", "box", "text"]

_TOKEN = re.compile(
    r"[^\s,;()\[\]<>，、；（）［］【】]+"
)  # also the full-width punctuation of Chinese texts
_INNERMOST = re.compile(r"[\[(<（［【]([^\[\]()<>（）［］【】]*)[\])>）］】]")
_DIGITS = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?")
_BREAK = re.compile(r"[{}\n;；。]|\.\s")  # what parts one object from the next
_GAP = re.compile(r"\s+")
_LOOSE = re.compile(r" ?([^\w\s]) ?")
_LINE = re.compile(r"[^\n]+")
_ROLE = re.compile(r"[^\[\](){}<>=:\"\n]{1,99}: ")  # as in a dialogue
_BARE = re.compile(r"(?:[^\[\](){}<>=:\"\n]{0,199}[^\[\](){}<>=:\"\s])?(?=[\[(])")
_LONGEST_GROUP = 101  # a place of more numbers is a polygon whatever follows


class Piece(NamedTuple):
    """A part of an answer; `closed` is whether both of its tags are there."""

    kind: Kind
    start: int
    end: int
    closed: bool = True


@dataclass(frozen=True)
class Tagged(Collected):
    """A format of tagged labels and coordinates: what is special about a family is in its class
    variables."""

    label_tags: ClassVar[
        tuple[str, ...]
    ] = ()  # opening and closing; empty if the family tags no labels
    box_tags: ClassVar[tuple[str, ...]]
    nothing: ClassVar[str] = "None"  # the empty answer
    nothing_tagged: ClassVar[bool] = (
        False  # whether `nothing` between the tags of a box is the family's way, too
    )
    between: ClassVar[str] = ""  # characters that may stand between pieces, besides white space
    joint: ClassVar[str] = ""  # what is written between one label with its boxes and the next
    prose: ClassVar[bool] = False  # whether pieces in running text are the family's way
    labelled: ClassVar[bool] = True  # whether a box without a label breaks the format
    numbers: ClassVar[int] = 4  # how many make a box
    many: ClassVar[bool] = False  # whether all boxes of a label stand between one pair of tags
    decimals: ClassVar[int] = 0

    def layout(self, rows: Sequence[Row]) -> str:
        """The coordinates of boxes as the family writes them between the tags."""
        raise NotImplementedError

    def groups(self, text: str, start: int, end: int) -> Iterator[Group]:
        """Where the numbers of each place in text[start:end] are: here all of them are one
        place."""
        yield tokens(text, start, end)

    def take(self, collector: Collector, text: str, group: Group, label: Span | None) -> bool:
        """Read one place; False if there is no room for more boxes."""
        values = [number(text[start:end]) for start, end in group]
        if any(v != v for v in values):
            collector.issue("bad_box")
        elif collector.shape(len(group)):
            written = [text[start:end] for start, end in group]
            if any(len(v.partition(".")[2]) != self.decimals for v in written):
                collector.issue("wrong_decimals" if self.decimals else "not_integer")
            return collector.add(
                values, group + ((label,) if label else ()), text[slice(*label)] if label else ""
            )
        return True

    def whole(self, text: str, piece: Piece, groups: list[Group]) -> list[Group]:
        """The complete places of a region without its closing tag: here all of them, if nothing
        else is missing."""
        return groups if self._is_laid_out(text[piece.start : piece.end], len(groups)) else []

    def region(self, collector: Collector, text: str, piece: Piece, label: Span | None) -> bool:
        """Read what is between the tags of a box; False if there is no room for more."""
        inside = text[piece.start : piece.end]
        if denies(inside) or not (piece.closed or inside.strip()):
            return True  # an opening tag alone, as in an answer that is cut off
        label = label if label and label[0] < label[1] else None
        if label is None and self.labelled:
            collector.issue("no_label")
        groups = list(islice(self.groups(text, piece.start, piece.end), MAX_PIECES))
        if not piece.closed:
            groups = self.whole(text, piece, groups)
        elif not groups:
            collector.issue("bad_box")
        elif all(len(group) == self.numbers for group in groups) and not self._is_laid_out(
            inside, len(groups)
        ):
            collector.issue("bad_layout")
        return all(self.take(collector, text, group, label) for group in groups)

    def collect(self, text: str, placed: bool = False) -> Collector:
        """See `Collected.collect`."""
        collector = Collector(self.frame, placed)
        pieces = list(islice(self._pieces(text), MAX_PIECES + 1))
        if len(pieces) > MAX_PIECES:
            collector.issue("too_many_boxes")
        kinds = {piece.kind for piece in pieces}
        if kinds & {"label", "box"}:
            _PieceReader(self, collector, text).read(pieces[:MAX_PIECES])
        if "box" not in kinds:
            self._collect_bare(collector, text)
        return close(collector, text, self.nothing)

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """The pieces alone; neighbours of one label share it, and the order is kept."""
        rows = zip(labels, [[f"{v:.{self.decimals}f}" for v in box] for box in boxes], strict=True)
        parts = []
        for label, group in groupby(rows, key=lambda row: row[0]):
            written = [row for _, row in group]
            regions = (
                [self.layout(written)] if self.many else [self.layout([row]) for row in written]
            )
            parts.append(
                label.join(self.label_tags)
                + "".join(region.join(self.box_tags) for region in regions)
            )
        return self.joint.join(parts) or self.nothing

    def _collect_bare(self, collector: Collector, text: str) -> None:
        """Read an answer without tags: lines that are a label and its coordinates, or the
        coordinates alone."""
        if _expected(self, 1)[0] not in "([":
            return  # nothing would tell such numbers from others
        for line in islice(_LINE.finditer(text), MAX_PIECES):
            start, end = strip(text, *line.span())
            end = start + len(text[start:end].rstrip(" ,.;"))
            if role := _ROLE.match(text, start, end):
                start = role.end()
            bare = _BARE.match(text, start, end)
            if bare is None or text[end - 1] not in ")]" or (bare.group() and not self.label_tags):
                continue
            groups = list(islice(self.groups(text, bare.end(), end), MAX_PIECES))
            if not self._is_laid_out(text[bare.end() : end], len(groups)):
                continue
            collector.issue("no_tags")
            if role:
                collector.issue("text_around")
            if self.labelled and not bare.group():
                collector.issue("no_label")
            if not all(
                self.take(collector, text, group, bare.span() if bare.group() else None)
                for group in groups
            ):
                return

    def _is_laid_out(self, region: str, boxes: int) -> bool:
        """Whether coordinates of so many boxes are written between the brackets and commas of the
        family."""
        expected = _expected(self, boxes)
        return len(region) <= 20 * len(expected) and skeleton(region) == expected

    def _pieces(self, text: str) -> Iterator[Piece]:
        """The tagged pieces of an answer and what stands between them, in order."""
        at, opened = 0, None  # the kind of the tag that is open
        for tag in _tags(self.box_tags + self.label_tags).finditer(text):
            kind, opens = _KINDS[tag.lastindex or 0]
            if opened is not None:
                yield Piece(opened, at, tag.start(), closed=kind == opened and not opens)
            elif at < tag.start() or not opens:
                started = (
                    kind == "box" and not opens and at == 0
                )  # with an opening tag that stands in the prompt
                yield Piece("box" if started else "text", at, tag.start(), closed=opens)
            at = tag.end()
            opened = kind if opens else None
        if opened is not None:
            yield Piece(opened, at, _without_half_tag(text, at, self.box_tags[1]), closed=False)
        elif at < len(text):
            yield Piece("text", at, len(text))


@dataclass
class _PieceReader:
    """Reads the tagged pieces of an answer, one after the other.

    Attributes:
        format: of the answer.
        collector: of what is read.
        text: the answer.
        label: that goes with the next boxes.
        is_waiting: whether that label has had no box yet.
        is_related: whether the next boxes belong to a relation, as All-Seeing writes: of things
            already boxed.
        unnamed: the first of the boxes of a region without a label, until a label comes.
        regions: how many regions of boxes were read.
        denials: how many of them say that there is nothing.
    """

    format: Tagged
    collector: Collector
    text: str
    label: Span | None = None
    is_waiting: bool = False
    is_related: bool = False
    unnamed: int | None = None
    regions: int = 0
    denials: int = 0

    def read(self, pieces: list[Piece]) -> None:
        """Read all pieces, or as many as have room."""
        after = _labels_after_boxes(pieces, self.text)
        for index, piece in enumerate(pieces):
            if not piece.closed:
                self.collector.issue("broken_tags")
            if piece.kind == "label":
                self._read_label(strip(self.text, piece.start, piece.end), index in after)
            elif piece.kind == "text":
                self._read_text(self.text[piece.start : piece.end])
            elif not self.is_related and not self._read_region(piece):
                return
        if self.is_waiting:
            self.collector.issue("no_box")
        if self.regions and self.regions == self.denials:
            self.collector.nothing(as_documented=self.format.nothing_tagged)

    def _read_label(self, label: Span, is_of_boxes_before: bool) -> None:
        unnamed, self.unnamed = self.unnamed, None
        if unnamed is not None and is_of_boxes_before:
            self.collector.name_from(unnamed, label, self.text)
            return
        if self.is_waiting:
            self.collector.issue("no_box")
        self.label, self.is_waiting, self.is_related = label, True, False

    def _read_text(self, inside: str) -> None:
        if not inside.strip().strip(self.format.between).strip():
            return
        if not self.is_waiting:
            self.label = None
        self.is_related = inside.endswith("</pred>")
        if not self.format.prose:
            self.collector.issue("text_around")

    def _read_region(self, piece: Piece) -> bool:
        """False if there is no room for more boxes."""
        self.is_waiting = False
        self.unnamed = len(self.collector.boxes) if self.label is None else None
        self.regions += 1
        self.denials += piece.closed and denies(self.text[piece.start : piece.end])
        return self.format.region(self.collector, self.text, piece, self.label)


class TaggedLists(Tagged):
    """Tagged formats whose boxes are lists of four numbers in brackets."""

    many = True

    def layout(self, rows: Sequence[Row]) -> str:
        """[[x1, y1, x2, y2], [x1, y1, x2, y2]]."""
        return "[" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]"

    def groups(self, text: str, start: int, end: int) -> Iterator[Group]:
        """The innermost brackets; all numbers if there are no brackets."""
        at = -1
        for match in _INNERMOST.finditer(text, start, end):
            at = match.end()
            yield tokens(text, *match.span(1))
        if at < 0:
            yield tokens(text, start, end)

    def whole(self, text: str, piece: Piece, groups: list[Group]) -> list[Group]:
        """Lists that are closed are whole."""
        return groups if _INNERMOST.search(text, piece.start, piece.end) else []


_KINDS: dict[int, tuple[Kind, bool]] = {
    1: ("box", True),
    2: ("box", False),
    3: ("label", True),
    4: ("label", False),
}


def _labels_after_boxes(pieces: list[Piece], text: str) -> set[int]:
    """Which pieces are labels of the box before them, if that has no other: those that are nearer
    to it than to the next box, as in JSON, or all where boxes and labels alternate to the end."""
    told = [(index, piece) for index, piece in enumerate(pieces) if piece.kind != "text"]
    kinds = [piece.kind for _, piece in told]
    alternate = len(kinds) % 2 == 0 and kinds == ["box", "label"] * (len(kinds) // 2)
    after = set()
    for place, (index, piece) in enumerate(told):
        if piece.kind != "label" or not piece.closed or not place or kinds[place - 1] != "box":
            continue
        before = text[told[place - 1][1].end : piece.start]
        following = told[place + 1][1].start if place + 1 < len(told) else None
        parted = following is None or _BREAK.search(text, piece.end, following)
        if not _BREAK.search(before) and (alternate or parted):
            after.add(index)
    return after


@cache
def _tags(tags: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({re.escape(tag)})" for tag in tags))


def _without_half_tag(text: str, start: int, tag: str) -> int:
    """The end of text[start:] without the beginning of a tag that is cut off."""
    half = text.find(tag[0], max(start, len(text) - len(tag)))
    return half if half >= 0 and tag.startswith(text[half:]) else len(text)


@lru_cache(maxsize=256)
def _expected(format: Tagged, boxes: int) -> str:
    return skeleton(format.layout([["0"] * format.numbers] * boxes))


def tokens(text: str, start: int, end: int) -> Group:
    """What is written between brackets, commas and white space in text[start:end]."""
    return tuple(
        match.span() for match in islice(_TOKEN.finditer(text, start, end), _LONGEST_GROUP)
    )


def skeleton(region: str) -> str:
    """Coordinates with all numbers alike and without the white space that does not matter."""
    return _LOOSE.sub(r"\1", _GAP.sub(" ", _DIGITS.sub("0", region))).strip()
