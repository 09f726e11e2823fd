"""PaliGemma's and PaliGemma 2's location tokens: <locY1><locX1><locY2><locX2> label ; <loc...>
label, y first.

Tokens run from <loc0000> to <loc1023>; big_vision, which trained the models, scales by 1023 both
ways. The separator ` ; ` may follow the last box. Answers to `segment` have 16 <segNNN> after a
box: the box is read, and the mask is an issue. With nothing to find, the model ends at once: the
empty answer is the empty text.
Question: Google's documentation of PaliGemma's prompts; ms-swift adds the newline that it needs.

Issue codes, besides those of `collect`
    text_around   there is text before the first box or in place of one
    broken_tags   the answer ends within a box
    bad_layout    ` ; ` between boxes is missing
    mask          segmentation tokens follow a box
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..geometry.boxes import Boxes
from ..geometry.frames import Frame
from .base import Questions, Span
from .collector import Collected, Collector, close, strip
from .location_tokens import TokenRun, is_cut, runs

_TOP = 1023
_TOKEN = re.compile(r"<loc([0-9]{4})>")
_RUN = re.compile(r"(?:<loc[0-9]{4}>)+")
_MASK = re.compile(r"\s{0,9}(?:<seg[0-9]{3}>)+")


@dataclass(frozen=True)
class PaliGemma(Collected):
    """The format `paligemma`."""

    name: ClassVar[str] = "paligemma"
    frame: Frame = Frame(float(_TOP))
    questions: ClassVar[Questions] = Questions("detect {: ; }", "detect {}")

    def collect(self, text: str, placed: bool = False) -> Collector:
        """See `Collected.collect`."""
        collector = Collector(self.frame, placed)
        all_runs = list(runs(text, _TOKEN, _RUN))
        if all_runs and text[: all_runs[0].start].strip(" ;\n"):
            collector.issue("text_around")
        for run, until in zip(
            all_runs, [run.start for run in all_runs[1:]] + [len(text)], strict=False
        ):
            if not _take(collector, text, run, until):
                break
        return close(collector, text, "")

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """Each box in four tokens from 0 to 1023, y first."""
        rows = np.clip(np.rint(boxes), 0, _TOP).astype(int)[:, [1, 0, 3, 2]]
        written = ["".join(f"<loc{v:04d}>" for v in row) for row in rows]
        return " ; ".join(f"{row} {label}" for row, label in zip(written, labels, strict=True))


def _label(collector: Collector, text: str, run: TokenRun, until: int) -> Span:
    """The label between a run and the next one, at `until`."""
    start = run.end
    if mask := _MASK.match(text, start, until):
        collector.issue("mask")
        start = mask.end()
    stop = text.find(";", start, until)
    end = until if stop < 0 else stop
    if until == len(text) and is_cut(text, start):
        collector.issue("broken_tags")
        end = min(end, text.rindex("<"))
    elif stop < 0 and until < len(text):
        collector.issue("bad_layout")
    elif stop >= 0 and text[stop + 1 : until].strip():
        collector.issue("text_around")
    return strip(text, start, end)


def _take(collector: Collector, text: str, run: TokenRun, until: int) -> bool:
    """Read a run and the text up to the next one, at `until`; False if there is no room for more
    boxes."""
    label = _label(collector, text, run, until)
    if (
        len(run.digits) < 4
        and until == len(text)
        and (is_cut(text, run.end) or not text[run.end :].strip())
    ):
        collector.issue("broken_tags")
    elif collector.shape(len(run.digits)):
        y1, x1, y2, x2 = run.values(text)
        named = label[0] < label[1]
        if not named:
            collector.issue("no_label")
        places = [run.digits[i] for i in (1, 0, 3, 2)] + ([label] if named else [])
        return collector.add((x1, y1, x2, y2), places, text[slice(*label)])
    return True
