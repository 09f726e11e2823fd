"""If many answers break the format, hints at another format and frame that read more of them.

Each candidate is tried first: its labels and boxes are checked, also against the annotations. A
candidate that finds less than the present reading is never proposed.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import FORMATS, Format, ParsedCompletion, get_format
from swift_plugin_visionr1.formats.reasoning import Reasoned
from swift_plugin_visionr1.geometry.frames import FRAMES, Frame
from swift_plugin_visionr1.geometry.resize import QwenResize, Resize
from swift_plugin_visionr1.models.model_io import ModelIO

from ..coco.annotations import Annotations
from .answer import Answer, ReadAnswer
from .frame_warnings import OTHER_FRAMES, view_of
from .trials import Find, Trial, TruthsOf, truths_of, try_reading

BROKEN = 0.1  # the share of answers that may break the format without a look at other formats
TRIED = 50  # so many of the broken ones are read another way
MORE = 1.01  # times the boxes that are read now: fewer do not justify a proposal
# of the tried answers have to keep the format that is named, if it does not find most objects
CLEAN = 0.5
# what ms-swift teaches Qwen2.5-VL and later from `objects` rows without QWENVL_BBOX_FORMAT=new
_HYBRID = re.compile(r'"bbox_2d"\s*:\s*<\|box_start\|>')


@dataclass(frozen=True)
class _Candidate:
    """A way to read the answers: the options that select it, and what it finds."""

    options: str
    trial: Trial
    own_frame: bool

    def rank(self) -> tuple[float, int, int, bool]:
        """The greatest is the best."""
        trial = self.trial
        return round(trial.overlap, 2), trial.good, trial.clean, self.own_frame


def format_warnings(
    read: Sequence[ReadAnswer], io: ModelIO, find: Find, annotations: Annotations | None
) -> tuple[str, ...]:
    """If many answers break the format: the reading that fits them better, if any.

    Args:
        find: the category of a label.
        annotations: if available.
    """
    broken = [one.answer for one in read if one.parsed.issues]
    if len(broken) <= BROKEN * len(read):
        return ()
    tried = broken[:TRIED]
    many = f"{len(broken)} of {len(read)} answers break the format {io.format.name}"
    truths = truths_of(annotations, tried) if annotations else {}
    trial = partial(_try, tried, find=find, truths=truths)
    now = trial(_parse(tried, io.format), io.format.frame, io.resize)
    better = [one for one in _candidates(tried, io, trial) if _is_better(one.trial, now, tried)]
    if better:
        best = max(better, key=_Candidate.rank)
        return (
            f"{many}. Of the first {len(tried)}, it {now.describe()}; {best.options} "
            f"{best.trial.describe()}: is this what the model writes?",
        )
    if 2 * sum(bool(_HYBRID.search(answer.text)) for answer in tried) > len(tried):
        return (
            f"{many}: they mix JSON and Qwen2-VL's special tokens, as ms-swift teaches from rows "
            "with `objects` unless QWENVL_BBOX_FORMAT=new is set: set it and train again. As it "
            f"stands, {io.format.name} {now.describe()}",
        )
    return _reasoning_warning(tried, io, many, now, trial)


def _is_better(other: Trial, now: Trial, tried: Sequence[Answer]) -> bool:
    more = other.good > MORE * now.good and 2 * other.good >= len(tried)
    useful = not other.truths or (other.hits > 0 and other.hits >= now.hits)
    sure = other.clean >= CLEAN * len(tried) or (other.truths and other.hits > other.truths / 2)
    return bool(more and useful and sure)


def _candidates(
    tried: Sequence[Answer], io: ModelIO, trial: "partial[Trial]"
) -> Iterator[_Candidate]:
    for name, inner in FORMATS.items():
        format = _wrapped(get_format(name), io.format)
        parsed = _parse(tried, format)
        frames = {frame: FRAMES[frame] for frame in OTHER_FRAMES if FRAMES[frame] != inner.frame}
        options = f"--format {name}"
        frame_name = next((text for text, frame in FRAMES.items() if frame == inner.frame), None)
        written = f"{options} --frame {frame_name}" if frame_name else options
        yield _Candidate(written, trial(parsed, inner.frame, io.resize), True)
        for frame, meaning in frames.items():
            result = trial(parsed, meaning, io.resize)
            yield _Candidate(f"{options} --frame {frame}", result, False)
        if name == "qwen2_5_vl" and not isinstance(io.resize, QwenResize):
            with suppress(InputError):  # it accepts no image of this size
                result = trial(parsed, inner.frame, QwenResize())
                yield _Candidate("--model-type qwen2_5_vl", result, True)


def _reasoning_warning(
    tried: Sequence[Answer], io: ModelIO, many: str, now: Trial, trial: "partial[Trial]"
) -> tuple[str, ...]:
    """For answers with the right boxes, where only the surrounding text is not as expected."""
    if not isinstance(io.format, Reasoned):
        return ()
    for reasoning in ("none", "think", "think_answer"):
        if reasoning != io.format.reasoning:
            format = replace(io.format, reasoning=reasoning)
            other = trial(_parse(tried, format), format.frame, io.resize)
            if other.clean - now.clean > CLEAN * len(tried) and other.good >= now.good:
                return (
                    f"{many} in the text around the boxes: --reasoning {reasoning} fits them (or "
                    "pass the same --template, --enable-thinking as at inference). The boxes are "
                    "the same",
                )
    return ()


def _wrapped(format: Format, current: Format) -> Format:
    """The format with the reasoning style of the model's own format."""
    if isinstance(current, Reasoned) and isinstance(format, Reasoned):
        return replace(format, reasoning=current.reasoning)
    return format


def _parse(tried: Sequence[Answer], format: Format) -> list[ParsedCompletion]:
    served = format.served()
    return [(served if answer.served else format).parse(answer.text) for answer in tried]


def _try(
    tried: Sequence[Answer],
    parsed: Sequence[ParsedCompletion],
    frame: Frame,
    resize: Resize,
    *,
    find: Find,
    truths: TruthsOf,
) -> Trial:
    views = [view_of(answer, resize) for answer in tried]
    return try_reading(tried, parsed, frame, views, find, truths)
