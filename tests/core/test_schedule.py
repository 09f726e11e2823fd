"""When which criteria hold: stages, thresholds that move with the run, and groups that set their
own."""

import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1 import Criteria, Scorer, model_io, two_stages
from swift_plugin_visionr1.reward.moving import Adaptive, Continuous, achieved_iou
from swift_plugin_visionr1.reward.schedule import Stage, Standard
from swift_plugin_visionr1.reward.settings import Settings, settings_from

BEGINNER, ADVANCED = Criteria(0.5, 0.5, 0.75), Criteria(0.75, 0.75, 0.9)
THREE = {
    "schedule": "stages",
    "stages": [
        {"xi0": 0.5, "xi1": 0.5, "xi2": 0.75},
        {"step": "1/3", "xi0": 0.6, "xi1": 0.6, "xi2": 0.8},
        {"step": "2/3", "xi0": 0.75, "xi1": 0.75, "xi2": 0.9},
    ],
}


@pytest.mark.parametrize(
    ("step", "max_steps", "first"),
    [
        pytest.param(Fraction(1, 2), 100, 50, id="half"),
        pytest.param(Fraction(1, 2), 101, 51, id="half of an odd number rounds up"),
        pytest.param(Fraction(1, 3), 99, 33, id="a third is exact"),
        pytest.param(Fraction(1, 3), 100, 34, id="a third rounds up"),
        pytest.param(Fraction(1), 100, None, id="1 is never"),
    ],
)
def test_first_advanced_step(step: Fraction, max_steps: int, first: int | None) -> None:
    schedule = two_stages(step=step)
    assert schedule.first_steps(max_steps).get("advanced") == first
    stages = [schedule.at(at, max_steps).name for at in range(max_steps)]
    assert stages.count("beginner") == (max_steps if first is None else first)
    assert "beginner" not in stages[stages.count("beginner") :]


def test_an_absolute_switch_ignores_the_length_of_the_run() -> None:
    schedule = two_stages(switch_step=1500)
    assert [schedule.at(at, 10**6).number for at in (0, 1499, 1500)] == [1, 1, 2]


@pytest.mark.parametrize("stage", ["beginner", "advanced"])
def test_a_fixed_stage_holds_at_every_step(stage: Stage) -> None:
    schedule = two_stages(fixed=stage)
    assert {schedule.at(at, 100).name for at in range(100)} == {stage}
    assert schedule.needs == "nothing"


@pytest.mark.parametrize(
    ("max_steps", "firsts"),
    [
        pytest.param(9, [0, 3, 6], id="thirds are exact"),
        pytest.param(10, [0, 4, 7], id="thirds round up"),
    ],
)
def test_three_stages(max_steps: int, firsts: list[int]) -> None:
    schedule = settings_from(THREE).refinement
    numbers = [schedule.at(step, max_steps).number for step in range(max_steps)]
    assert [numbers.index(number) for number in (1, 2, 3)] == firsts
    assert numbers == sorted(numbers)
    assert schedule.names == ("beginner", "intermediate", "advanced")
    assert schedule.at(firsts[1], max_steps).criteria == Criteria(0.6, 0.6, 0.8)


def test_stages_at_absolute_steps() -> None:
    later = [
        {**stage, "switch_step": at} for stage, at in zip(THREE["stages"][1:], (5, 9), strict=True)
    ]
    for stage in later:
        del stage["step"]
    schedule = settings_from({**THREE, "stages": [THREE["stages"][0], *later]}).refinement
    assert [schedule.at(step, 10**6).number for step in (0, 4, 5, 8, 9, 10**5)] == [
        1,
        1,
        2,
        2,
        3,
        3,
    ]


