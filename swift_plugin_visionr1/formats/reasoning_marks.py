"""The marks around a model's reasoning: which there are, and what a text has outside of them.

Families write <think> (Qwen, GLM and others), ◁think▷ (Kimi), [THINK] (Magistral), <seed:think>
(Seed-OSS), <|channel>thought ... <channel|> (Gemma 4), <|begin_of_thought|> (OpenThinker) and
<|START_THINKING|> (Command A). Others, such as <thinking> or <reasoning>, models make up. Without
any mark some begin with a heading: "Thinking:", "### Reasoning", later "Answer:".
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .base import Span
from .json_reader import read

_NAMES = (
    r"(?!\w*(?:start|begin|end))(?:[a-z]{1,12}[:_])?(?:think(?:ing)?|thoughts?|reason(?:ing)?|rethink|reflect(?:ion)?|"
    r"rationale|analysis|scratchpad|monologue|cot|plan(?:ning)?)(?:_[a-z]{1,12})?"
)
_MARK = re.compile(
    r"(?P<opens><\|channel>thought|◁think▷|\[(?:BEGIN_)?THINK\]|<\|begin_of_thought\|>|"
    r"<\|START_THINKING\|>|<unused94>thought|<\|channel\|>analysis<\|message\|>|"
    r"<\|think_start\|>|"
    rf"(?i:<\|?{_NAMES}\s?\|?>))|"
    r"<channel\|>|◁/think▷|\[(?:/|END_)THINK\]|<\|end_of_thought\|>|<\|END_THINKING\|>|<unused95>|"
    r"<\|channel\|>final<\|message\|>|<\|think_end\|>|"
    rf"(?i:<\|?/{_NAMES}\s?\|?>)",
    re.ASCII,
)
_MADE_UP = re.compile(r"</?(?!think>|seed:think>|channel)[A-Za-z]")  # or written in capitals
_STRIPPED = re.compile(r"thought[ \t]*\n")  # Gemma 4's, by a server without its special tokens
_ANY = ("<", "◁", "THINK]")
_BOLD = r"(?:\*\*|__)?"
_TOPIC = (
    r"(?:(?:my |the )?(?:thinking|thoughts?|reasoning|analysis|rationale|chain of thought)"
    r"(?: process| steps?)?|思考(?:过程|過程)?|推理(?:过程|過程)?|分析)"
)
_HEADING = re.compile(rf"(?i)(?:#{{1,6}} )?{_BOLD}{_TOPIC}{_BOLD} ?(?:[:：]{_BOLD}|(?=\n))")
_ANSWER = re.compile(
    r"(?im)^[ \t]{0,3}(?:#{1,6} )?(?:\*\*|__)?(?:(?:the |my )?(?:final )?(?:answer|results?|output|"
    r"response|detections?)|(?:最终|最終)?(?:答案|结果|結果))(?:\*\*|__)? ?(?:[:：](?:\*\*|__)?|$)"
)


class ReasoningMark(NamedTuple):
    """The beginning or the end of reasoning, at text[start:end]; `own` is whether a family writes
    it so."""

    start: int
    end: int
    opens: bool
    of_family: bool


class Outside(NamedTuple):
    """What stands outside of the reasoning.

    Attributes:
        parts: the ranges, in order; blank ones included.
        marks: all marks.
        unclosed: where reasoning begins that does not end, if any does.
    """

    parts: list[Span]
    marks: list[ReasoningMark]
    unclosed: int | None = None


def may_have_marks(text: str) -> bool:
    """Whether a text may have marks, quickly."""
    return any(sign in text for sign in _ANY) or text.lstrip().startswith("thought")


def outside(text: str, start: int, end: int) -> Outside:
    """What stands in text[start:end] outside of the reasoning.

    Reasoning that is closed without being opened was opened in the prompt, or holds other
    reasoning: all text before it belongs to it.
    """
    parts: list[Span] = []
    marks = list(_marks(text, start, end))
    at, opened = start, None
    for mark in marks:
        if mark.opens and opened is None:
            parts.append((at, mark.start))
            opened = mark.start
        elif not mark.opens:
            parts = parts if opened is not None else []
            at, opened = mark.end, None
    if opened is None:
        parts.append((at, end))
    return Outside(parts, marks, opened)


def after_stripped_marks(text: str, start: int, end: int) -> Span | None:
    """The answer at the end of a text that begins with Gemma's reasoning without its marks.

    Nothing tells where that reasoning ends: the answer is the fence, or the list or object, that
    ends the text, else empty. None if the text does not begin that way.
    """
    if not _STRIPPED.match(text, start, end):
        return None
    return _ending(text, start, end) or (end, end)


def begins_with_heading(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] begins with a heading such as "Thinking:", quickly."""
    return _HEADING.match(text, start, end) is not None


def after_heading(text: str, start: int, end: int) -> Span | None:
    """The answer in a text that begins with a heading for reasoning: what follows the last heading
    for an answer, else the fence, or the list of objects or lists, that ends the text. None for any
    other text, and for one that may name its boxes one by one."""
    if not begins_with_heading(text, start, end):
        return None
    answers = list(_ANSWER.finditer(text, start, end))
    if answers:
        return answers[-1].end(), end
    ending = _ending(text, start, end)
    several = ending and re.match(r"```|\[\s{0,9}[\[{]", text[slice(*ending)])
    return ending if several else None


def _ending(text: str, start: int, end: int) -> Span | None:
    """The fence, list or object that ends text[start:end]."""
    if text.endswith("```", start, end):
        fence = text.rfind("```", start, end - 3)
        return (fence, end) if fence >= 0 else None
    tops, _ = read(text, start, end)
    whole = bool(tops) and tops[-1].end == end and text[end - 1] in "]}"
    return (tops[-1].start, end) if whole else None


def _marks(text: str, start: int, end: int) -> Iterator[ReasoningMark]:
    for match in _MARK.finditer(text, start, end):
        yield ReasoningMark(
            *match.span(), match["opens"] is not None, _MADE_UP.match(match[0]) is None
        )
