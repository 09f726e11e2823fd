"""Whether an answer says that there is nothing to find, in words or as empty JSON.

"There are no cats in the image." is such an answer, and so are `{}` and `[{"bbox_2d": null}]`. A
refusal to look ("I cannot help") is not, nor is a description, an answer that was cut off, a
sentence that negates something else, or one followed by an object after all. In doubt the answer
does not count: on an image without objects, a text earns nothing unless it says so.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from .denial_more_phrases import MORE_LANGUAGES
from .denial_phrases import LANGUAGES, WORDS
from .json_reader import Split, read

_MAX_DEPTH = 8  # lists nested deeper hold something, if only brackets
LONGEST = 2000  # characters; a denial takes fewer
# Keys under which boxes are written: with nothing under them an object names no box.
BOX_KEYS = frozenset(
    re.findall(
        r"\w+",
        "bbox_2d box_2d bbox box bboxes boxes bboxes_2d boxes_2d bounding_box bounding_boxes "
        "coordinates position location region objects detections results annotations predictions "
        "points",
    )
)
_FENCE = re.compile(r"```(?:json)?")
_TAG = re.compile(r"<[^<>\n]{1,40}>")
_MARKUP = re.compile(r"[*_`#\"“”«»「」|\\]+|^[-•>]\s", re.MULTILINE)
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_WORD = re.compile(r"[^\W\d_]+")
_NO_VALUES = {"null", "None", "none", "false", "False", "NULL"}
_NUMBER = re.compile(r"\d+")
_ENDING = ".!?;。！？；…।؟\n"
_CLAUSE = re.compile(rf"[^{_ENDING}]+(?:\.(?=[^\s.])[^{_ENDING}]+)*([{_ENDING}]*)")
_TURN = re.compile(r",?\s(?:but|however|although|though)\b,?|\s[—–]\s?|\s-\s")
_COMMA = re.compile(r"[，、،](?=.)")
_ENDS = " \t\r,，、،:：()（）'’‘-–—"
_PICTURES = ("image", "picture", "photo", "photograph", "scene", "screenshot")
_OPEN_END = re.compile(
    r"in|the|of|a|an|any|and|or|no|not|that|which|is|are|was|with|on|at|to|for|from|there|this|these|"
    r"those|can|cannot|see|do|does|have|has|i|my|your|nor|as|by|into|such|but"
)


class _Clause(NamedTuple):
    """A part of a text that says one thing; `turn` is whether it comes after a "but"."""

    text: str
    end: str
    turn: bool = False


def denies(text: str) -> bool:
    """Whether an answer says that there is nothing to find.

    >>> denies("There are no cats in the image."), denies('[{"bbox_2d": null, "label": "cat"}]')
    (True, True)
    >>> denies("I cannot help with that."), denies("There is no dog, but a cat at the left.")
    (False, False)
    """
    if not text or len(text) > LONGEST:
        return False
    tops, _ = read(text)
    if not all(_is_written_plainly(text[top.start : top.end]) for top in tops):
        return False
    if not all(holds_nothing(top.value) for top in tops):
        return False
    words, at = "", 0
    for top in tops:
        words, at = words + text[at : top.start] + " ", top.end
    words = _FENCE.sub(" ", words + text[at:]).strip()
    if not tops:
        return _denies_in_words(words)
    announced = words.endswith((":", "：")) and not text[at:].strip("` \n")
    return not words or announced or _denies_in_words(words)


def holds_nothing(value: Any, keys: frozenset[str] = BOX_KEYS, depth: int = 0) -> bool:
    """Whether a JSON value names no box: null, empty, four zeros under a box's key, or words that
    say so, wherever boxes stand.

    Args:
        value: of a list or an object, or a part of one.
        keys: under which boxes are written.
        depth: of the brackets around it.
    """
    if value is None or value is False:
        return True
    if isinstance(value, str):
        return not value.strip() or (len(value) <= LONGEST and _denies_in_words(value))
    if depth == _MAX_DEPTH:
        return False
    if isinstance(value, list):
        return all(holds_nothing(item, keys, depth + 1) for item in value)
    if not isinstance(value, dict) or isinstance(value, Split):
        return False
    boxes = [part for key, part in value.items() if key.strip().lower() in keys]
    if boxes and all(part == [0, 0, 0, 0] for part in boxes):
        return True
    return all(holds_nothing(part, keys, depth + 1) for part in boxes or value.values())


def _is_written_plainly(written: str) -> bool:
    """Whether a list or object is closed, and all words outside of its texts in quotes mean
    nothing: the reader takes others for null, too."""
    bare = _STRING.sub("", written)
    closed = bare.count("[") == bare.count("]") and bare.count("{") == bare.count("}")
    return closed and all(word in _NO_VALUES for word in _WORD.findall(bare))


def _denies_in_words(text: str) -> bool:
    plain = _MARKUP.sub(" ", _TAG.sub(" ", text.replace("’", "'"))).casefold().strip()
    plain = unicodedata.normalize("NFC", plain)
    if plain.rstrip(" .!。！।") in WORDS:
        return True
    if len(_NUMBER.findall(text)) > 1 or _is_cut_off(plain):
        return False  # two numbers may be a place
    denied = False
    for clause in _clauses(plain):
        words = _without_leads(clause.text)
        if not words:
            continue
        if _is_denial(words) and not set("?？؟") & set(clause.end):
            denied = True
        elif not denied or (clause.turn and not _describes(words)) or _affirms(words):
            return False
    return denied


def _is_cut_off(plain: str) -> bool:
    """Whether a text ends within a sentence."""
    last = plain.rsplit(maxsplit=1)[-1] if plain else ""
    if plain.endswith((",", ":", "，", "：", "(", "[", "{", "、")) or _OPEN_END.fullmatch(last):
        return True
    return len(last) > 1 and any(
        name.startswith(last) and name != last and f"the {last}" in plain for name in _PICTURES
    )


def _clauses(plain: str) -> Iterator[_Clause]:
    for sentence in _CLAUSE.finditer(plain):
        text = sentence[0][: len(sentence[0]) - len(sentence[1])]
        for number, part in enumerate(_TURN.split(text)):
            for piece in _COMMA.split(part):
                if piece.strip(_ENDS):
                    yield _Clause(piece.strip(_ENDS), sentence[1], turn=number > 0)


def _without_leads(clause: str) -> str:
    """The clause without a leading "Sorry," or the like; empty if that is all it says."""
    for _ in range(6):
        if _is_denial(clause):
            break
        lead = next(
            (match for patterns in _patterns() if (match := patterns.leads.match(clause))), None
        )
        if lead is None:
            break
        clause = clause[lead.end() :].strip(_ENDS)
    return clause


def _is_denial(clause: str) -> bool:
    if clause in WORDS:
        return True
    return any(
        patterns.denials.fullmatch(clause) and not patterns.blocked.search(clause)
        for patterns in _patterns()
    )


def _affirms(clause: str) -> bool:
    """Whether a clause says that something is there, or begins to."""
    return any(patterns.affirms.search(clause) for patterns in _patterns())


def _describes(clause: str) -> bool:
    """Whether a clause is about the image as a whole or about the conversation."""
    return bool(_DESCRIPTION.match(clause))


_DESCRIPTION = re.compile(
    r"(?:(?:the|this) (?:\w+ )?(?:image|picture|photo|scene)|it) (?:shows|contains|depicts|"
    r"features|appears|seems)|please|you (?:can|may)|feel free|if you|let me|"
    r"i(?:'d| would| can| am|'m) "
)


class _Patterns(NamedTuple):
    """The patterns of one language; see `Phrases`."""

    denials: re.Pattern[str]
    blocked: re.Pattern[str]
    affirms: re.Pattern[str]
    leads: re.Pattern[str]


@cache
def _patterns() -> tuple[_Patterns, ...]:
    """The patterns of all languages, compiled when the first text without boxes comes."""
    return tuple(
        _Patterns(
            _union(one.denials),
            _union(one.blocked),
            _union(one.affirms),
            # A lead is a whole word; Chinese and Japanese put no space after it.
            re.compile(rf"(?:{'|'.join(one.leads)})(?![a-zß-ɏạ-ỹа-яё0-9_'])"),
        )
        for one in (LANGUAGES | MORE_LANGUAGES).values()
    )


def _union(sources: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{source})" for source in sources))
