"""What sampled completions say about the setup, as pure functions of their texts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...data.ground_truth import GroundTruth
from ...formats import Format
from ...geometry.frames import FRAMES, View
from ...reward.equations import RewardBreakdown
from ...reward.matching import MatchProblem, match
from ...reward.scorer import Scorer
from ...text import clipped, share
from ..findings import Finding, note, ok, problem, warning

CLEAR = 0.2  # mean IoU by which another frame must be better to be named
NOTHING = 0.02  # mean recall plus precision up to this counts as 0
FLAT = 0.9  # share of groups with equal rewards that leaves nothing to learn from
CUT_OFF = 0.25  # share of completions that end at the length limit
NEAR = 0.15  # relative difference of size ratios that are the same


@dataclass(frozen=True)
class Group:
    """The completions of one prompt.

    Attributes:
        truth: the annotations.
        view: what the model saw.
        texts: its completions.
        cut_off: whether each ended at the length limit.
    """

    truth: GroundTruth
    view: View
    texts: tuple[str, ...]
    cut_off: tuple[bool, ...]


def answer_findings(
    groups: Sequence[Group], scorer: Scorer
) -> tuple[list[Finding], dict[str, object]]:
    """Everything that the completions show, and the numbers for the JSON summary."""
    stages = stages_of(scorer)
    scores = {
        stage: [[scorer.score(text, g.truth, stage) for text in g.texts] for g in groups]
        for stage in stages
    }
    if scorer.schedule.needs == "group":
        scores["adaptive"] = [_adapted(group, scorer) for group in groups]
    first = scores.get("adaptive", scores[stages[0]])
    wrong_frame = frame_finding(groups, scorer.io.format)
    flat = [one for rows in first for one in rows]
    findings = [parse_finding(flat, wrong_frame is not None), *cut_off_findings(groups)]
    findings += [reward_finding(stage, rows) for stage, rows in scores.items()]
    findings += [wrong_frame or frame_is_right(groups, scorer.io.format)]
    findings += usefulness(first, wrong_frame is not None, scorer.settings.highest)
    findings.append(note("sample", f"one of the completions: {clipped(groups[0].texts[0], 300)!r}"))
    return findings, {
        "rewards": {stage: means(rows) for stage, rows in scores.items()},
        "issues": dict(issue_counts(flat)),
    }


def stages_of(scorer: Scorer) -> tuple[str, ...]:
    """The stages that the run would go through, or go from and to."""
    return scorer.schedule.names


def _adapted(group: Group, scorer: Scorer) -> list[RewardBreakdown]:
    """The group's completions under the criteria that an adaptive schedule gives them."""
    judges = scorer.judges(group.texts, [group.truth] * len(group.texts))
    standards = scorer.standards_of_groups(judges, [0] * len(judges))
    pairs = zip(judges, standards, strict=True)
    return [judge(standard.criteria) for judge, standard in pairs]


def issue_counts(scores: Sequence[RewardBreakdown]) -> Counter[str]:
    """Completions by format issue."""
    return Counter(issue for score in scores for issue in score.issues)


def parse_finding(scores: Sequence[RewardBreakdown], explained: bool) -> Finding:
    """How many completions are in the format, and what is wrong with the others."""
    right = sum(not score.issues for score in scores)
    said = ", ".join(
        f"{issue} {count / len(scores):.0%}" for issue, count in issue_counts(scores).most_common(6)
    )
    text = f"format: {share(right, len(scores))} completions are right" + (
        f"; issues: {said}" if said else ""
    )
    unread = sum(not score.predicted for score in scores)
    if right:
        return (ok if right > len(scores) / 2 else note)("format_rate", text)
    text += f"; no box could be read in {unread}" if unread else ""
    cause = (
        "the frame is wrong, see below"
        if explained
        else (
            "is it the model's own format (settings `format`, `reasoning`), and does the prompt "
            "ask for it?"
        )
    )
    return problem("format_rate", f"{text}. The format reward would be 0 throughout: {cause}")