@pytest.mark.parametrize(
    ("begins", "ends", "step", "xi0"),
    [
        pytest.param("0", "1", 0, 0.5, id="first step"),
        pytest.param("0", "1", 50, 0.625, id="half-way"),
        pytest.param("0", "1", 99, 0.7475, id="last step"),
        pytest.param("1/4", "3/4", 25, 0.5, id="where it begins"),
        pytest.param("1/4", "3/4", 26, 0.505, id="one step on"),
        pytest.param("1/4", "3/4", 75, 0.75, id="where it ends"),
        pytest.param("1/4", "3/4", 99, 0.75, id="after its end"),
    ],
)
def test_continuous(begins: str, ends: str, step: int, xi0: float) -> None:
    parts = {"schedule": "continuous", "continuous": {"begins": begins, "ends": ends}}
    standard = settings_from(parts).refinement.at(step, 100)
    share = (xi0 - 0.5) / 0.25
    assert standard.criteria.xi0 == pytest.approx(xi0, abs=1e-12)
    assert standard.criteria.xi2 == pytest.approx(0.75 + 0.15 * share, abs=1e-12)
    assert standard.number == pytest.approx(1 + share, abs=1e-12)


def test_the_ends_are_the_stages_themselves() -> None:
    schedule = settings_from({"schedule": "continuous", "continuous": {"ends": "1/2"}}).refinement
    ends = [schedule.at(step, 8) for step in (0, 4, 7)]
    assert [(end.name, end.criteria) for end in ends] == [
        ("beginner", BEGINNER),
        ("advanced", ADVANCED),
        ("advanced", ADVANCED),
    ]


thresholds = st.floats(0, 1)
criteria = st.tuples(thresholds, thresholds, thresholds, thresholds).map(
    lambda four: (sorted(four[:2]), sorted(four[2:]))
)


@given(criteria, st.integers(2, 60), st.integers(0, 59), st.integers(1, 60))
def test_no_threshold_falls_or_leaves_its_ends(
    ends: tuple[list[float], list[float]], max_steps: int, begins: int, length: int
) -> None:
    (easy0, hard0), (easy2, hard2) = ends
    standards = (
        Standard("beginner", 1.0, Criteria(easy0, 0.0, easy2)),
        Standard("advanced", 2.0, Criteria(hard0, 0.0, hard2)),
    )
    span = Fraction(begins, 60), Fraction(min(begins + length, 60), 60)
    schedule = Continuous(standards, *span)
    each = [schedule.at(step, max_steps).criteria for step in range(max_steps)]
    for values, low, high in (
        ([one.xi0 for one in each], easy0, hard0),
        ([one.xi2 for one in each], easy2, hard2),
    ):
        assert all(low <= value <= high for value in values)
        assert all(before <= after + 1e-15 for before, after in pairwise(values))


@pytest.mark.parametrize(
    ("achieved", "xi0"),
    [
        pytest.param([0.0, 0.2], 0.5, id="nothing achieved"),
        pytest.param([0.4, 0.6], 0.5, id="at the lower end"),
        pytest.param([0.5, 0.75], 0.625, id="xi0 is what the group achieves"),
        pytest.param([0.9, 0.6], 0.75, id="at the upper end"),
        pytest.param([1.0, 1.0], 0.75, id="all achieved"),
        pytest.param([None, None], 0.5, id="nothing to find"),
    ],
)
def test_a_group_sets_its_criteria(achieved: list[float | None], xi0: float) -> None:
    schedule = settings_from({"schedule": "adaptive"}).refinement
    assert isinstance(schedule, Adaptive)
    other = [("other", 1.0)]
    standard = schedule.by_group([*((0, one) for one in achieved), *other])[0]
    assert standard.criteria.xi0 == pytest.approx(xi0)
    assert standard.number == pytest.approx(1 + (xi0 - 0.5) / 0.25)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=16), st.randoms())
def test_the_order_of_completions_changes_nothing(achieved: list[float], random: object) -> None:
    schedule = settings_from({"schedule": "adaptive"}).refinement
    shuffled = random.sample(achieved, len(achieved))
    pairs = [[(0, one) for one in each] for each in (achieved, shuffled)]
    assert schedule.by_group(pairs[0]) == schedule.by_group(pairs[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 7), st.floats(0, 1))
def test_a_better_completion_never_eases_the_criteria(
    achieved: list[float], place: int, better: float
) -> None:
    schedule = settings_from({"schedule": "adaptive"}).refinement
    raised = list(achieved)
    raised[place % len(raised)] = max(raised[place % len(raised)], better)
    before, after = (schedule.by_group([(0, x) for x in xs])[0] for xs in (achieved, raised))
    assert before.criteria.xi0 <= after.criteria.xi0 + 1e-15
    assert before.criteria.xi2 <= after.criteria.xi2 + 1e-15


