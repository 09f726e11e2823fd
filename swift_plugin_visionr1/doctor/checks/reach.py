"""Whether the right answer of a row can earn the full reward. It is rounded to the format's grid in
the frame that the model sees, and a small box may lose too much by that."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry.boxes import Boxes
from ...geometry.frames import FRAMES
from ...models.right_answer import right_answer
from ...progress import show_progress
from ...reward.scorer import Scorer
from ...text import listed, share
from ..cases import spaced
from ..findings import Finding, note, ok, problem, warning
from ..right_answers import RightAnswer
from .answers import stages_of

NOTABLE = 0.1  # of the reward; rounding costs boxes that are less small less than this
WASTEFUL, SLIGHT = 0.5, 0.01  # shares of rows that lose this much: a problem, or more than a note
SMALL, TINY = 28, 14  # pixels of the processed image: a visual token of Qwen2.5-VL, and a patch
TRIED = 100  # rows out of reach on which other limits are tried
TOKEN = 28 * 28  # pixels; limits are rounded to it
LARGER = tuple(1.5**power for power in range(1, 9))  # times the area of what the model sees

ScorerWith = Callable[[int, bool], Scorer | None]  # other limits: least or greatest area in pixels


@dataclass(frozen=True)
class Lost:
    """A right answer that earns less than the full reward.

    Attributes:
        written: the answer.
        totals: what it earns by stage.
        issues: of its format.
    """

    written: RightAnswer
    totals: Mapping[str, float]
    issues: tuple[str, ...]


def size_finding(written: Sequence[RightAnswer]) -> list[Finding]:
    """How large the boxes are as the model sees them."""
    boxes = [FRAMES["processed"].from_image(w.case.truth.boxes, w.case.view) for w in written]
    sides = np.concatenate([each[:, 2:] - each[:, :2] for each in boxes] or [np.zeros((0, 2))])
    if not len(sides):
        return []
    width, height = np.median(sides, axis=0)
    least = sides.min(axis=1)
    small, tiny = (int(np.count_nonzero(least < limit)) for limit in (SMALL, TINY))
    text = (
        f"boxes as the model sees them: {width:.0f} x {height:.0f} pixels in the median; "
        f"{share(small, len(least))} have a side under {SMALL} pixels, {share(tiny, len(least))} "
        f"one under {TINY}"
    )
    return [ok("box_sizes", text)]


def reach_findings(
    written: Sequence[RightAnswer], scorer: Scorer, scorer_with: ScorerWith
) -> tuple[list[Finding], list[str]]:
    """Rows whose right answer earns less than the full reward in a stage.

    Args:
        written: the right answers.
        scorer: the run's.
        scorer_with: the scorer of a run with another limit of image sizes, in pixels; whether it is
            the least area. Returns None if there cannot be one.

    Returns:
        The findings, and the places of these rows.
    """
    if not scorer.settings.pays_denial:
        written = [one for one in written if len(one.case.truth.boxes)]
    if not written:
        return [], []
    doubtful = [written[index] for index in _doubtful(written, scorer)]
    shown = show_progress(doubtful, len(doubtful), sys.stderr, "scored", "doubtful right answers")
    lost = [one for one in (_scored(each, scorer) for each in shown) if one is not None]
    if not lost:
        return [ok("reach", "every right answer earns the full reward in every stage")], []
    full = scorer.settings.highest
    lost.sort(key=lambda one: min(one.totals.values()))
    counts = {
        stage: sum(one.totals[stage] < full - 1e-9 for one in lost) for stage in stages_of(scorer)
    }
    said = ", ".join(
        f"{share(count, len(written))} in the {stage} stage" for stage, count in counts.items()
    )
    text = f"right answers that cannot earn the full reward: {said}. {_example(lost, full)}"
    text += _remedy(lost, scorer, scorer_with)
    notable = [sum(one.totals[stage] <= full - NOTABLE for one in lost) for stage in counts]
    state = problem if min(notable) >= WASTEFUL * len(written) else warning
    state = note if max(notable) < SLIGHT * len(written) else state
    return [state("reach", text)], [one.written.case.row.place for one in lost]


def _doubtful(written: Sequence[RightAnswer], scorer: Scorer) -> list[int]:
    """Indices of the answers that may not be read back closely enough; only these are matched."""
    enough = max(scorer.schedule.criteria(stage).xi2 for stage in stages_of(scorer))
    format = scorer.io.format
    broken, kept, pairs = [], [], []
    shown = show_progress(written, len(written), sys.stderr, "read", "right answers")
    for index, one in enumerate(shown):
        truth, parsed = one.case.truth, format.parse(one.text)
        issues = parsed.issues + format.content_issues(parsed, one.case.view)
        if issues or len(parsed.boxes) != len(truth.boxes) or parsed.labels != truth.labels:
            broken.append(index)
        elif len(truth.boxes):
            pairs.append((format.frame.to_image(parsed.boxes, one.case.view), truth.boxes))
            kept += [index] * len(truth.boxes)
    if not pairs:
        return broken
    ious = _paired_iou(*(np.concatenate(each) for each in zip(*pairs, strict=True)))
    return sorted({*broken, *np.array(kept)[ious < enough].tolist()})


def _paired_iou(a: Boxes, b: Boxes) -> np.ndarray:
    """(n,) IoU of each of (n, 4) xyxy boxes with the one in the same place of the other."""
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    both = sides.clip(0).prod(axis=1)
    return np.asarray(both / (_area(a) + _area(b) - both), dtype=np.float64)


def _area(boxes: Boxes) -> np.ndarray:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), dtype=np.float64)


def _scored(written: RightAnswer, scorer: Scorer) -> Lost | None:
    scores = {s: scorer.score(written.text, written.case.truth, s) for s in stages_of(scorer)}
    totals = {stage: score.total for stage, score in scores.items()}
    if min(totals.values()) >= scorer.settings.highest - 1e-9:
        return None
    return Lost(written, totals, next(iter(scores.values())).issues)


def _example(lost: Sequence[Lost], full: float) -> str:
    earned = ", ".join(f"{total:.2f} of {full:g}" for total in lost[0].totals.values())
    places = listed((one.written.case.row.place for one in lost), 3)
    text = f"The least is earned in {places} (the first: {earned})"
    issues = Counter(issue for one in lost for issue in one.issues)
    if issues:
        said = ", ".join(f"{issue} {count}" for issue, count in issues.most_common(3))
        text += f"; issues of their format: {said}"
    return text


def _remedy(lost: Sequence[Lost], scorer: Scorer, scorer_with: ScorerWith) -> str:
    """Limits of image sizes that bring the rows within reach, tried one after another."""
    leave_out = "leave these rows or boxes out, or cut the images into tiles"
    if scorer.io.format.frame.units != "processed":
        frame = scorer.io.format.frame.describe()
        return f". They are rounded to {frame}, which no limit of image sizes changes: {leave_out}"
    tried = [lost[index].written for index in spaced(len(lost), TRIED)]
    best = max(_mended(tried, scorer_with), key=lambda each: each[0], default=(0, ""))
    if not best[0]:
        return f". No limit of image sizes helps: {leave_out}"
    return (
        f". {best[1]} would bring {share(best[0], len(tried))} of them within reach; or {leave_out}"
    )


def _mended(tried: Sequence[RightAnswer], scorer_with: ScorerWith) -> Iterator[tuple[int, str]]:
    """How many are within reach under larger and larger limits, until all are; and the limit."""
    seen = max(one.case.view.processed[0] * one.case.view.processed[1] for one in tried)
    for is_least in (False, True):
        for factor in LARGER:
            pixels = round(seen * factor / TOKEN) * TOKEN
            scorer = scorer_with(pixels, is_least)
            count = 0 if scorer is None else sum(_is_full(one, scorer) for one in tried)
            yield count, f"MAX_PIXELS={pixels}" + (f" and MIN_PIXELS={pixels}" * is_least)
            if count == len(tried):
                return


def _is_full(written: RightAnswer, scorer: Scorer) -> bool:
    truth = written.case.truth
    text = right_answer(truth, scorer.io.resize.view(truth.size), scorer.io.format)
    return _scored(RightAnswer(written.case, text), scorer) is None