def cut_off_findings(groups: Sequence[Group]) -> list[Finding]:
    """Completions that end at the length limit."""
    ends = [end for group in groups for end in group.cut_off]
    if sum(ends) < CUT_OFF * len(ends):
        return []
    text = f"{share(sum(ends), len(ends))} completions are cut off: raise --max_completion_length"
    return [(problem if all(ends) else note)("cut_off", text)]


def means(scores: Sequence[Sequence[RewardBreakdown]]) -> dict[str, float]:
    """Means and standard deviations of the parts, and the share of groups with equal rewards."""
    flat = [score for group in scores for score in group]
    values: dict[str, float] = {}
    for part in ("format", "recall", "precision", "total"):
        numbers = np.array([getattr(score, part) for score in flat])
        values |= {part: float(numbers.mean()), f"{part}_std": float(numbers.std())}
    return values | {"zero_spread": float(np.mean([_is_flat(group) for group in scores]))}


def _is_flat(group: Sequence[RewardBreakdown]) -> bool:
    return float(np.ptp([score.total for score in group])) < 1e-9


def reward_finding(stage: str, scores: Sequence[Sequence[RewardBreakdown]]) -> Finding:
    """Mean and spread of each part under a stage's thresholds."""
    values = means(scores)
    parts = ", ".join(
        f"{part} {values[part]:.2f} ± {values[f'{part}_std']:.2f}"
        for part in ("format", "recall", "precision", "total")
    )
    under = "criteria by group" if stage == "adaptive" else f"{stage} stage"
    text = f"{under}: {parts}; {values['zero_spread']:.0%} of the groups have zero spread"
    nothing = values["recall"] + values["precision"] < NOTHING or values["zero_spread"] >= FLAT
    return (warning if nothing else ok)(f"rewards_{stage}", text)


def usefulness(
    scores: Sequence[Sequence[RewardBreakdown]], explained: bool, highest: float
) -> list[Finding]:
    """Whether the first stage's rewards can teach anything.

    Args:
        scores: of the completions of each group.
        explained: the frame is wrong.
        highest: the greatest reward of an answer.
    """
    values = means(scores)
    if values["recall"] + values["precision"] < NOTHING:
        cause = (
            "for the reason above"
            if explained
            else (
                "the model finds none of the annotated objects: look at the pictures, evaluate it "
                "with mmdet-eval, and train it with supervision first if it cannot localise"
            )
        )
        return [problem("zero_reward", f"recall and precision are 0 throughout, {cause}")]
    if values["zero_spread"] < FLAT:
        return []
    extreme = values["total"] > highest * FLAT
    cause = (
        "the data is too easy"
        if extreme
        else "raise the temperature, or make the first stage's thresholds easier"
    )
    text = (
        f"{values['zero_spread']:.0%} of the groups have equal rewards, so nothing to learn "
        f"from (Eq. 1): {cause}"
    )
    return [problem("zero_spread", text)]


def mean_iou(groups: Sequence[Group], format: Format, frame: str | None = None) -> float:
    """Mean over answered groups' completions of the mean IoU of matched pairs; boxes read in
    `frame`, or the format's.

    `yx` in front of the frame's name reads the numbers y first.
    """
    y_first = frame is not None and frame.startswith("yx ")
    units = FRAMES[frame.removeprefix("yx ")] if frame else format.frame
    values = []
    for group in groups:
        for text in group.texts if len(group.truth.boxes) else ():
            boxes = format.parse(text).boxes
            boxes = boxes[:, [1, 0, 3, 2]] if y_first else boxes
            pixels_xyxy = units.to_image(boxes, group.view)
            pairs = match(MatchProblem(pixels_xyxy, group.truth.boxes, group.truth.size))
            values.append(float(pairs.ious.mean()) if len(pairs.ious) else 0.0)
    return float(np.mean(values)) if values else 0.0