def answer(box: list[int], label: str = "cat") -> str:
    return json.dumps([{"bbox_2d": box, "label": label}])


def solution(*boxes: list[int]) -> str:
    return json.dumps({"width": 112, "height": 112, "boxes": boxes, "labels": ["cat"] * len(boxes)})


EXACT, LOOSE = answer([0, 0, 20, 20]), answer([0, 0, 20, 12])  # IoU 1 and .6
ONE, NONE = solution([0, 0, 20, 20]), solution()


def adaptive(**settings: object) -> Settings:
    return settings_from({"schedule": "adaptive", **settings})


def scored(settings: Settings, texts: list[str], solutions: list[str], **columns: list) -> Scorer:
    scorer = Scorer(settings, model_io(settings))
    scorer(texts, {"solution": solutions, **columns}, None, 0)
    return scorer


def test_groups_of_a_batch_have_their_own_criteria() -> None:
    other = solution([50, 50, 70, 70])
    scorer = scored(
        adaptive(), [EXACT, LOOSE, LOOSE, LOOSE, "[]", "x"], [ONE, ONE, other, other, NONE, NONE]
    )
    xi0 = [standard.criteria.xi0 for standard in scorer.last.standards]
    assert xi0 == [0.75, 0.75, 0.5, 0.5, 0.5, 0.5]  # 0.8, 0 and nothing to find
    assert [one.recall for one in scorer.last.breakdowns] == [1, 0, 0, 0, 1, 0]
    sums = scorer.take_sums()
    assert (sums["annotated"], sums["achieved"]) == (4, pytest.approx(1.6))


def test_the_prompt_tells_groups_with_the_same_boxes_apart() -> None:
    asked = [[{"role": "user", "content": text}] for text in ("a", "a", "b", "b")]
    scorer = scored(adaptive(), [EXACT, EXACT, "[]", "[]"], [ONE] * 4, messages=asked)
    assert [one.criteria.xi0 for one in scorer.last.standards] == [0.75, 0.75, 0.5, 0.5]


def test_a_group_that_is_spread_over_processes_has_one_criterion() -> None:
    settings, texts = adaptive(), [EXACT, LOOSE, LOOSE, "[]"]
    whole = scored(settings, texts, [ONE] * 4).last
    slices, parts = (texts[:1], texts[1:]), []
    for own in slices:
        scorer = Scorer(settings, model_io(settings), lambda mine: parts.extend(mine) or mine)
        scorer(own, {"solution": [ONE] * len(own)}, None, 0)
    for own, expected in zip(slices, (whole.breakdowns[:1], whole.breakdowns[1:]), strict=True):
        here = Scorer(settings, model_io(settings), lambda mine: list(parts))
        breakdowns = here(own, {"solution": [ONE] * len(own)}, None, 0)
        assert [one.total for one in breakdowns] == [one.total for one in expected]


@pytest.mark.parametrize(
    ("settings", "text", "achieved"),
    [
        pytest.param({}, LOOSE, 0.6, id="paper"),
        pytest.param({}, answer([0, 0, 20, 12], "dog"), 0.6, id="paper ignores labels"),
        pytest.param({"preset": "strict"}, answer([0, 0, 20, 12], "dog"), 0.0, id="strict"),
        pytest.param({"preset": "official"}, LOOSE, 0.6, id="official, by GIoU"),
        pytest.param({"preset": "official"}, answer([60, 60, 70, 70]), 0.0, id="GIoU below 0"),
        pytest.param({}, "no boxes", 0.0, id="unreadable"),
    ],
)
def test_what_a_completion_achieves(settings: dict, text: str, achieved: float) -> None:
    scorer = scored(adaptive(**settings), [text], [ONE])
    assert scorer.last.breakdowns[0].achieved == pytest.approx(achieved)


def test_missed_boxes_count_as_nothing() -> None:
    assert achieved_iou(np.array([1.0]), 4) == 0.25
    assert achieved_iou(np.array([]), 0) is None
