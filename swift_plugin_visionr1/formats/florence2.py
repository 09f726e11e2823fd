"""Florence-2's location tokens: car<loc_52><loc_334><loc_932><loc_774>, several boxes after a label
in one run.

A token is one of a thousand bins of a side and means its middle, as transformers' own
post-processor decodes it.
Region proposals have no labels, which is not an issue if no box has one. The task is not in the
answer, so a run counts as boxes if all its fours have their corners in order; a quad (text with
regions) or a polygon (segmentation) does not. With nothing to find, the model ends at once: the
empty answer is the empty text.
Questions: its model card's tasks. Detection of given categories is documented for one category;
several are asked for as the phrases of a caption.

Issue codes, besides those of `collect`
    text_around   there is text after the last box, or markup of another kind before one, which is
                  then not read
    broken_tags   the answer ends within a token
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

_BINS = 1000
_TOKEN = re.compile(r"<loc_([0-9]{1,9})>")
_RUN = re.compile(r"(?:<loc_[0-9]{1,9}>)+")
_POLYGON = re.compile(r"</?poly>|<sep>")


@dataclass(frozen=True)
class Florence2(Collected):
    """The format `florence2`."""

    name: ClassVar[str] = "florence2"
    frame: Frame = Frame(float(_BINS), offset=0.5, top=_BINS - 1)
    questions: ClassVar[Questions] = Questions(
        "<CAPTION_TO_PHRASE_GROUNDING>{}", "<OPEN_VOCABULARY_DETECTION>{}"
    )

    def collect(self, text: str, placed: bool = False) -> Collector:
        """See `Collected.collect`."""
        collector = Collector(self.frame, placed)
        at = 0
        for run in runs(text, _TOKEN, _RUN):
            label = strip(text, at, run.start)
            at = run.end
            if not _take(collector, text, run, label):
                break
        else:
            if at and text[at:].strip():
                collector.issue("broken_tags" if is_cut(text, at) else "text_around")
        if any(collector.labels) and not all(collector.labels):
            collector.issue("no_label")
        return close(collector, text, "")

    def write(self, boxes: Boxes, labels: Sequence[str]) -> str:
        """Each box after its label, in bins from 0 to 999."""
        rows = np.clip(np.floor(boxes + 0.5), 0, _BINS - 1).astype(
            int
        )  # as transformers' own: the bin it lies in
        written = ["".join(f"<loc_{v}>" for v in row) for row in rows]
        return "".join(label + row for label, row in zip(labels, written, strict=True))


def _take(collector: Collector, text: str, run: TokenRun, label: Span) -> bool:
    """Read one run; False if there is no room for more boxes."""
    name = text[slice(*label)]
    if _POLYGON.search(name):
        collector.issue("polygon")
    elif "<" in name or ">" in name:
        collector.issue("text_around")
    elif len(run.digits) == 4 or _are_boxes(run.values(text)):
        values = run.values(text)
        named = (label,) if name else ()
        fours = range(0, len(values) - 3, 4)
        return all(
            collector.add(values[i : i + 4], run.digits[i : i + 4] + named, name) for i in fours
        )
    else:
        collector.shape(len(run.digits))
    return True


def _are_boxes(values: list[float]) -> bool:
    """Whether a run is whole boxes, all with their corners in order."""
    if len(values) % 4:
        return False
    fours = np.array(values).reshape(-1, 4)
    return bool((fours[:, :2] < fours[:, 2:]).all())
