"""The shared pass: what it remembers and what it adds up."""

import json

import pytest

from swift_plugin_visionr1 import PRESETS, Scorer, SettingsError, model_io
from swift_plugin_visionr1.reward.scorer import means
from swift_plugin_visionr1.reward.settings import settings_from

GOOD = '[{"bbox_2d": [0, 0, 20, 20], "label": "a"}]'
SOLUTION = json.dumps({"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]], "labels": ["a"]})


def scorer() -> Scorer:
    return Scorer(PRESETS["paper"], model_io(PRESETS["paper"]))


def test_means_over_what_was_scored_since_the_last_call() -> None:
    own = scorer()
    texts = [GOOD, "oops"]
    own(texts, {"solution": [SOLUTION] * 2}, "beginner", 0)
    own(texts, {"solution": [SOLUTION] * 2}, "beginner", 0)  # another reward asks for the batch
    assert means([own.take_sums()]) == {
        "format": 0.5,
        "recall": 0.5,
        "precision": 0.5,
        "predicted": 0.5,
        "truths": 1.0,
        "issues/not_json": 0.5,
    }
    assert means([own.take_sums()]) == {}


def test_the_means_of_two_processes_weigh_each_completion_alike() -> None:
    sums = []
    for texts in ([GOOD, GOOD, GOOD], ["oops"]):  # the issue is seen by the second process only
        own = scorer()
        own(texts, {"solution": [SOLUTION] * len(texts)}, "beginner", 0)
        sums.append(own.take_sums())
    assert means(sums)["recall"] == 0.75
    assert means(sums)["issues/not_json"] == 0.25


def test_an_issue_seen_before_is_logged_as_zero() -> None:
    own = scorer()
    own(["oops"], {"solution": [SOLUTION]}, "beginner", 0)
    own.take_sums()
    own([GOOD], {"solution": [SOLUTION]}, "beginner", 1)
    assert means([own.take_sums()])["issues/not_json"] == 0


def counted(own: Scorer, calls: list[tuple[list[str], dict]], rewards: int = 4) -> dict:
    """The means after the trainer handed each batch to `rewards` rewards, all in one step."""
    for texts, columns in calls:
        for _ in range(rewards):
            own(texts, {"solution": [SOLUTION] * len(texts)} | columns, "beginner", 0)
    sums = own.take_sums()
    return {"completions": sums["completions"], **means([sums])}


@pytest.mark.parametrize("ids", [True, False], ids=["with ids", "without"])
def test_images_that_are_answered_alike_all_count(ids: bool) -> None:
    """Three calls of 4: the first two with the same texts and solutions, of two images."""
    batches = [[GOOD, GOOD, "oops", "oops"], [GOOD, GOOD, "oops", "oops"], [GOOD] * 4]
    calls = [
        (list(texts), {"request_id": [f"{n}-{i}" for i in range(4)]} if ids else {})
        for n, texts in enumerate(batches)
    ]
    told = counted(scorer(), calls)
    assert told["completions"] == 12
    assert told["recall"] == pytest.approx(8 / 12)


def test_rewards_that_copy_the_texts_share_a_batch_by_its_ids() -> None:
    own = scorer()
    for _ in range(3):
        own([GOOD], {"solution": [SOLUTION], "request_id": ["a"]}, "beginner", 0)
    assert own.take_sums()["completions"] == 1


def test_a_batch_scored_before_the_last_one_is_not_taken_for_it() -> None:
    own = scorer()
    for name in ("a", "b", "a"):
        own([GOOD], {"solution": [SOLUTION], "request_id": [name]}, "beginner", 0)
    assert own.take_sums()["completions"] == 3


def test_the_same_batch_at_the_next_step_counts_again() -> None:
    own = scorer()
    for step in (0, 1):
        own([GOOD], {"solution": [SOLUTION]}, "beginner", step)
        assert means([own.take_sums()])["recall"] == 1


def test_the_same_solution_in_another_image_is_scored_anew() -> None:
    own, pairs = scorer(), json.dumps([["a", [0, 0, 20, 20]]])
    first, second = (
        own([GOOD], {"solution": [pairs], "width": [side], "height": [side]}, "advanced")[0].total
        for side in (112, 50)
    )
    assert first == 3
    assert second < 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(
            {"preset": "official", "format": "qwen3_vl"}, "read no other, got qwen3_vl", id="format"
        ),
        pytest.param(
            {"preset": "official", "frame": "norm1000"},
            "got qwen2_5_vl, coordinates from 0",
            id="frame",
        ),
        pytest.param(
            {"preset": "official-adaptive", "reasoning": "think"},
            "reasoning think: use",
            id="reasoning",
        ),
        pytest.param(
            {"frame": "norm1"}, r"leave `frame` out, or .*decimals: 3", id="fractions in integers"
        ),
        pytest.param(
            {"format": "paligemma", "frame": "padded1"}, "numbers for, got .*padded", id="in tokens"
        ),
        pytest.param(
            {"format": "kosmos2", "frame": "norm1000"},
            "format kosmos2 has numbers for",
            id="in patches",
        ),
    ],
)
def test_what_no_answer_could_fulfil_is_refused(settings: dict[str, object], message: str) -> None:
    rules = settings_from(settings)
    with pytest.raises(SettingsError, match=message):
        Scorer(rules, model_io(rules))


@pytest.mark.parametrize(
    "settings",
    [
        {"format": "json", "frame": "norm1", "json": {"decimals": 3}},
        {"format": "griffon", "frame": "padded1"},
        {"format": "kosmos2"},
        {"preset": "official", "model_type": "qwen2_5_omni"},
    ],
    ids=str,
)
def test_what_fits_is_taken(settings: dict[str, object]) -> None:
    rules = settings_from(settings)
    assert Scorer(rules, model_io(rules)).settings == rules
