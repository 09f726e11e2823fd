"""The assistant's answers of supervised rows, as the model is taught them, against the format and
frame that the rewards will read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data.published.ms_swift_grounding import BOX, REF
from ...formats import Format
from ...geometry.frames import FRAMES, View
from ...models.model_io import ModelIO
from ...text import listed, share
from ..cases import Case, SeenAs, spaced
from ..findings import Finding, ok, problem, warning
from ..rows import DoctorRow
from ..taught import BBOX_FORMAT, Spelling, taught_answer
from .answers import Group, mean_iou
from .box_signs import ENOUGH, FULL, SHORT, Evidence
from .taught_rows import taught_row_findings

WASTEFUL = 0.05  # share of answers in another format
ALIKE = 0.7  # mean IoU of answers that are the row's solution, rounded to a grid
COMPARED = 1000  # answers that are matched with their solutions; all could take minutes
REMEDY = (
    "`vision-r1 prepare --target` writes them for this run, from COCO annotations or (--rows) "
    "from such rows"
)


@dataclass(frozen=True)
class Taught:
    """An answer that a supervised run teaches.

    Attributes:
        row: where it is from.
        text: the answer, with names and boxes instead of placeholders.
        view: what the model sees of the image; None if unknown.
    """

    row: DoctorRow
    text: str
    view: View | None


def target_findings(
    cases: Sequence[Case], io: ModelIO, seen: SeenAs, spelling: Spelling
) -> list[Finding]:
    """How many of the answers in the data are right answers in the model's own format.

    Args:
        cases: the rows.
        io: the model's format and frame.
        seen: what the model sees of an image of a size.
        spelling: how ms-swift's template writes `objects`.
    """
    answered = [case for case in cases if case.row.target]
    if not answered:
        return [_nothing_taught(cases)] if cases else []
    told = [_taught(case, seen, spelling) for case in answered]
    taught = [each for each in told if each is not None]
    return [*taught_row_findings(cases), *_judged(taught, io)]


def _judged(taught: Sequence[Taught], io: ModelIO) -> list[Finding]:
    if not taught:
        return []
    wrong = _legacy_tokens(taught, io) or _left_over(taught)
    wrong = wrong or _misplaced(taught, io) or _other_frame(taught, io.format)
    return [wrong or _format(taught, io)]


def _nothing_taught(cases: Sequence[Case]) -> Finding:
    text = "no row has an assistant's message to learn from"
    if any(case.row.objects for case in cases):
        text += (
            f": `objects` alone teaches nothing, {REF} and {BOX} in an assistant's message say "
            "where its names and boxes go"
        )
    return problem("no_targets", text)


def _taught(case: Case, seen: SeenAs, spelling: Spelling) -> Taught | None:
    size = case.file.size or case.row.size
    view = case.view if case.file.size is None else seen(case.file.size)
    view = view or (seen(size) if size else None)
    text = taught_answer(case.row, view, spelling)
    return None if text is None else Taught(case.row, text, view)


def _legacy_tokens(taught: Sequence[Taught], io: ModelIO) -> Finding | None:
    """Answers whose `objects` are written with Qwen2-VL's tokens for a model that writes JSON."""
    tokens = io.format.name not in ("qwen2_vl", "rex_omni")
    bad = [one for one in taught if tokens and one.row.objects and "<|box_start|>" in one.text]
    if not bad:
        return None
    text = (
        f"{share(len(bad), len(taught))} answers mix the format with Qwen2-VL's special tokens: "
        f"{bad[0].row.place} is taught as {_one_line(bad[0].text)!r}, which is not "
        f"{io.format.name}. "
    )
    shown = '[{"bbox_2d": <bbox>, "label": "<ref-object>"}]'
    remedy = f"Set {BBOX_FORMAT}=new in the environment (ENV: of the recipe)"
    if "{" not in bad[0].row.target:
        remedy += f", and write the answers as JSON: {shown}"
    return problem("bbox_format", text + remedy)


def _left_over(taught: Sequence[Taught]) -> Finding | None:
    """Answers with more placeholders than the row has names or boxes."""
    bad = [one for one in taught if one.row.objects and (REF in one.text or BOX in one.text)]
    if not bad:
        return None
    text = (
        f"{share(len(bad), len(taught))} answers have more {REF} or {BOX} than `objects` has names "
        f"or boxes, the first is {bad[0].row.place}: the model would learn to write the "
        "placeholders. `ref` lists the names of the question first, then those of the answer"
    )
    return problem("placeholders", text)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:160]


def _format(taught: Sequence[Taught], io: ModelIO) -> Finding:
    issues: Counter[str] = Counter()
    bad: list[DoctorRow] = []
    for one in taught:
        parsed = io.format.parse(one.text)
        content = io.format.content_issues(parsed, one.view) if one.view else ()
        issues.update(parsed.issues + content)
        bad += [one.row] if parsed.issues + content else []
    right = len(taught) - len(bad)
    text = f"{share(right, len(taught))} answers in the data are right {io.format.name} answers"
    if not bad:
        return ok("targets", text)
    named = ", ".join(f"{issue} {count}" for issue, count in issues.most_common(5))
    state = problem if len(bad) >= WASTEFUL * len(taught) else warning
    places = listed(row.place for row in bad)
    return state("targets", f"{text}; issues: {named}; the others are {places}; {REMEDY}")


def _misplaced(taught: Sequence[Taught], io: ModelIO) -> Finding | None:
    """Answers that do not match their row's own solution, in rows that have one."""
    groups = [
        Group(one.row.truth, one.view, (one.text,), (False,))
        for one in taught
        if one.row.truth and one.view and len(one.row.truth.boxes)
    ]
    groups = [groups[index] for index in spaced(len(groups), COMPARED)]
    overlap = mean_iou(groups, io.format)
    if overlap >= ALIKE or not groups:
        return None
    text = (
        f"the answers in the data are not their rows' solutions: as {io.format.name}, "
        f"{io.format.frame.describe()}, the mean IoU is {overlap:.2f}. They were written for "
        f"another model_type or other limits of image sizes: {REMEDY}"
    )
    return problem("targets", text)


def _other_frame(taught: Sequence[Taught], format: Format) -> Finding | None:
    """Answers of rows without a solution whose boxes leave the format's frame, or stay far from its
    borders, and fit another frame."""
    pairs = [(format.parse(one.text).boxes, one.view) for one in taught if one.view]
    boxes = [boxes for boxes, _ in pairs if len(boxes)]
    views = [view for boxes, view in pairs for _ in boxes if view]
    if len(views) < ENOUGH:
        return None
    evidence = Evidence(np.concatenate(boxes), np.zeros((0, 2)), np.zeros((0, 2)))
    sides = {name: np.array([frame.side(view) for view in views]) for name, frame in FRAMES.items()}
    expected = np.array([format.frame.side(view) for view in views])
    fits = evidence.fits(evidence.boxes, expected)
    if fits and min(evidence.reach(expected)) >= SHORT:
        return None
    likely = {
        name: evidence.reach(side)
        for name, side in sides.items()
        if evidence.fits(evidence.boxes, side)
        and min(evidence.reach(side)) >= (FULL if fits else SHORT)
    }
    if not likely:
        return None
    name = min(likely, key=lambda each: float(np.abs(1 - np.array(likely[each])).sum()))
    x, y = likely[name]
    text = (
        f"the answers' boxes are {FRAMES[name].describe()} by their reach ({x:.0%} and {y:.0%}), "
        f"but {format.name} is read as {format.frame.describe()}"
    )
    return problem("targets_frame", f"{text}: {REMEDY}")
