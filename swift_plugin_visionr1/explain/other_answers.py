"""An answer to a pointing or counting row, and what it earns."""

from ..data.row_tasks import CountTruth, PointTruth
from ..formats.issue_meanings import meaning
from ..reward.equations import RewardBreakdown
from ..reward.scorer import Scorer
from ..text import aligned, one_line


def describe(text: str, target: PointTruth | CountTruth, scorer: Scorer) -> str:
    """The lines that `vision-r1 explain` prints.

    Raises:
        ValueError: no processor of the model's family accepts an image of this size.
    """
    (judge,) = scorer.judges([text], [target])
    breakdown = judge(scorer.schedule.standards[0].criteria)  # the same under all criteria
    lines = _counted(breakdown) if isinstance(target, CountTruth) else _pointed(breakdown, target)
    lines += [f"issue {issue}: {meaning(issue)}" for issue in breakdown.issues]
    paid = " + ".join(f"{name} {value:.4f}" for name, value in breakdown.paid.items())
    return "\n".join([*lines, f"reward = {paid} = {breakdown.total:.4f}", ""])


def _counted(breakdown: RewardBreakdown) -> list[str]:
    said = "the right number" if breakdown.count else "another number, or none"
    return [f"a counting row: {breakdown.truths} is right; the answer says {said}"]


def _pointed(breakdown: RewardBreakdown, target: PointTruth) -> list[str]:
    hits = dict(zip(breakdown.match.predictions, breakdown.match.truths, strict=True))
    labels = target.truth.labels
    rows = [["point", "x, y in pixels", "label", "in the box of"]]
    for place, (x, y, *_) in enumerate(breakdown.boxes_xyxy.tolist()):
        box = hits.get(place)
        inside = "-" if box is None else f"{box} {one_line(labels[box])}"
        label = breakdown.labels[place] if breakdown.labels else ""
        rows.append([str(place), f"{x:.1f}, {y:.1f}", one_line(label) or "-", inside])
    return [
        f"a pointing row: {breakdown.predicted} points read, {breakdown.truths} boxes annotated, "
        f"{len(hits)} boxes with a point of their own",
        *aligned(rows),
    ]