def frame_finding(groups: Sequence[Group], format: Format) -> Finding | None:
    """Another frame in which the same numbers fit the annotations far better, if there is one."""
    here = mean_iou(groups, format)
    frames = [f"{order}{name}" for order in ("", "yx ") for name in FRAMES]
    ious = {frame: mean_iou(groups, format, frame) for frame in frames}
    best = max(ious, key=lambda frame: ious[frame])
    if ious[best] < here + CLEAR:
        return size_finding(groups, format, here)
    name = best.removeprefix("yx ")
    order = ", y first" if name != best else ""
    ratio = _ratio_text(groups, format)
    text = (
        f"wrong frame: in frame {name}{order} the mean IoU would be {ious[best]:.2f}, in this "
        f"one it is {here:.2f}"
    )
    remedy = "choose a format that writes y first" if order else _remedy(name, format)
    return problem("wrong_frame", f"{text}{ratio}: {remedy}, or the model_type whose frame that is")


def _remedy(frame: str, format: Format) -> str:
    """The settings for a frame; a format of whole numbers cannot have one of fractions."""
    box = np.array([[0.2, 0.2, 0.8, 0.8]])
    if FRAMES[frame].units == 1 and not np.allclose(
        format.parse(format.write(box, ["a"])).boxes, box
    ):
        return f"set `format: json`, `frame: {frame}` and `json: {{decimals: 3}}` in the settings"
    return f"set `frame: {frame}` in the settings"


def frame_is_right(groups: Sequence[Group], format: Format) -> Finding:
    """The mean IoU, for the record."""
    text = (
        f"frame: mean IoU of matched boxes {mean_iou(groups, format):.2f}, no usual frame gives "
        "clearly more"
    )
    return ok("frame", text + _ratio_text(groups, format))


def size_ratio(groups: Sequence[Group], format: Format) -> tuple[float, float] | None:
    """Median over completions of predicted / annotated mean box (width, height), in the original
    image."""
    ratios = []
    for group in groups:
        for text in group.texts if len(group.truth.boxes) else ():
            boxes = format.frame.to_image(format.parse(text).boxes, group.view)
            if len(boxes):
                extents = [
                    (some_boxes[:, 2:] - some_boxes[:, :2]).mean(axis=0)
                    for some_boxes in (boxes, group.truth.boxes)
                ]
                ratios.append(extents[0] / extents[1])
    if not ratios:
        return None
    width, height = np.median(np.array(ratios), axis=0)
    return float(width), float(height)


def _ratio_text(groups: Sequence[Group], format: Format) -> str:
    ratio = size_ratio(groups, format)
    return (
        f"; predicted boxes are {ratio[0]:.2f} x {ratio[1]:.2f} the annotated size" if ratio else ""
    )


def size_finding(groups: Sequence[Group], format: Format, iou: float) -> Finding | None:
    """A frame that the sizes of the boxes point to when no frame puts the boxes in place."""
    ratio = size_ratio(groups, format)
    if ratio is None or iou > CLEAR or all(abs(np.log(side)) < np.log(1.5) for side in ratio):
        return None
    expected = _expected_ratios(groups, format)
    for name, sides in expected.items():
        if all(abs(np.log(a / b)) < NEAR for a, b in zip(ratio, sides, strict=True)):
            text = (
                f"{_ratio_text(groups, format)[2:]}, as if they were written in frame {name}: "
                f"{_remedy(name, format)}"
            )
            return problem("size_ratio", f"wrong frame: {text}, or the right model_type")
    return None


def _expected_ratios(groups: Sequence[Group], format: Format) -> Mapping[str, tuple[float, float]]:
    """The size ratio that would be seen if the model wrote in another frame than it is read in."""
    expected = {}
    for name, frame in FRAMES.items():
        sides = np.array(
            [[*frame.side(group.view), *format.frame.side(group.view)] for group in groups]
        )
        width, height = np.median(sides[:, :2] / sides[:, 2:], axis=0)
        expected[name] = float(width), float(height)
    return expected
