r"""What stands around the answer: reasoning before it, tags about it, the end token after it.

Start, end and padding tokens at both ends of a completion do not count as text of it. Reasoning
stands between the marks of `reasoning_marks`; boxes in it are drafts and not read. If an answer has
exactly one \boxed{...}, the answer is its content.

Issue codes
    too_long            only the first MAX_CHARACTERS are read
    text_around         there is reasoning or there are answer tags where the model is to write the
                        bare answer, or there is other text around them, or they are written in
                        capitals or otherwise than a family writes them; or the answer is in a
                        \boxed{...}
    no_tags             the reasoning is Gemma's, and a server has left out the marks about it
    no_reasoning        the reasoning, or the tags about the answer, that the model is to write are
                        not there
    unclosed_reasoning  the last reasoning does not end: boxes in it are drafts and not read
    tool_call           the answer calls a tool; its arguments are not read as boxes
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes, as_boxes
from ..geometry.frames import Frame, View
from .base import Format, ParsedCompletion, Questions, Span
from .reasoning_marks import (
    ReasoningMark,
    after_heading,
    after_stripped_marks,
    begins_with_heading,
    may_have_marks,
    outside,
)

Reasoning = Literal["none", "think", "think_answer"]

MAX_CHARACTERS = 1_000_000  # dozens of times what a model writes in one answer
_EDGE_TOKENS = (
    *(
        "<|im_end|>",
        "<|endoftext|>",
        "<|im_start|>",
        "<|end_of_text|>",
        "<|begin_of_text|>",
        "<|eot_id|>",
        "<|eom_id|>",
    ),
    *("<s>", "</s>", "<pad>", "<eos>", "<bos>", "<unk>", "<|pad|>", "<|finetune_right_pad_id|>"),
    *(
        "<end_of_turn>",
        "<start_of_turn>",
        "<turn|>",
        "<|end|>",
        "<|eos|>",
        "<|return|>",
        "<|user|>",
        "<|observation|>",
    ),
    *(
        "<｜end▁of▁sentence｜>",
        "<｜begin▁of▁sentence｜>",
        "<|end▁of▁sentence|>",
        "<|begin▁of▁sentence|>",
    ),
    *("<｜▁pad▁｜>", "<|▁pad▁|>", "<|vision_pad|>"),
)
_TOOL_CALLS = re.compile(
    # the latter is how Qwen-Agent prints one
    r"<(tool_call|tool_response)>.*?(?:</\1>|\Z)|\[TOOL_CALL\].*",
    re.DOTALL,
)
_TAGS = re.compile(r"</?(?:answer|tool_call|tool_response)>", re.ASCII | re.IGNORECASE)
_BOXED = re.compile(r"\\+f?boxed\s{0,9}\{(?:\s{0,9}\\+text\s{0,9}\{)?")
_ESCAPED_BRACE = re.compile(r"\\(?=[{}\[\]_])")
_BRACE = re.compile(r"[{}]")


class _Answer(NamedTuple):
    """The answer text[start:end] of a completion, without tool calls, and what is wrong around
    it."""

    text: str
    start: int
    issues: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reasoned(Format):
    """A format with what its model writes around the answer.

    Attributes:
        inner: the format of the answer itself.
        reasoning: `none` is the bare answer; `think` is <think>...</think> and then the answer;
            `think_answer` is <think>...</think><answer>...</answer> (VLM-R1). The reader is
            tolerant: boxes are read from the answer wherever it stands, and never from the
            reasoning. The opening <think> may be in the prompt; the reasoning may be empty, as
            MiMo-VL's is when it is told not to think.
        taken: a server may have removed the reasoning from the text, so its absence is not an
            issue.
    """

    inner: Format
    reasoning: Reasoning = "none"
    taken: bool = False

    @property
    def name(self) -> str:
        """Of the inner format."""
        return self.inner.name

    @property
    def frame(self) -> Frame:
        """Of the inner format."""
        return self.inner.frame

    @property
    def questions(self) -> Questions:
        """Of the inner format."""
        return self.inner.questions

    def parse(self, text: str) -> ParsedCompletion:
        """See `Format.parse`."""
        return self._parse_by(self.inner.parse, text)

    def parse_one(self, text: str) -> ParsedCompletion:
        """See `Format.parse_one`."""
        return self._parse_by(self.inner.parse_one, text)

    def _parse_by(self, read: Callable[[str], ParsedCompletion], text: str) -> ParsedCompletion:
        answer = self._answer(text)
        if answer.issues and not answer.text.strip():
            return ParsedCompletion(as_boxes([]), (), answer.issues)
        parsed = read(answer.text)
        if not answer.issues:
            return parsed
        return replace(parsed, issues=tuple(dict.fromkeys(answer.issues + parsed.issues)))

    def spans(self, text: str) -> list[tuple[Span, ...]]:
        """See `Format.spans`; in characters of the whole text."""
        answer = self._answer(text)
        shift = answer.start
        return [
            tuple((start + shift, end + shift) for start, end in spans)
            for spans in self.inner.spans(answer.text)
        ]

    @property
    def family(self) -> Format:
        """See `Format.family`."""
        return self.inner

    def answer(self, text: str) -> tuple[str, tuple[str, ...]]:
        """See `Format.answer`."""
        answer = self._answer(text)
        return answer.text, answer.issues

    def confidences(self, text: str) -> list[float]:
        """See `Format.confidences`."""
        return self.inner.confidences(self._answer(text).text)

    def is_inside(self, boxes: Boxes, view: View) -> NDArray[np.bool_]:
        """See `Format.is_inside`."""
        return self.inner.is_inside(boxes, view)

    def content_issues(self, parsed: ParsedCompletion, view: View) -> tuple[str, ...]:
        """See `Format.content_issues`."""
        return self.inner.content_issues(parsed, view)

    def served(self) -> "Reasoned":
        """See `Format.served`."""
        return replace(self, inner=self.inner.served(), taken=True)

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """The answer, with empty reasoning around it if the model is to write some."""
        answer = self.inner.write(boxes, labels)
        if self.reasoning == "think":
            return f"<think>\n</think>\n\n{answer}"
        return (
            f"<think>\n</think>\n<answer>\n{answer}\n</answer>"
            if self.reasoning == "think_answer"
            else answer
        )

    def _answer(self, text: str) -> _Answer:
        """The answer in a completion."""
        issues = ["too_long"] if len(text) > MAX_CHARACTERS else []
        start, end = _without_tokens(text, 0, min(len(text), MAX_CHARACTERS))
        special = may_have_marks(text) or "[TOOL_CALL]" in text or "boxed" in text
        special = special or begins_with_heading(text, start, end)
        if self.reasoning == "none" and not special:
            return _Answer(text[start:end], start, tuple(issues))  # the ordinary case
        text, written = _TAGS.sub(lambda tag: tag[0].lower(), text[:end]), text[:end]
        issues += ["text_around"] if text != written else []
        start, end = self._within_marks(text, start, end, issues)
        whole = start, end
        start, end = _within_box(text, start, end, issues)
        # Blanked rather than cut out, so that places stay as they are.
        answer, calls = _TOOL_CALLS.subn(lambda call: " " * len(call[0]), text[start:end])
        if (start, end) != whole:
            answer = _ESCAPED_BRACE.sub(" ", answer)  # as LaTeX writes them
        return _Answer(
            answer, start, tuple(dict.fromkeys([*issues, *(["tool_call"] if calls else [])]))
        )

    def _within_marks(self, text: str, start: int, end: int, issues: list[str]) -> Span:
        """Where the answer stands in text[start:end]; what is wrong with the marks and tags goes
        into `issues`."""
        stripped = after_stripped_marks(text, start, end)
        if stripped is not None:
            issues += ["no_tags"] + (["text_around"] if self.reasoning == "none" else [])
            issues += ["unclosed_reasoning"] if stripped[0] == stripped[1] else []
            return stripped
        parts, marks, unclosed = outside(text, start, end)
        headed = None if marks or "<answer>" in text else after_heading(text, start, end)
        if headed is not None:
            issues.append("text_around" if self.reasoning == "none" else "no_reasoning")
            return _without_tokens(text, *headed)
        if unclosed is not None:
            tag = text.find("<answer>", unclosed, end)
            if tag < 0:
                issues.append("unclosed_reasoning")
            else:
                parts.append((text.rfind("<answer>", unclosed, end), end))
        written = [part for part in parts if text[slice(*part)].strip()]
        begin, stop = (written or [*parts, (end, end)])[-1]
        if unclosed is not None and "unclosed_reasoning" in issues:
            return _without_tokens(text, begin, stop)
        issues += ["text_around"] if not all(mark.of_family for mark in marks) else []
        others = len(written) > 1 or (bool(written) and written[-1] != parts[-1])
        return self._within_tags(text, begin, stop, marks, others, issues)

    def _within_tags(
        self,
        text: str,
        start: int,
        end: int,
        marks: Sequence[ReasoningMark],
        others: bool,
        issues: list[str],
    ) -> Span:
        """Where the answer stands in text[start:end], which is outside of the reasoning; `others`
        is whether there is more text outside of it."""
        left, right = text.rfind("<answer>", start, end), text.rfind("</answer>", start, end)
        begin = left + len("<answer>") if left >= 0 else start
        stop = right if right >= begin else end
        around = text[start : max(left, start)], text[stop:end].removeprefix("</answer>")
        tagged, closed = 0 <= left < right, any(not mark.opens for mark in marks)
        if self.reasoning == "none":
            issues += ["text_around"] if marks or max(left, right) >= 0 else []
        elif not self.taken and (not closed or (self.reasoning == "think_answer" and not tagged)):
            issues.append("no_reasoning")
        elif (
            others
            or any(part.strip() for part in around)
            or (self.reasoning == "think" and max(left, right) >= 0)
        ):
            issues.append("text_around")
        return _without_tokens(text, begin, stop)


def _within_box(text: str, start: int, end: int, issues: list[str]) -> Span:
    r"""What the one \boxed{...} in text[start:end] holds, else all of it."""
    boxed = list(islice(_BOXED.finditer(text, start, end), 2))
    if len(boxed) != 1:
        return start, end
    issues.append("text_around")
    depth, begin = 1, boxed[0].end()
    for brace in _BRACE.finditer(text, begin, end):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return _without_tokens(text, begin, brace.start())
    return begin, end


def _without_tokens(text: str, start: int, end: int) -> Span:
    """The range without white space, start, end and padding tokens at its ends."""
    while start < end:
        if text[end - 1].isspace():
            end -= 1
        elif text[end - 1] == ">" and (
            token := next((token for token in _EDGE_TOKENS if text.endswith(token, start, end)), "")
        ):
            end -= len(token)
        else:
            break
    while start < end:
        if text[start].isspace():
            start += 1
        elif text[start] == "<" and (
            token := next(
                (token for token in _EDGE_TOKENS if text.startswith(token, start, end)), ""
            )
        ):
            start += len(token)
        else:
            break
    return start, end
