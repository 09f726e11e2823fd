"""The order in which boxes are written changes no reward, whatever the settings, ties included."""

import itertools
import json

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1 import PRESETS, Scorer, Settings, model_io, read_solution
from swift_plugin_visionr1.reward.equations import RewardBreakdown
from swift_plugin_visionr1.reward.settings import settings_from

CHOICES = {
    "matcher": ("box", "box_label"),
    "wrong_label": ("ignore", "unmatched"),
    "precision_over": ("matched", "valid", "predicted", "larger"),
    "differentiation": (True, False),
    "salvage": (True, False),
}
ALL = [*PRESETS.values()] + [
    settings_from(dict(zip(CHOICES, values, strict=True)))
    for values in itertools.product(*CHOICES.values())
]
SCORERS = [Scorer(settings, model_io(settings)) for settings in ALL]

# Few places and sizes, so that boxes coincide and assignments cost the same.
start, side = st.sampled_from([0, 20]), st.sampled_from([10, 20])
box = st.builds(lambda x, y, w, h: [x, y, x + w, y + h], start, start, side, side)
objects = st.lists(st.tuples(box, st.sampled_from(["cat", "Cat ", "dog"])), max_size=5)


def score(scorer: Scorer, predicted: list, annotated: list, stage: str) -> RewardBreakdown:
    text = json.dumps([{"bbox_2d": box, "label": label} for box, label in predicted])
    boxes, labels = [box for box, _ in annotated], [label for _, label in annotated]
    truth = {"width": 112, "height": 112, "boxes": boxes, "labels": labels}
    return scorer.score(text, read_solution(json.dumps(truth)), stage)


def parts(breakdown: RewardBreakdown) -> tuple[float, ...]:
    return breakdown.format, breakdown.recall, breakdown.precision, breakdown.count


@hypothesis.settings(max_examples=40)
@given(st.data(), objects, objects)
def test_no_order_changes_a_reward(data: st.DataObject, predicted: list, annotated: list) -> None:
    shuffled = data.draw(st.permutations(predicted)), data.draw(st.permutations(annotated))
    for scorer, stage in itertools.product(SCORERS, ("beginner", "advanced")):
        before = score(scorer, predicted, annotated, stage)
        after = parts(score(scorer, *shuffled, stage))
        if scorer.settings.rules == "official":  # sums in float32, as released
            assert parts(before) == pytest.approx(after, abs=1e-6), scorer.settings
        else:
            assert parts(before) == after, scorer.settings


CAT, DOG = ([0, 0, 20, 20], "cat"), ([0, 0, 20, 20], "dog")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(PRESETS["strict"], id="strict"),
        pytest.param(Settings(wrong_label="unmatched"), id="matched by boxes only"),
    ],
)
def test_of_two_boxes_at_one_place_the_one_with_the_right_label_is_matched(
    settings: Settings,
) -> None:
    scorer = Scorer(settings, model_io(settings))
    for predicted in ([CAT, DOG], [DOG, CAT]):
        assert score(scorer, predicted, [CAT], "beginner").recall == 1.0
    # Both annotated boxes are cats: the cat belongs to the one that it overlaps more.
    near = ([0, 0, 20, 12], "cat")
    for predicted, annotated in itertools.product(
        ([CAT, DOG], [DOG, CAT]), ([CAT, near], [near, CAT])
    ):
        breakdown = score(scorer, predicted, annotated, "advanced")
        assert breakdown.match.ious[[*breakdown.match.truths].index(annotated.index(CAT))] == 1.0
        assert breakdown.precision > 0
